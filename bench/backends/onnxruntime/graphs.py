"""The pages' formulas as ONNX graphs: one operator and the nodes around it, in ONNX's text syntax.

Weights are rearranged as an exporter does it: Conv's kernels are (o, e, r, s), LSTM's gates are in the order
i, o, f, c, and a second bias is zero. Transposes around an operator convert images to channels-first.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from bench.backends import Absent
from bench.case import Contender, Refusal

OPSET = 23  # the first opset with Attention


@dataclass(frozen=True)
class Graph:
    """The nodes, one per line in the syntax of `onnx.parser`, and the names of the outputs."""

    nodes: str
    outputs: tuple[str, ...] = ("y",)

    def model(self, inputs: Mapping[str, Any], initializers: Mapping[str, Any]) -> Any:
        """The ONNX model with inputs of these names, dtypes and shapes, and with these initializers."""
        from onnx import helper, numpy_helper, parser

        dtype = helper.np_dtype_to_tensor_dtype
        graph = helper.make_graph(
            [parser.parse_node(line) for line in self.nodes.strip().splitlines()],
            "formula",
            [helper.make_tensor_value_info(name, dtype(x.dtype), x.shape) for name, x in inputs.items()],
            [helper.make_empty_tensor_value_info(name) for name in self.outputs],
            [numpy_helper.from_array(np.ascontiguousarray(w), name) for name, w in initializers.items()],
        )
        opsets = [helper.make_opsetid("", OPSET)]
        return helper.make_model(
            graph, opset_imports=opsets, ir_version=helper.find_min_ir_version_for(opsets)
        )


def attention(weights, *, causal=False, masking=None, **option):
    seen = {None: "", "additive": ", bias"}.get(masking, ", mask")  # True means attend, as in the reference
    return {}, Graph(f"y = Attention <is_causal = {causal:d}> (q, k, v{seen})")


ACTIVATIONS = {
    "identity": "Identity",
    "sigmoid": "Sigmoid",
    "tanh": "Tanh",
    "relu": "Relu",
    "gelu": "Gelu",
    "gelu-tanh": 'Gelu <approximate = "tanh">',
    "softmax": "Softmax <axis = -1>",
    "log-softmax": "LogSoftmax <axis = -1>",
}


def activation(name, weights):
    return {}, Graph(f"y = {ACTIVATIONS[name]} (x)")


def dense(weights, *, before="Identity", after="identity", **option):
    bias = ", b" if "b" in weights else ""
    nodes = (f"f = {before} (x)", f"z = Gemm (f, W{bias})", f"y = {ACTIVATIONS[after]} (z)")
    return dict(weights), Graph("\n".join(nodes))


def perceptron(weights, *, hidden="relu", output="identity"):
    params, nodes, x = {}, [], "x"
    last = len(weights["layers"]) - 1
    for n, layer in enumerate(weights["layers"]):
        params |= {f"W{n}": layer["W"], f"b{n}": layer["b"]}
        name, y = (output, "y") if n == last else (hidden, f"x{n}")
        nodes += [f"z{n} = Gemm ({x}, W{n}, b{n})", f"{y} = {ACTIVATIONS[name]} (z{n})"]
        x = y
    return params, Graph("\n".join(nodes))


def layer_norm(weights, *, eps=1e-5, **option):
    how = f"axis = {-weights['gamma'].ndim}, epsilon = {eps:e}"
    return dict(weights), Graph(f"y = LayerNormalization <{how}> ({', '.join(['x', *weights])})")


def embedding(weights, **option):
    return dict(weights), Graph("y = Gather (E, ids)")


def both(number):
    """A pair for rows and columns, from one number or two."""
    return [number, number] if isinstance(number, int) else list(number)


def ends(padding):
    """The padding in ONNX's syntax. SAME_UPPER puts an odd element at the end, like our "same"."""
    return 'auto_pad = "SAME_UPPER"' if padding == "same" else f"pads = {both(padding) * 2}"


def channels_first(node):
    """A node from t to c between transposes, for images whose channels are last."""
    before, after = "t = Transpose <perm = [0, 3, 1, 2]> (x)", "y = Transpose <perm = [0, 2, 3, 1]> (c)"
    return Graph("\n".join((before, f"c = {node}", after)))


def conv2d(weights, *, stride=1, padding=0, dilation=1, groups=1, bias=True):
    margin = ends(padding)
    if padding == "same" and dilation != 1:  # not allowed with SAME_UPPER
        if stride != 1:
            raise Absent("SAME_UPPER has no dilation, and explicit padding needs the image size")
        reach = [dilation * (k - 1) for k in weights["W"].shape[:2]]
        margin = f"pads = {[n // 2 for n in reach] + [n - n // 2 for n in reach]}"
    how = f"strides = {both(stride)}, dilations = {both(dilation)}, group = {groups}, {margin}"
    params = weights | {"W": weights["W"].transpose(3, 2, 0, 1)}  # (o, e, r, s)
    return params, channels_first(f"Conv <{how}> ({', '.join(['t', *params])})")


def pool(kind, weights, *, size=2, stride=None, padding=0, dilation=1, count_margin=True, divisor=None):
    if divisor:
        raise Absent("AveragePool always divides by the size of its window")
    margin = "ceil_mode = 1" if padding == "ceil" else ends(padding)
    how = f"kernel_shape = {both(size)}, strides = {both(stride or size)}, {margin}"
    if kind == "AveragePool":
        how += f", count_include_pad = {count_margin:d}"
    elif dilation != 1:
        how += f", dilations = {both(dilation)}"
    return {}, channels_first(f"{kind} <{how}> (t)")


def gates(array, order):
    """The blocks of a matrix in the given order: ours is i f g o, ONNX's is i o f g."""
    return np.concatenate([np.split(array, len(order), axis=-1)[k] for k in order], axis=-1)


def recurrent(kind, weights, *, activation="tanh", last=False, carry=False, **option):
    layers, order, states = weights["layers"], *{"LSTM": ((0, 3, 1, 2), "hc"), "RNN": ((0,), "h")}[kind]
    depth, cells, hidden = len(layers), len(layers[0]), len(layers[0][0]["U"])
    how = f'hidden_size = {hidden}, direction = "{"bidirectional" if cells == 2 else "forward"}"'
    if kind == "RNN":
        how += f", activations = {json.dumps([activation.capitalize()] * cells)}"

    params, nodes = {}, ["x0 = Transpose <perm = [1, 0, 2]> (x)"]  # (t, b, d)
    starts = [f"{s}0_{n}" if carry else "" for n in range(depth) for s in states]
    for s in states if carry else ():
        nodes.append(f"{', '.join(f'{s}0_{n}' for n in range(depth))} = Split <num_outputs = {depth}> ({s}0)")
    for n, directions in enumerate(layers):
        params |= {
            f"W{n}": np.stack([gates(cell["W"], order).T for cell in directions]),
            f"R{n}": np.stack([gates(cell["U"], order).T for cell in directions]),
        }
        if "b" in directions[0]:
            biases = [(gates(cell["b"], order), np.zeros_like(cell["b"])) for cell in directions]
            params[f"B{n}"] = np.stack([np.concatenate(pair) for pair in biases])
        bias = f"B{n}" if "b" in directions[0] else ""
        given = ", ".join((f"x{n}", f"W{n}", f"R{n}", bias, "", *starts[n * len(states) :][: len(states)]))
        found = ", ".join((f"a{n}", *(f"{s}_{n}" for s in states)))
        nodes.append(f"{found} = {kind} <{how}> ({given.rstrip(', ')})")
        nodes.append(f"t{n} = Transpose <perm = [0, 2, 1, 3]> (a{n})")  # (t, b, directions, m)
        nodes.append(f"x{n + 1} = Reshape (t{n}, flat)")
    if last:
        nodes += [f"e = Transpose <perm = [1, 0, 2]> (h_{depth - 1})", "y = Reshape (e, row)"]
    else:
        nodes += [f"y = Transpose <perm = [1, 0, 2]> (x{depth})"]
    for s in states if carry else ():
        nodes.append(f"{s} = Concat <axis = 0> ({', '.join(f'{s}_{n}' for n in range(depth))})")
    shapes = ["flat = Constant <value_ints = [0, 0, -1]> ()", "row = Constant <value_ints = [0, -1]> ()"]
    return params, Graph("\n".join((*shapes, *nodes)), ("y", *(states if carry else ())))


def operator(name, build, **more):
    """A contender that tests one operator."""
    return Contender("onnxruntime", "onnxruntime.InferenceSession", build, variant=name, **more)


ZERO = {"masked-rows-mean": "gives zeros in a row without keys (see masked-rows-zero)"}
NO_DOUBLE = [Refusal("*/cpu/float64/forward", "LSTM operator does not support double yet")]
CONTENDERS = {
    "attention": operator("Attention", attention, without=ZERO),
    **{
        name: operator(node.split()[0], partial(activation, name))
        for name, node in ACTIVATIONS.items()
        if name != "identity"
    },
    "linear-regression": operator("Gemm", dense),
    "logistic-regression": operator("Gemm, Sigmoid", partial(dense, after="sigmoid")),
    "dense-flatten": operator("Flatten, Gemm", partial(dense, before="Flatten")),
    "perceptron": operator("Gemm", perceptron),
    "layer-norm": operator("LayerNormalization", layer_norm),
    "embedding": operator("Gather", embedding),
    "conv2d": operator("Conv", conv2d),
    "max-pool": operator("MaxPool", partial(pool, "MaxPool")),
    "average-pool": operator("AveragePool", partial(pool, "AveragePool")),
    "lstm": operator("LSTM", partial(recurrent, "LSTM"), refuses=NO_DOUBLE),
    "rnn": operator("RNN", partial(recurrent, "RNN")),
}
