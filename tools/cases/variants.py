"""What is done with a base: a table from a variant's name to the LoraConfig and to what happens around it."""
import dataclasses
from typing import Callable

import torch
from peft import BdLoraConfig

from families import VOCAB

GROWN = VOCAB + 4     # rows of a token table that was resized before training
LABELS = 5            # classes of a head that replaces the base's


@dataclasses.dataclass(frozen=True)
class Variant:
    """How an adapter comes to be.

    lora       LoraConfig's arguments, by family
    prepare    changes the torch base before it is exported
    reshape    changes it after the export and before training: the adapter belongs to what comes out
    rename     changes the keys of the saved adapter
    half       the type that the saved adapter's tensors are rounded to
    precision  the type of the base
    golden     which of PEFT's outputs a fold has to give
    embeddings save_embedding_layers of save_pretrained
    extra      further adapters, saved in sub-folders
    ids        tokens that the inputs must hold
    fresh_ids  tokens that only the adapter's table has: they go into inputs of their own
    """
    lora: Callable
    prepare: Callable | None = None
    reshape: Callable | None = None
    rename: Callable | None = None
    half: torch.dtype | None = None
    precision: torch.dtype = torch.float32
    golden: str = "merged"
    embeddings: str | bool = "auto"
    extra: tuple = ()
    ids: tuple = ()
    fresh_ids: tuple = ()


def on(targets=None, **fields):
    """LoraConfig arguments: rank 4, alpha 8, the family's own targets unless others are named."""
    def arguments(family):
        chosen = targets(family) if callable(targets) else targets
        return {"r": 4, "lora_alpha": 8, "target_modules": family.targets if chosen is None else chosen} | {
            name: value(family) if callable(value) else value for name, value in fields.items()}
    return arguments


def embedding(family):
    return [family.embedding]


def embedding_too(family):
    return [family.embedding, family.targets[0]]


def zero_biases(model):
    """Every bias is zero, as in a model that was never trained: exporters store equal zeros once, or drop them."""
    for name, parameter in model.named_parameters():
        if name.endswith("bias"):
            parameter.data.zero_()


def tied_or_not(family):
    return {family.embedding: [5, 7, 11]}


def more_labels(model):
    old = model.classifier
    model.classifier = torch.nn.Linear(old.in_features, LABELS)
    model.config.num_labels = model.num_labels = LABELS


def more_tokens(model):
    model.resize_token_embeddings(GROWN, mean_resizing=False)


def wrapper_infixes(key):
    """What torch.compile, FSDP and a plain state_dict() leave in the keys."""
    key = key.replace("base_model.model.", "base_model.model._orig_mod.", 1)
    key = key.replace(".layers.0.", ".layers.0._fsdp_wrapped_module.")
    return key.replace(".lora_A.weight", ".lora_A.default.weight").replace(".lora_B.weight", ".lora_B.default.weight")


BLOCKS = dict(target_modules_bd_a=["o_proj", "down_proj"], target_modules_bd_b=["q_proj", "k_proj", "v_proj", "gate_proj", "up_proj"], nblocks=2)

VARIANTS = {
    "plain": Variant(on()),
    "qv": Variant(on(["query", "value"])),
    "qv-dora": Variant(on(["query", "value"], use_dora=True)),
    "rslora-alpha": Variant(on(use_rslora=True, alpha_pattern=lambda f: {f.targets[-1]: 32, f"layers.0.*{f.targets[0]}": 2})),
    "layers-pattern": Variant(on(layers_to_transform=[0, 2], rank_pattern=lambda f: {f.targets[0]: 8, r"layers\.2\..*down_proj": 2},
                                 alpha_pattern=lambda f: {f.targets[1]: 3})),
    "bdlora": Variant(on(use_bdlora=lambda f: BdLoraConfig(**BLOCKS))),
    "wrapped-keys": Variant(on(), rename=wrapper_infixes),
    "half-adapter": Variant(on(), half=torch.float16),
    "bfloat-adapter": Variant(on(), half=torch.bfloat16),
    "subfolders": Variant(on(), extra=("style", "topic")),
    # biases
    "lora-bias": Variant(on(lora_bias=True)),
    "qkv-lora-bias": Variant(on(lambda f: f.targets[:3], lora_bias=True)),
    "lora-bias-zero": Variant(on(lora_bias=True), prepare=zero_biases),
    "bias-all": Variant(on(bias="all")),
    "bias-all-zero": Variant(on(bias="all"), prepare=zero_biases),
    "bias-only": Variant(on(lambda f: f.targets[:3], bias="lora_only")),
    "bias-only-zero": Variant(on(bias="lora_only"), prepare=zero_biases),
    # token tables
    "embed": Variant(on(embedding_too)),
    "embed-dora": Variant(on(embedding_too, use_dora=True)),
    "tied-embed": Variant(on(embedding), golden="active"),
    "tied-head": Variant(on(["lm_head"]), golden="active"),
    "tied-both": Variant(on(embedding, ensure_weight_tying=True), golden="active"),
    "tied-dora": Variant(on(embedding, ensure_weight_tying=True, use_dora=True), golden="active"),
    "tokens": Variant(on(trainable_token_indices=tied_or_not), ids=(5, 7, 11)),
    "tied-tokens": Variant(on(trainable_token_indices=tied_or_not), golden="active", ids=(5, 7, 11)),
    "resized": Variant(on(), reshape=more_tokens, embeddings=True, fresh_ids=(61, 63, 64)),
    "resized-saved": Variant(on(modules_to_save=["embed_tokens", "lm_head"]), reshape=more_tokens, fresh_ids=(61, 63, 64)),
    "tied-resized": Variant(on(), reshape=more_tokens, embeddings=True, fresh_ids=(61, 63, 64), golden="active"),
    # whole modules
    "save-embed": Variant(on(modules_to_save=embedding)),
    "tied-save-embed": Variant(on(modules_to_save=embedding), golden="active"),
    "tied-save-both": Variant(on(modules_to_save=embedding, ensure_weight_tying=True), golden="active"),
    "save-norm": Variant(on(lambda f: f.targets[:3], modules_to_save=["LayerNorm"])),
    "save-rms": Variant(on(modules_to_save=["input_layernorm", "norm"])),
    "labels": Variant(on(), reshape=more_labels),
    # other layers
    "dora": Variant(on(use_dora=True)),
    "dora-half": Variant(on(use_dora=True), precision=torch.float16),
    "dora-bfloat": Variant(on(use_dora=True), precision=torch.bfloat16),
    "mha": Variant(on()),
    "patch": Variant(on(["projection", "q_proj"])),
    "patch-dora": Variant(on(["projection", "q_proj"], use_dora=True)),
    "experts": Variant(on(target_parameters=["experts.up", "experts.down"])),
    "experts-moe": Variant(on(target_parameters=["experts.gate_up_proj", "experts.down_proj"])),
    "experts-rank": Variant(on(target_parameters=["experts.up", "experts.down"], rank_pattern={"experts.down": 2}, use_rslora=True)),
}
