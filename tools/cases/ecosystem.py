"""Graphs that other tools make: onnxruntime-genai's builder, ONNX Runtime's optimizer, rewrites of our own."""
import pathlib
import shutil
import subprocess
import sys
import tempfile

import onnx

import graph
import packing


def genai(*options):
    """onnxruntime-genai's builder, float32 on the CPU. It reads a saved model and wants a tokenizer beside it."""
    def build(model, family, feeds, path):
        with tempfile.TemporaryDirectory() as scratch:
            source, made = pathlib.Path(scratch) / "model", pathlib.Path(scratch) / "made"
            model.save_pretrained(str(source))
            tokenizer(model.config.vocab_size).save_pretrained(str(source))
            command = [sys.executable, "-m", "onnxruntime_genai.models.builder", "-i", source, "-o", made,
                       "-c", pathlib.Path(scratch) / "cache", "-p", "fp32", "-e", "cpu"]
            command += ["--extra_options", *options] if options else []
            done = subprocess.run(list(map(str, command)), capture_output=True, text=True, cwd=scratch)
            if not (made / "model.onnx").exists():
                raise RuntimeError(f"the builder wrote no model: {done.stderr[-300:]}")
            for name in ("model.onnx.data", "genai_config.json"):
                shutil.copy(made / name, path.parent / name)
            shutil.copy(made / "model.onnx", path)
    return build


def tokenizer(size):
    from tokenizers import Tokenizer, models
    from transformers import PreTrainedTokenizerFast
    words = {f"w{i}": i for i in range(size)}
    return PreTrainedTokenizerFast(tokenizer_object=Tokenizer(models.WordLevel(words, unk_token="w0")))


def optimized(model, family, feeds, path):
    """The TorchScript export, then onnxruntime.transformers.optimizer: Attention, EmbedLayerNormalization and others."""
    graph.export(model, family, feeds, "ts", path)
    command = [sys.executable, "-m", "onnxruntime.transformers.optimizer", "--input", path, "--output", path,
               "--model_type", "bert", "--num_heads", model.config.num_attention_heads,
               "--hidden_size", model.config.hidden_size]
    subprocess.run(list(map(str, command)), capture_output=True, check=True)
    graph.strip_traces(path)
    fused = [n.op_type for n in onnx.load(str(path)).graph.node]
    if "Attention" not in fused:
        raise RuntimeError(f"Attention did not fuse, the graph has {sorted(set(fused))}")


def repacked(model, family, feeds, path):
    """The TorchScript export with q, k, v and gate, up packed into one MatMul and a Split."""
    graph.export(model, family, feeds, "ts", path)
    onnx.save(packing.packed(onnx.load(str(path))), str(path))


def without_zero_adds(model, family, feeds, path):
    """The dynamo export less every Add of an all-zero bias, as optimizers that simplify x + 0 leave it."""
    graph.export(model, family, feeds, "dynamo", path)
    onnx.save(packing.without_zero_adds(onnx.load(str(path))), str(path))


BUILDERS = {
    "genai": genai(),
    "genai-split": genai("fuse_qkv=false"),
    "ort": optimized,
    "packed": repacked,
    "dropped": without_zero_adds,
}
