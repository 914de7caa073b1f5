"""The ONNX side: exporting, taking local traces out, and asking ONNX Runtime."""
import copy

import numpy as np
import onnx
import onnxruntime
import torch
from onnx import numpy_helper

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
    """Writes the model with one of PyTorch's two exporters."""
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
