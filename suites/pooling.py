"""Maximum and average pooling of images, against each framework's layer and function.

Images are channels last; torch reads a permuted view. To a maximum a margin is -∞: Keras, whose users pad
with zeros, cannot have one. In an average it is counted ("padded") or left out ("same", "uncounted"): torch
and Flax have a switch, TensorFlow leaves it out. torch's ceil_mode ("ceil") has a margin at the ends only.
Of equal pixels the first gets the whole gradient ("ties").
"""

import math
from functools import partial

from bench.cell import LOW

from bench.case import INTEGERS, Case, Contender, Limit
from reference.convolution import margins, pair
from reference.pooling import avg_pool, avg_pool_vjp, max_pool, max_pool_vjp


def inputs(rng, *, batch, height, width, channels, regime="typical", **option):
    x = rng.normal(size=(batch, height, width, channels))
    return {}, {"x": rng.integers(-2, 3, size=x.shape).astype(float) if regime == "ties" else x}


def in_torch(kind, weights, *, size=2, stride=None, padding=0, dilation=1, count_margin=True, divisor=None):
    import torch

    def run(params, x):
        x = x.permute(0, 3, 1, 2)  # (n, c, h, w)
        ends = margins(x.shape[2:], pair(size), pair(stride or size), padding)
        p, ceil = (ends[0][0], ends[1][0]), any(before < after for before, after in ends)
        if kind == "max":
            y = torch.nn.functional.max_pool2d(x, size, stride, p, dilation, ceil)
        else:
            y = torch.nn.functional.avg_pool2d(x, size, stride, p, ceil, count_margin, divisor)
        return {"y": y.permute(0, 2, 3, 1)}

    return {}, run


def in_torch_layer(
    kind, weights, *, size=2, stride=None, padding=0, dilation=1, count_margin=True, divisor=None
):
    import torch

    p, ceil = (0, True) if padding == "ceil" else (padding, False)
    if kind == "max":
        layer = torch.nn.MaxPool2d(size, stride, p, dilation, ceil_mode=ceil)
    else:
        layer = torch.nn.AvgPool2d(size, stride, p, ceil, count_margin, divisor)
    return {}, lambda params, x: {"y": layer(x.permute(0, 3, 1, 2)).permute(0, 2, 3, 1)}


def explicit(x, size, stride, padding, dilation=1):
    """The margins of all four axes, as TensorFlow and JAX take them."""
    return [(0, 0), *margins(x.shape[1:3], pair(size), pair(stride or size), padding, pair(dilation)), (0, 0)]


def in_tensorflow(kind, weights, *, size=2, stride=None, padding=0, **option):
    import tensorflow as tf

    ends = {"same": "SAME", 0: "VALID"}.get(padding)

    def run(params, x):
        margin = ends or explicit(x, size, stride, padding)
        if kind == "max":
            return {"y": tf.nn.max_pool2d(x, size, stride or size, margin)}
        x = x if ends else tf.pad(x, margin)  # tf.nn.avg_pool2d takes no explicit margin
        return {"y": tf.nn.avg_pool2d(x, size, stride or size, ends or "VALID")}

    return {}, run


def in_keras(kind, weights, *, size=2, stride=None, padding=0, **option):
    import keras

    ends = "same" if padding == "same" else "valid"
    if kind == "max":
        layer = keras.layers.MaxPooling2D(size, stride, ends)
    else:
        layer = keras.layers.AveragePooling2D(size, stride, ends)
    margin = None if padding in (0, "same") else keras.layers.ZeroPadding2D(padding)
    return {}, lambda params, x: {"y": layer(margin(x) if margin else x)}


def in_jax(kind, weights, *, size=2, stride=None, padding=0, dilation=1, count_margin=True, divisor=None):
    import jax
    import jax.numpy as jnp

    window, strides, holes = (1, *pair(size), 1), (1, *pair(stride or size), 1), (1, *pair(dilation), 1)

    def run(params, x):
        ends = "SAME" if padding == "same" else explicit(x, size, stride, padding, dilation)
        if kind == "max":
            how = {"window_dilation": holes}
            return {"y": jax.lax.reduce_window(x, -jnp.inf, jax.lax.max, window, strides, ends, **how)}
        total = jax.lax.reduce_window(x, 0.0, jax.lax.add, window, strides, ends)
        if count_margin or divisor:
            return {"y": total / (divisor or window[1] * window[2])}
        return {"y": total / jax.lax.reduce_window(jnp.ones_like(x), 0.0, jax.lax.add, window, strides, ends)}

    return {}, run


def in_flax(kind, weights, *, size=2, stride=None, padding=0, count_margin=True, **option):
    import flax.linen

    def run(params, x):
        ends = "SAME" if padding == "same" else explicit(x, size, stride, padding)[1:3]
        shape = pair(size), pair(stride or size), ends
        if kind == "max":
            return {"y": flax.linen.max_pool(x, *shape)}
        return {"y": flax.linen.avg_pool(x, *shape, count_include_pad=count_margin)}

    return {}, run


def flops(quotients, *, batch, height, width, channels, size=2, stride=None, padding=0, dilation=1, **_):
    (r, s), stride, dilation = pair(size), pair(stride or size), pair(dilation)
    ends = margins((height, width), (r, s), stride, padding, dilation)
    axes = zip((height, width), (r, s), stride, dilation, ends, strict=True)
    p, q = ((n + before + after - (k - 1) * d - 1) // step + 1 for n, k, step, d, (before, after) in axes)
    return batch * p * q * channels * (r * s - 1 + quotients)


MARGIN = "has no margin but 'same', and a margin of zeros is not one of -∞"
UNCOUNTED = "has no margin of its own but 'same', and one that its users add is counted"
REFUSED = {
    "max": {"padded": MARGIN, "ceil": MARGIN, "dilated": "has no dilation"},
    "average": {"uncounted": UNCOUNTED, "ceil": UNCOUNTED, "divisor": "divides by the window"},
}
UNDILATED = {"dilated": "has no dilation"}
DIVIDED = {"divisor": "divides by the window"}
UNLIKE = {"same": "has no padding='same': one number is the margin of both ends"}
MARGINS = ("same", "ceil", "uncounted")
# its cotangent would have to be of another dtype than what went in
PROMOTED = dict.fromkeys(
    (f"{option}/*/{dtype}/gradient" for option in MARGINS for dtype in LOW), "unexpected JAX type"
)
CONTENDERS = {
    "max": (
        Contender("torch", "torch.nn.functional.max_pool2d", partial(in_torch, "max")),
        Contender("torch", "torch.nn.MaxPool2d", partial(in_torch_layer, "max"), without=UNLIKE),
        Contender(
            "tensorflow",
            "tensorflow.nn.max_pool2d",
            partial(in_tensorflow, "max"),
            without=UNDILATED,
            refuses=dict.fromkeys(
                ("padded/xla/*", "ceil/xla/*"), "XLA does not support pooling ops with explicit padding"
            ),
        ),
        Contender("tensorflow", "keras.layers.MaxPooling2D", partial(in_keras, "max"), REFUSED["max"]),
        Contender(
            "jax",
            "jax.lax.reduce_window",
            partial(in_jax, "max"),
            refuses={"dilated/*/gradient": "VJP not implemented for select_and_gather"},
        ),
        Contender("jax", "flax.linen.max_pool", partial(in_flax, "max"), UNDILATED),
    ),
    "average": (
        Contender("torch", "torch.nn.functional.avg_pool2d", partial(in_torch, "average")),
        Contender("torch", "torch.nn.AvgPool2d", partial(in_torch_layer, "average"), without=UNLIKE),
        Contender(
            "tensorflow", "tensorflow.nn.avg_pool2d", partial(in_tensorflow, "average"), REFUSED["average"]
        ),
        Contender(
            "tensorflow", "keras.layers.AveragePooling2D", partial(in_keras, "average"), REFUSED["average"]
        ),
        Contender("jax", "jax.lax.reduce_window", partial(in_jax, "average")),
        Contender("jax", "flax.linen.avg_pool", partial(in_flax, "average"), DIVIDED, refuses=PROMOTED),
    ),
}
SHARED = {
    "inputs": inputs,
    "sizes": {
        "small": {"batch": 3, "height": 9, "width": 8, "channels": 4},
        "thin": {"batch": 1, "height": 3, "width": 17, "channels": 1},
        "mission": {"batch": 32, "height": 26, "width": 26, "channels": 32},
        "large": {"batch": 4, "height": 57, "width": 57, "channels": 64},
    },
    "items": lambda *, batch, **_: batch,
    "unit": "images",
}
PADDED = {"size": 3, "stride": 2, "padding": 1}
SAME = {"size": 3, "stride": 2, "padding": "same"}
CEIL = {"size": 3, "stride": 2, "padding": "ceil"}

cases = (
    Case(
        name="max-pool",
        title="Maximum pooling",
        reference=max_pool,
        gradient=max_pool_vjp,
        options={
            "plain": {},
            "padded": PADDED,
            "same": SAME,
            "ceil": CEIL,
            "dilated": {"stride": 1, "dilation": 2},
        },
        regimes={"typical": "seeded normal draws", "ties": "whole numbers from -2 to 2: most windows tie"},
        rare=("same", "ties", "padded", "ceil", "dilated"),
        integers={"plain": 18, "padded": 18, "same": 18},
        contenders=CONTENDERS["max"],
        limits=(
            Limit(
                "tensorflow",
                "==2.21.*",
                "with margins XLA may give the gradient to another of equal pixels than the first by rows",
                "tensorflow/compiler/tf2xla/kernels/pooling_ops.cc, MaxPoolGradOp: SelectAndScatter",
                (math.inf, math.inf),
                {"option": "same", "regime": INTEGERS, "mode": "xla", "direction": "gradient"},
                always=False,
            ),
        ),
        flops=partial(flops, 0),
        **SHARED,
    ),
    Case(
        name="average-pool",
        title="Average pooling",
        reference=avg_pool,
        gradient=avg_pool_vjp,
        options={
            "plain": {},
            "padded": PADDED,
            "same": SAME | {"count_margin": False},
            "ceil": CEIL | {"count_margin": False},
            "uncounted": PADDED | {"count_margin": False},
            "divisor": PADDED | {"divisor": 5},
        },
        rare=("same", "padded", "ceil", "uncounted", "divisor"),
        integers={"plain": 12},
        contenders=CONTENDERS["average"],
        flops=partial(flops, 1),
        limits=(
            Limit(
                "keras-torch",
                "==2.13.*",
                "where one end has a wider margin it repeats the last pixels there, and counts them",
                "keras/src/backend/torch/nn.py:282 (3.15.1); keras-team/keras#23233",
                (1e6, 1e7),
                {"option": "same", "size": ("small", "mission")},
            ),
            Limit(
                "jax",
                "==0.10.*",
                "divides by counts in float32 where a margin is left out, and so gives float32",
                "flax/linen/pooling.py:101 (0.12): jnp.ones without a dtype",
                (math.inf, math.inf),
                {
                    "contender": "flax.linen.avg_pool",
                    "option": MARGINS,
                    "dtype": LOW,
                    "direction": "forward",
                },
            ),
        ),
        **SHARED,
    ),
)
