"""One case: export the base, let PEFT make and save an adapter, and write down what PEFT answers."""
import copy
import json
import shutil
import zlib

import numpy as np
import torch
from peft import LoraConfig, get_peft_model
from safetensors.numpy import load_file
from safetensors.torch import load_file as load_torch, save_file

import fold
import graph
from families import FAMILIES
from variants import VARIANTS

EXACT = 2e-5          # how far ONNX Runtime may be from torch in float32
STRENGTH = 0.15       # standard deviation of what is added to every trainable parameter


def make(out, name, parts):
    """Makes OUT/name and returns a line that says what was seen. parts = (family, exporter, variant)."""
    family, variant = FAMILIES[parts[0]], VARIANTS[parts[2]]
    torch.manual_seed(zlib.crc32(name.encode()))
    case = out / name
    shutil.rmtree(case, ignore_errors=True)
    case.mkdir(parents=True)
    try:
        facts = written(case, family, variant, parts)
    except BaseException:
        shutil.rmtree(case)
        raise
    facts = dict(family=parts[0], exporter=parts[1], variant=parts[2]) | facts
    (case / "case.json").write_text(json.dumps(facts, indent=1) + "\n")
    return ", ".join(f"{k} {v:.2g}" for k, v in facts.items() if isinstance(v, float))


def base_model(family, variant):
    """A base without dead weights: fresh biases and norms would be all 0 and all 1 and hide mistakes."""
    base = family.build().eval().float()
    for parameter in base.parameters():
        if parameter.dim() == 1:
            parameter.data += 0.1 * torch.randn_like(parameter)
        elif parameter.std() < 0.03:
            parameter.data *= 4           # transformers starts so small that a tiny model hardly answers
    if variant.prepare:
        variant.prepare(base)
    return base.to(variant.precision)


def with_ids(feeds, ids):
    """The feeds with the given token ids in the first row, so that rows of the table are really read."""
    if not ids:
        return feeds
    feeds = {name: value.clone() for name, value in feeds.items()}
    feeds["input_ids"][0, :len(ids)] = torch.tensor(ids)
    return feeds


def cast(feeds, precision):
    return {n: v.to(precision) if v.is_floating_point() else v for n, v in feeds.items()}


@torch.no_grad()
def asked(model, family, feeds):
    result = graph.shown(model, family)(*(feeds[name] for name in family.dims))
    return result.float().contiguous()


def moved_adapter(model, half):
    """Adds noise to all that PEFT would train: a fresh adapter changes nothing."""
    done = set()
    for parameter in model.parameters():
        if parameter.requires_grad and parameter.data_ptr() not in done:
            done.add(parameter.data_ptr())
            parameter.data += STRENGTH * torch.randn_like(parameter)
            if half:
                parameter.data = parameter.data.to(half).to(parameter.dtype)


def written(case, family, variant, parts):
    base = base_model(family, variant)
    feeds = cast(with_ids(family.inputs(), variant.ids), variant.precision)
    if parts[1].startswith("genai"):
        feeds["attention_mask"].fill_(1)      # what stands at padding differs between versions of ONNX Runtime
    storage = parts[1] == "stored"        # bfloat16 has no CPU kernels: the file stores it and computes in float32
    path = case / "base.onnx"
    if storage:
        graph.export_stored(base, family, feeds, path)
    else:
        graph.export(base, family, feeds, parts[1], path)
    golden = {"base": asked(base.float() if storage else base, family, cast(feeds, torch.float32) if storage else feeds)}
    base = base.to(variant.precision)
    if hasattr(base, "config") and variant.reshape:
        (case / "config.json").write_text(json.dumps(carried(base), indent=1) + "\n")
    if variant.reshape:
        variant.reshape(base)
    plain = copy.deepcopy(base)
    saved = {}
    config = LoraConfig(task_type=family.task, lora_dropout=0.0, fan_in_fan_out=family.fan_in_fan_out, **variant.lora(family))
    model = get_peft_model(base, config).eval()
    for other in variant.extra:
        model.add_adapter(other, config)
    questions = {"": feeds}
    if variant.fresh_ids:
        questions["fresh_"] = with_ids(feeds, variant.fresh_ids)
    for adapter in ("default", *variant.extra):
        model.set_adapter(adapter)
        moved_adapter(model, variant.half)
    for adapter in ("default", *variant.extra):
        model.set_adapter(adapter)
        suffix = "" if adapter == "default" else "_" + adapter
        for prefix, asking in questions.items():
            golden[f"{prefix}active{suffix}"] = asked(model.get_base_model(), family, asking)
    save_adapter(model, case / "adapter", variant)
    for adapter in ("default", *variant.extra):
        suffix = "" if adapter == "default" else "_" + adapter
        twin = copy.deepcopy(model) if variant.extra else model
        merged = twin.merge_and_unload(adapter_names=[adapter]).eval()
        for prefix, asking in questions.items():
            golden[f"{prefix}merged{suffix}"] = output_of(merged, family, asking, storage)
        saved[adapter] = merged
    for prefix, asking in questions.items():
        kept = {n: v.float() if v.is_floating_point() else v for n, v in (asking | graph.past(path, 2)).items()}
        save_file(kept, str(case / f"{prefix.replace('_', '-')}inputs.safetensors"))
    save_file(golden, str(case / "golden.safetensors"))
    return facts(case, family, variant, (parts[1], plain, golden, saved))


def output_of(merged, family, feeds, storage):
    if storage:
        return asked(copy.deepcopy(merged).float(), family, cast(feeds, torch.float32))
    return asked(merged, family, feeds)


def carried(model):
    keep = ("architectures", "id2label", "label2id", "model_type", "num_labels", "vocab_size")
    return {k: v for k, v in model.config.to_dict().items() if k in keep} | {"architectures": [type(model).__name__]}


def save_adapter(model, folder, variant):
    """save_pretrained, less the model card and what names the place where the base lay."""
    model.save_pretrained(str(folder), save_embedding_layers=variant.embeddings)
    for card in folder.rglob("README.md"):
        card.unlink()
    for path in folder.rglob("adapter_config.json"):
        config = json.loads(path.read_text()) | {"base_model_name_or_path": None}
        for name in ("target_modules", "target_parameters"):
            if isinstance(config[name], list):
                config[name].sort()               # PEFT writes a set, in whatever order it comes
        path.write_text(json.dumps(config, indent=2, sort_keys=True) + "\n")
    for path in folder.rglob("adapter_model.safetensors"):
        tensors = load_torch(str(path))
        if variant.half:
            tensors = {k: v.to(variant.half) for k, v in tensors.items()}
        if variant.rename:
            tensors = {variant.rename(k): v for k, v in tensors.items()}
        save_file(tensors, str(path), metadata={"format": "pt"})


def facts(case, family, variant, made):
    """What was measured, and what a test has to know."""
    exporter, plain, golden, merged = made
    feeds = load_file(str(case / "inputs.safetensors"))
    seen = graph.answer(case / "base.onnx", feeds)[family.output]
    same_shape = golden["merged"].shape == golden["base"].shape
    half = variant.precision != torch.float32
    told = {
        "modes": ["merge"],
        "golden": variant.golden,
        "moved": difference(golden[variant.golden], golden["base"]) if same_shape else None,
        "base_error": difference(golden["base"], seen),
        "merged_active": difference(golden["merged"], golden["active"]),
    }
    if half:
        told["atol"] = {torch.float16: 5e-3, torch.bfloat16: 2e-2}[variant.precision]
        changed = changed_weights(plain, merged["default"])
        save_file(changed, str(case / "merged.safetensors"))
    elif told["base_error"] > EXACT:
        raise RuntimeError(f"ONNX Runtime is {told['base_error']:.2g} from torch on the base")
    if variant.prepare and exporter in ("dropped", "stripped"):
        told["new_nodes"] = True
    elif variant.golden == "active" or (variant.prepare and exporter in ("ts", "dynamo")):
        told["splits"] = True             # ties, and equal zeros that the exporter stored once
    if variant.extra:
        told["adapters"] = {"adapter": "merged"} | {f"adapter/{n}": f"merged_{n}" for n in variant.extra}
    if not half:
        told |= second_opinion(case, family, variant, (plain, golden, feeds))
    return told


def changed_weights(plain, merged):
    before, after = plain.state_dict(), merged.state_dict()
    return {n: after[n].contiguous() for n in after if n in before and not torch.equal(before[n], after[n])}


def difference(a, b):
    return float(np.abs(np.asarray(a) - np.asarray(b)).max())


def second_opinion(case, family, variant, made):
    """fold.py's weights in torch (fold_error), and in the ONNX file where each has a place by value (refit_error)."""
    plain, golden, feeds = made
    config = json.loads((case / "adapter" / "adapter_config.json").read_text())
    base = {n: p.numpy() for n, p in plain.state_dict().items()}
    changed = fold.fold(base, load_half(case / "adapter" / "adapter_model.safetensors"), config, ties(plain))
    model = untied(copy.deepcopy(plain))
    missing = model.load_state_dict({n: torch.from_numpy(np.ascontiguousarray(v)) for n, v in changed.items()}, strict=False).unexpected_keys
    if missing:
        raise RuntimeError(f"the adapter's tensors {missing} are not in the base")
    asking = {n: torch.from_numpy(v) for n, v in feeds.items()}
    told = {"fold_error": difference(asked(model, family, asking), golden[variant.golden])}
    if told["fold_error"] > EXACT:
        raise RuntimeError(f"the numpy fold is {told['fold_error']:.2g} from PEFT's {variant.golden}")
    if not variant.reshape:
        refitted = fold.check(case / "base.onnx", feeds, (base, changed))
        if refitted is not None:
            told["refit_error"] = difference(refitted[family.output], golden[variant.golden])
            if told["refit_error"] > EXACT:
                raise RuntimeError(f"the refitted file is {told['refit_error']:.2g} from PEFT's {variant.golden}")
    return told


def load_half(path):
    return {k: v.float().numpy() for k, v in load_torch(str(path)).items()}


def ties(model):
    """For each name of a parameter that has several, the others."""
    names = {}
    for name, parameter in model.named_parameters(remove_duplicate=False):
        names.setdefault(parameter.data_ptr(), []).append(name)
    return {name: [n for n in same if n != name] for same in names.values() for name in same if len(same) > 1}


def untied(model):
    """Every place gets a parameter of its own, so that one end of a tie can be changed alone."""
    for module in model.modules():
        for name, parameter in list(module.named_parameters(recurse=False)):
            setattr(module, name, torch.nn.Parameter(parameter.detach().clone(), requires_grad=False))
    return model
