"""Causal convolution of sequences: dilation, stride and groups, against each framework's layer and function.

Keras and Flax have it as padding "causal". Users of the others put zeros before the first step; with
torch.nn.Conv1d, which pads both ends alike, they cut off what stands after the last. Channels are last: torch
reads a permuted view, its layer, and a contiguous copy, its function. The page is long because each of the
six APIs says it in its own way.
"""

from gaugeblock import Case, Contender, Option, Refusal, pairs
from reference.causal import before, causal_convolution, causal_convolution_vjp


def inputs(rng, *, batch, time, channels, kernels, kernel, groups=1, bias=True, **option):
    W = rng.normal(size=(kernel, channels // groups, kernels)) / (kernel * channels // groups) ** 0.5
    weights = {"W": W, "b": rng.normal(size=kernels)} if bias else {"W": W}
    return weights, {"x": rng.normal(size=(batch, time, channels))}


def torch_layout(weights):
    params = {"weight": weights["W"].transpose(2, 1, 0)}  # (o, e, k)
    return params | ({"bias": weights["b"]} if "b" in weights else {})


def in_torch(weights, *, stride=1, dilation=1, groups=1, **option):
    import torch

    zeros = before(weights["W"], dilation)

    def run(params, x):
        x = torch.nn.functional.pad(x.permute(0, 2, 1).contiguous(), (zeros, 0))  # (n, c, t)
        how = {"stride": stride, "dilation": dilation, "groups": groups}
        return {
            "y": torch.nn.functional.conv1d(x, params["weight"], params.get("bias"), **how).permute(0, 2, 1)
        }

    return torch_layout(weights), run


def in_torch_layer(weights, *, stride=1, dilation=1, groups=1, **option):
    import torch

    k, e, o = weights["W"].shape
    zeros = before(weights["W"], dilation)
    layer = torch.nn.Conv1d(e * groups, o, k, stride, zeros, dilation, groups, "b" in weights)

    def run(params, x):
        y = torch.func.functional_call(layer, params, (x.permute(0, 2, 1),))  # (n, o, s)
        return {"y": y[:, :, : -(-x.shape[1] // stride)].permute(0, 2, 1)}

    return torch_layout(weights), run


def in_tensorflow(weights, *, stride=1, dilation=1, groups=1, **option):
    import tensorflow as tf

    zeros = before(weights["W"], dilation)

    def run(params, x):  # TensorFlow reads the groups from the shapes
        x = tf.pad(x, [[0, 0], [zeros, 0], [0, 0]])
        y = tf.nn.conv1d(x, params["W"], stride, "VALID", dilations=dilation)
        return {"y": y + params["b"] if "b" in params else y}

    return dict(weights), run


def in_keras(weights, *, stride=1, dilation=1, groups=1, **option):
    import keras

    k, e, o = weights["W"].shape
    more = {"dilation_rate": dilation, "groups": groups, "use_bias": "b" in weights}
    layer = keras.layers.Conv1D(o, k, stride, "causal", **more)
    layer.build((None, None, e * groups))
    return list(weights.values()), lambda params, x: {"y": layer.stateless_call(params, [], x)[0]}


def in_jax(weights, *, stride=1, dilation=1, groups=1, **option):
    import jax

    ends, axes = [(before(weights["W"], dilation), 0)], ("NWC", "WIO", "NWC")
    more = {"rhs_dilation": (dilation,), "feature_group_count": groups, "dimension_numbers": axes}

    def run(params, x):
        y = jax.lax.conv_general_dilated(x, params["W"], (stride,), ends, **more)
        return {"y": y + params["b"] if "b" in params else y}

    return dict(weights), run


def in_flax(weights, *, stride=1, dilation=1, groups=1, **option):
    import flax.linen

    k, _, o = weights["W"].shape
    more = {"kernel_dilation": dilation, "feature_group_count": groups, "use_bias": "b" in weights}
    layer = flax.linen.Conv(o, (k,), stride, "CAUSAL", param_dtype=weights["W"].dtype, **more)
    params = {{"W": "kernel", "b": "bias"}[name]: array for name, array in weights.items()}
    return params, lambda params, x: {"y": layer.apply({"params": params}, x)}


def flops(*, batch, time, channels, kernels, kernel, stride=1, groups=1, **_):
    return 2 * batch * -(-time // stride) * kernels * kernel * channels // groups


NAMED: dict[str, Option] = {
    "plain": {},
    "dilated": {"dilation": 2},
    "far": {"dilation": 16},
    "strided": {"stride": 2},
    "grouped": {"groups": 2, "dilation": 2},
    "no-bias": {"bias": False, "dilation": 4},
}
PAIRS = pairs({"stride": (1, 2, 3), "dilation": (1, 2, 8), "groups": (1, 2), "bias": (True, False)})
OPTIONS = NAMED | {name: option for name, option in PAIRS.items() if option not in NAMED.values()}


def those(**most):
    """The options with more than one of each of these."""
    return [
        name for name, option in OPTIONS.items() if all(option.get(k, 1) > least for k, least in most.items())
    ]


# Without XLA or oneDNN, TensorFlow's CPU kernels have no such gradients: see suites/conv2d.py.
REFUSED = [
    Refusal(f"{option}/{mode}/cpu/{dtype}/gradient", "Conv2DBackprop", when)
    for option in dict.fromkeys([*those(dilation=1), *those(groups=1)])
    for dtype, when in (
        ("float64", {}),
        ("float16", {}),
        ("float32", {"onednn": False}),
        ("bfloat16", {"onednn": False}),
    )
    for mode in ("eager", "function")
]
NOT_BOTH = dict.fromkeys(those(stride=1, dilation=1), "takes a stride or a dilation, not both")

case = Case(
    name="causal-convolution",
    title="Causal convolution of sequences",
    reference=causal_convolution,
    gradient=causal_convolution_vjp,
    inputs=inputs,
    sizes={
        "small": {"batch": 3, "time": 11, "channels": 4, "kernels": 6, "kernel": 2},
        "one": {"batch": 1, "time": 1, "channels": 2, "kernels": 2, "kernel": 3},
        "pointwise": {"batch": 2, "time": 9, "channels": 32, "kernels": 16, "kernel": 1},
        "blocks": {"batch": 2, "time": 131, "channels": 66, "kernels": 34, "kernel": 3},
        "wavenet": {"batch": 1, "time": 4000, "channels": 32, "kernels": 64, "kernel": 2},
    },
    options=OPTIONS,
    rare=[name for name in OPTIONS if name not in ("plain", "dilated")],
    integers={"plain": 12, "dilated": 12, "strided": 12, "grouped": 12},
    minor=True,
    contenders=(
        Contender("torch", "torch.nn.functional.conv1d", in_torch),
        Contender("torch", "torch.nn.Conv1d", in_torch_layer),
        Contender("tensorflow", "tensorflow.nn.conv1d", in_tensorflow, refuses=REFUSED),
        Contender("tensorflow", "keras.layers.Conv1D", in_keras, without=NOT_BOTH),
        Contender("jax", "jax.lax.conv_general_dilated", in_jax),
        Contender("jax", "flax.linen.Conv", in_flax),
    ),
    items=lambda *, batch, time, **_: batch * time,
    unit="steps",
    flops=flops,
)
