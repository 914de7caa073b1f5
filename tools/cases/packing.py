"""Rewrites of exported graphs: linear layers that read one tensor packed into one, and zero biases left out."""
import re

import numpy as np
from onnx import helper, numpy_helper

PACKS = {
    "self_attn/qkv_proj": ("q_proj", "k_proj", "v_proj"),
    "mlp/gate_up_proj": ("gate_proj", "up_proj"),
}


def packed(model):
    """MatMul(x, Q), MatMul(x, K), MatMul(x, V) become Split(MatMul(x, [Q|K|V])); biases are packed alike."""
    graph = model.graph
    for node in list(graph.node):
        found = re.fullmatch(r"(.*)/(self_attn|mlp)/(q_proj|gate_proj)/MatMul", node.name)
        if found:
            name = next(n for n, parts in PACKS.items() if n.startswith(found[2]))
            pack(graph, f"{found[1]}/{name}", [f"{found[1]}/{found[2]}/{part}" for part in PACKS[name]])
    return model


def pack(graph, place, parts):
    nodes = {n.name: n for n in graph.node}
    products = [nodes[f"{part}/MatMul"] for part in parts]
    sums = [nodes[f"{part}/Add"] for part in parts if f"{part}/Add" in nodes]
    weights = joined(graph, [p.input[1] for p in products], 1)
    made = [helper.make_node("MatMul", [products[0].input[0], named(place, "MatMul.weight")], [f"{place}/MatMul_output_0"], f"{place}/MatMul")]
    add(graph, weights, named(place, "MatMul.weight"))
    if sums:
        add(graph, joined(graph, [s.input[0] for s in sums], 0), named(place, "Add.bias"))
        made.append(helper.make_node("Add", [made[-1].output[0], named(place, "Add.bias")], [f"{place}/Add_output_0"], f"{place}/Add"))
    widths = np.array([value(graph, p.input[1]).shape[1] for p in products], np.int64)
    add(graph, widths, f"{place}/Split.widths")
    outputs = [n.output[0] for n in (sums or products)]
    made.append(helper.make_node("Split", [made[-1].output[0], f"{place}/Split.widths"], outputs, f"{place}/Split", axis=-1))
    replace(graph, products + sums, made)


def without_zero_adds(model):
    graph = model.graph
    zero = {i.name for i in graph.initializer if len(i.dims) == 1 and not numpy_helper.to_array(i).any()}
    for node in [n for n in graph.node if n.op_type == "Add" and zero.intersection(n.input)]:
        operand = next(i for i in node.input if i not in zero)
        for reader in graph.node:
            for i, name in enumerate(reader.input):
                if name == node.output[0]:
                    reader.input[i] = operand
        replace(graph, [node], [])
    return model


def named(place, suffix):
    return place.strip("/").replace("/", ".").replace("self_attn", "attn") + "." + suffix


def value(graph, name):
    return numpy_helper.to_array(next(i for i in graph.initializer if i.name == name))


def joined(graph, names, axis):
    return np.concatenate([value(graph, n) for n in names], axis=axis)


def add(graph, array, name):
    graph.initializer.append(numpy_helper.from_array(np.ascontiguousarray(array), name))


def replace(graph, old, new):
    """Puts the new nodes where the first of the old ones stood and drops weights that nothing reads any more."""
    names = {n.name for n in old}
    at = next(i for i, n in enumerate(graph.node) if n.name in names)
    kept = [n for n in graph.node if n.name not in names]
    kept[at:at] = new
    del graph.node[:]
    graph.node.extend(kept)
    read = {i for n in graph.node for i in n.input}
    left = [i for i in graph.initializer if i.name in read]
    del graph.initializer[:]
    graph.initializer.extend(left)
