"""The ONNX side: exporting, taking local traces out, and asking ONNX Runtime."""
import copy
import json

import numpy as np
import onnx
import onnxruntime
import torch
from onnx import numpy_helper

import ecosystem

onnxruntime.set_default_logger_severity(3)


class Bare(torch.nn.Module):
    """The model under one prefix, as export scripts wrap it, with one tensor as its answer."""

    def __init__(self, model, family):
        super().__init__()
        self.model = model
        self.names = list(family.dims)
        self.family = family

    def forward(self, *feeds):
        answer = self.model(**dict(zip(self.names, feeds)), **self.family.call)
        return answer if isinstance(answer, torch.Tensor) else answer.logits


def shown(model, family):
    """What is exported: toys as they are, transformers' models under the wrapper."""
    return Bare(model, family).eval() if hasattr(model, "config") else model.eval()


def export(model, family, feeds, exporter, path):
    """Writes the model with one of PyTorch's two exporters, or with one and then a tool that rewrites the graph, or with what came out of other people's tools."""
    if exporter in ecosystem.BUILDERS:
        ecosystem.BUILDERS[exporter](model, family, feeds, path)
        return
    if exporter == "fused":
        export(model, family, feeds, "dynamo", path)
        return fuse(path)
    if exporter == "stripped":
        export(model, family, feeds, "ts", path)
        return onnx.save(without_zero_biases(onnx.load(str(path))), str(path))
    module, args, names = shown(model, family), tuple(feeds.values()), list(feeds)
    if exporter == "ts":
        torch.onnx.export(module, args, str(path), input_names=names, output_names=[family.output], dynamo=False,
                          opset_version=17, dynamic_axes=family.dims)
    else:
        dims = {label: torch.export.Dim(label) for free in family.dims.values() for label in free.values()}
        shapes = tuple({axis: dims[label] for axis, label in family.dims[name].items()} for name in names)
        shapes = (shapes,) if isinstance(module, Bare) else shapes
        torch.onnx.export(module, args, str(path), input_names=names, output_names=[family.output], dynamo=True,
                          dynamic_shapes=shapes, external_data=False, verbose=False)
    strip_traces(path)
    module.eval()                 # the exporters leave the mode as they please


def fuse(path):
    """ONNX Runtime's optimizer for transformers: biases move into BiasGelu and SkipLayerNormalization."""
    from onnxruntime.transformers import optimizer
    optimizer.optimize_model(str(path), model_type="bert", num_heads=4, hidden_size=16, opt_level=0).save_model_to_file(str(path))


def without_zero_biases(model):
    """What graph simplifiers make of an Add of zeros: its readers read the product."""
    graph = model.graph
    zeros = {t.name for t in graph.initializer if t.data_type == onnx.TensorProto.FLOAT and not numpy_helper.to_array(t).any()}
    zeros |= {n.output[0] for n in graph.node if n.op_type == "Identity" and n.input[0] in zeros}
    instead = {}
    for node in list(graph.node):
        if node.op_type == "Add" and any(i in zeros for i in node.input):
            instead[node.output[0]] = next(i for i in node.input if i not in zeros)
            graph.node.remove(node)
    for node in graph.node:
        node.input[:] = [instead.get(i, i) for i in node.input]
    read = {i for node in graph.node for i in node.input}
    for node in [n for n in graph.node if n.op_type == "Identity" and n.output[0] not in read]:
        graph.node.remove(node)
    return model


def export_stored(model, family, feeds, path):
    """A file that stores the weights in the base's half type and computes in float32, behind a Cast each."""
    half = next(model.parameters()).dtype
    full = {n: v.float() if v.is_floating_point() else v for n, v in feeds.items()}
    export(copy.deepcopy(model).float(), family, full, "ts", path)
    onnx.save(stored_as(onnx.load(str(path)), half), str(path))


def stored_as(model, half):
    kind = {torch.float16: onnx.TensorProto.FLOAT16, torch.bfloat16: onnx.TensorProto.BFLOAT16}[half]
    casts = []
    for tensor in model.graph.initializer:
        if tensor.data_type != onnx.TensorProto.FLOAT:
            continue
        values = torch.from_numpy(numpy_helper.to_array(tensor).copy()).to(half)
        stored = onnx.TensorProto(name=tensor.name + ".stored", data_type=kind, dims=tensor.dims)
        stored.raw_data = values.view(torch.int16).numpy().tobytes()
        casts.append(onnx.helper.make_node("Cast", [stored.name], [tensor.name], f"/{tensor.name}/Cast", to=onnx.TensorProto.FLOAT))
        tensor.CopyFrom(stored)
    nodes = list(model.graph.node)
    del model.graph.node[:]
    model.graph.node.extend(casts + nodes)
    return model


# The first names lines of local files; the others repeat in longer words what name_scopes says.
DROPPED = ("pkg.torch.onnx.stack_trace", "pkg.torch.onnx.class_hierarchy", "namespace")


def past(path, batch):
    """Empty caches for a graph of the GenAI builder, which asks for what came before."""
    config = path.parent / "genai_config.json"
    if not config.exists():
        return {}
    decoder = json.loads(config.read_text())["model"]["decoder"]
    empty = torch.zeros(batch, decoder["num_key_value_heads"], 0, decoder["head_size"])
    layers = range(decoder["num_hidden_layers"])
    return {f"past_key_values.{layer}.{half}": empty.clone() for layer in layers for half in ("key", "value")}


def strip_traces(path):
    """Takes out doc strings and stack traces, which carry paths of the machine that exported, and bulk."""
    model = onnx.load(str(path))
    graphs = [model.graph, *model.functions]
    while graphs:
        graph = graphs.pop()
        graph.ClearField("doc_string")
        for node in graph.node:
            node.ClearField("doc_string")
            keep = [(p.key, p.value) for p in node.metadata_props if p.key not in DROPPED]
            del node.metadata_props[:]
            for key, value in keep:
                node.metadata_props.add(key=key, value=value)
            graphs += [a.g for a in node.attribute if a.type == onnx.AttributeProto.GRAPH]
    onnx.save(model, str(path))


def answer(model, feeds):
    """ONNX Runtime's outputs by name, as float32. `model` is a path or a ModelProto."""
    source = model.SerializeToString() if isinstance(model, onnx.ModelProto) else str(model)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(source, options, providers=["CPUExecutionProvider"])
    types = {"tensor(float16)": np.float16, "tensor(float)": np.float32}
    fed = {i.name: feeds[i.name].astype(types.get(i.type, feeds[i.name].dtype)) for i in session.get_inputs() if i.name in feeds}
    outputs = session.run(None, fed)
    return {o.name: v.astype(np.float32) if v.dtype == np.float16 else v for o, v in zip(session.get_outputs(), outputs)}
