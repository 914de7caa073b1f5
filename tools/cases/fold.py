"""PEFT's arithmetic once more, in numpy and from the saved files alone: a second opinion on the goldens."""
import re

import numpy as np

import onnx
from onnx import numpy_helper

import graph

INFIX = re.compile(r"\b(_orig_mod|_fsdp_wrapped_module|module)\.")
PARTS = ("lora_A", "lora_B", "lora_embedding_A", "lora_embedding_B", "lora_magnitude_vector")
KEY = re.compile(r"^(.*)\.(" + "|".join(PARTS) + r")(?:\.default)?(\.weight|\.bias)?$")


def pattern(patterns, module, default):
    for key, value in (patterns or {}).items():
        if re.match(rf"(.*\.)?({key})$", module):
            return value
    return default


def scaling(config, module, rank):
    alpha = pattern(config.get("alpha_pattern"), module, config["lora_alpha"])
    rank = pattern(config.get("rank_pattern"), module, config["r"]) if rank is None else rank
    return alpha / (np.sqrt(rank) if config.get("use_rslora") else rank)


def blocks(factor, rows, columns):
    """The matrix whose diagonal the stacked blocks are; a factor that is whole comes back as it is."""
    if factor.shape == (rows, columns):
        return factor
    whole, wide = np.zeros((rows, columns), factor.dtype), factor.shape[1]
    high = rows * wide // columns
    for i in range(columns // wide):
        whole[i * high:(i + 1) * high, i * wide:(i + 1) * wide] = factor[i * high:(i + 1) * high]
    return whole


def linear(weight, a, b, scale, flip):
    """[out, in] product in the weight's own layout."""
    if weight.ndim > 2:
        return scale * np.einsum("or,ri...->oi...", b.reshape(b.shape[0], -1), a)
    width = weight.shape[0] if flip else weight.shape[1]
    height = weight.shape[1] if flip else weight.shape[0]
    delta = scale * (blocks(b, height, a.shape[0]) @ blocks(a, a.shape[0], width))
    return delta.T if flip else delta


def experts(weight, a, b, scale):
    count = weight.shape[0]
    a, b = a.reshape(count, -1, a.shape[-1]), b.reshape(b.shape[0], -1, count)
    straight = (b.shape[0], a.shape[-1]) == weight.shape[1:]
    return scale * np.einsum("ore,eri->eoi" if straight else "ore,eri->eio", b, a)


def dora(weight, delta, magnitude, axes):
    moved = weight + delta
    norm = np.sqrt((moved.astype(np.float64) ** 2).sum(axis=axes, keepdims=True))
    return (magnitude.reshape(norm.shape) / norm) * moved


def norm_axes(weight, kind, flip):
    if kind == "embedding" or flip:
        return (0,)
    return tuple(range(1, weight.ndim))


def grouped(tensors):
    """Factors by module, and whole tensors by their key."""
    factors, whole = {}, {}
    for key, value in tensors.items():
        key = INFIX.sub("", key).removeprefix("base_model.model.")
        found = KEY.match(key)
        if found:
            factors.setdefault(found[1], {})[found[2] + ("_bias" if found[3] == ".bias" else "")] = value.astype(np.float32)
        else:
            whole[key] = value.astype(np.float32)
    return factors, whole


def fold(base, tensors, config, ties):
    """The tensors of the torch base that the adapter changes, by their names in its state_dict.

    ties: for a name, the other names of the same parameter. Token rows change at both ends. Under
    ensure_weight_tying PEFT saves the factors of both ends, so that nothing has to be inferred.
    """
    factors, whole = grouped(tensors)
    changed = {}
    for key, value in whole.items():
        if key.endswith(".token_adapter.trainable_tokens_delta"):
            module = key.removesuffix(".token_adapter.trainable_tokens_delta")
            indices = config["trainable_token_indices"]
            if isinstance(indices, dict):
                indices = next(iter(indices.values())) if len(indices) == 1 else next(v for k, v in indices.items() if module.endswith(k))
            table = changed.get(module + ".weight", base[module + ".weight"]).copy()
            table[indices] = value
            changed[module + ".weight"] = table
            changed |= {other: table for other in ties.get(module + ".weight", ())}
        elif ".original_module." in key:
            continue                      # with bias="all" PEFT also saves the head that modules_to_save set aside
        elif ".base_layer." in key and key.endswith(".weight"):
            assert np.array_equal(value, base[key.replace(".base_layer", "")]), key
        else:
            changed[key.replace(".base_layer", "").replace(".modules_to_save", "")] = value
    for module, parts in factors.items():
        name, kind = place(base, module, parts, config)
        weight = changed.get(name, base[name])
        changed[name] = folded(weight, module, parts, (config, kind))
        if "lora_B_bias" in parts:
            bias = name.removesuffix("weight") + "bias"
            rank = parts["lora_A"].shape[0]
            changed[bias] = changed.get(bias, base[bias]) + scaling(config, module, rank) * parts["lora_B_bias"]
    return changed


def place(base, module, parts, config):
    """Which tensor of the base a module's factors change."""
    plain = module.replace(".base_layer", "")
    if "lora_embedding_A" in parts:
        return plain + ".weight", "embedding"
    if plain.removesuffix("out_proj") + "in_proj_weight" in base:
        return plain + ".weight", "attention output"
    if plain + ".weight" in base:
        return plain + ".weight", "linear"
    if plain + ".in_proj_weight" in base:
        return plain + ".in_proj_weight", "linear"
    names = [p.split(".")[-1] for p in config["target_parameters"]]
    # PEFT nests the wrappers of one module's parameters: the one that the module registered first lies innermost
    depth = module.count(".base_layer")
    ordered = [name for name in base if name.rpartition(".")[0] == plain and name.rpartition(".")[2] in names]
    return ordered[len(ordered) - 1 - depth], "experts"


def folded(weight, module, parts, how):
    config, kind = how
    flip = kind == "linear" and bool(config.get("fan_in_fan_out"))
    if kind == "embedding":
        a, b = parts["lora_embedding_A"], parts["lora_embedding_B"]
        delta = scaling(config, module, a.shape[0]) * (b @ a).T
    elif kind == "experts":
        a, b = parts["lora_A"], parts["lora_B"]
        delta = experts(weight, a, b, scaling(config, module, a.shape[0] // weight.shape[0]))
    else:
        a, b = parts["lora_A"], parts["lora_B"]
        delta = linear(weight, a, b, scaling(config, module, a.shape[0]), flip)
        if kind == "attention output":
            delta = 2 * delta             # PEFT adds it in the attention layer and once more in its out_proj
    if "lora_magnitude_vector" in parts:
        return dora(weight, delta, parts["lora_magnitude_vector"], norm_axes(weight, kind, flip))
    return weight + delta


def refit(path, base, changed):
    """The exported model with the changed tensors in the places whose bytes are the base's, either way round.

    Places are found by value and not by name, so this checks nothing about names. Gives None where a tensor
    of the base has no place of its own in the file (dropped, packed or tied).
    """
    model = onnx.load(str(path))
    held = {i.name: numpy_helper.to_array(i) for i in model.graph.initializer}
    if any(np.array_equal(base[a], base[b]) for i, a in enumerate(changed) if a in base for b in base if a != b and base[a].shape == base[b].shape):
        return None
    for name, value in changed.items():
        places = [i for i in model.graph.initializer if matches(held[i.name], base.get(name))]
        if not places:
            return None
        for tensor in places:
            straight = held[tensor.name].shape == base[name].shape and np.array_equal(held[tensor.name], base[name])
            fresh = value if straight else value.T
            tensor.CopyFrom(numpy_helper.from_array(np.ascontiguousarray(fresh.astype(np.float32)), tensor.name))
    return model


def matches(held, wanted):
    if wanted is None or held.dtype != np.float32 or held.size != wanted.size:
        return False
    return np.array_equal(held, wanted) or (held.ndim == 2 and np.array_equal(held, wanted.T))


def check(path, feeds, state):
    """The outputs of the refitted model, or None where it cannot be refitted. state = (base, changed)."""
    model = refit(path, *state)
    return None if model is None else graph.answer(model, feeds)
