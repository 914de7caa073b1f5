"""Which variant is made of which family by which exporter."""
BOTH = ("ts", "dynamo")

CASES = [
    (("bert",), BOTH, ("lora-bias", "bias-all", "bias-all-zero", "save-norm", "embed-dora")),
    (("bert",), ("dynamo", "dropped"), ("lora-bias-zero", "bias-only-zero")),
    (("bert",), ("fused",), ("bias-all", "lora-bias")),
    (("bert",), ("stripped",), ("bias-all-zero", "lora-bias-zero")),
    (("bert",), ("ts",), ("bfloat-adapter",)),
    (("bert-2label",), BOTH, ("labels",)),
    (("llama",), BOTH, ("embed", "embed-dora", "tokens", "save-embed", "save-rms", "resized", "resized-saved")),
    (("llama",), ("ts",), ("wrapped-keys", "subfolders", "half-adapter")),
    (("llama",), ("dynamo",), ("bdlora", "rslora-alpha")),
    (("llama-3layer",), ("dynamo",), ("layers-pattern",)),
    (("llama-tied",), BOTH, ("tied-embed", "tied-head", "tied-both", "tied-tokens", "tied-save-embed", "tied-save-both", "tied-resized")),
    (("gpt2",), BOTH, ("tied-embed", "tied-head", "tied-both", "tied-tokens", "tied-dora")),
    (("conv1d", "conv2d", "conv3d"), BOTH, ("plain", "dora")),
    (("vit",), BOTH, ("patch", "patch-dora")),
    (("attending",), BOTH, ("mha",)),
    (("experts", "experts-inout"), BOTH, ("experts",)),
    (("experts",), ("ts",), ("experts-rank",)),
    (("mixtral", "gpt-oss"), BOTH, ("experts-moe",)),
    (("llama",), ("dynamo",), ("dora-half",)),
    (("bert",), ("stored",), ("dora-half", "dora-bfloat")),
    (("albert", "deberta-v3", "distilbert", "gemma2", "mistral", "phi3", "qwen2", "roberta", "t5", "vit"), BOTH, ("plain",)),
    (("llama",), ("packed",), ("plain", "dora")),
    (("qwen2",), ("packed",), ("qkv-lora-bias", "bias-only")),
    (("phi3-head16",), ("genai", "genai-split"), ("plain",)),
    (("phi3-head16",), ("genai-split",), ("dora",)),
    (("qwen2-head16",), ("genai",), ("plain", "qkv-lora-bias", "bias-only")),
    (("bert-2layer",), ("ort",), ("qv", "qv-dora", "bias-all", "lora-bias", "embed")),
]


def cases():
    """Names of folders with (family, exporter, variant)."""
    for families, exporters, variants in CASES:
        for family in families:
            for variant in variants:
                for exporter in exporters:
                    yield f"{family}-{exporter}-{variant}", (family, exporter, variant)
