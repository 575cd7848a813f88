"""Average pooling of images, against each framework's layer and function.

Images are channels last; torch reads a permuted view. An average counts padding ("padded") or excludes it
("same", "uncounted"): torch and Flax have a switch, TensorFlow excludes it. torch's ceil_mode ("ceil") pads
only at the end of an axis.
"""

from functools import partial

from gaugeblock import Case, Contender
from reference.convolution import pair
from reference.pooling import avg_pool, avg_pool_vjp
from suites.max_pool import CEIL, PADDED, SAME, SHARED, UNLIKE, explicit, flops, torch_margin


def in_torch(weights, *, size=2, stride=None, padding=0, count_margin=True, divisor=None):
    import torch

    def run(params, x):
        x = x.permute(0, 3, 1, 2)  # (n, c, h, w)
        p, ceil = torch_margin(x, size, stride, padding)
        y = torch.nn.functional.avg_pool2d(x, size, stride, p, ceil, count_margin, divisor)
        return {"y": y.permute(0, 2, 3, 1)}

    return {}, run


def in_torch_layer(weights, *, size=2, stride=None, padding=0, count_margin=True, divisor=None):
    import torch

    p, ceil = (0, True) if padding == "ceil" else (padding, False)
    layer = torch.nn.AvgPool2d(size, stride, p, ceil, count_margin, divisor)
    return {}, lambda params, x: {"y": layer(x.permute(0, 3, 1, 2)).permute(0, 2, 3, 1)}


def in_tensorflow(weights, *, size=2, stride=None, padding=0, **option):
    import tensorflow as tf

    ends = {"same": "SAME", 0: "VALID"}.get(padding)

    def run(params, x):
        x = x if ends else tf.pad(x, explicit(x, size, stride, padding))  # avg_pool takes no explicit padding
        return {"y": tf.nn.avg_pool2d(x, size, stride or size, ends or "VALID")}

    return {}, run


def in_keras(weights, *, size=2, stride=None, padding=0, **option):
    import keras

    layer = keras.layers.AveragePooling2D(size, stride, "same" if padding == "same" else "valid")
    margin = None if padding in (0, "same") else keras.layers.ZeroPadding2D(padding)
    return {}, lambda params, x: {"y": layer(margin(x) if margin else x)}


def in_jax(weights, *, size=2, stride=None, padding=0, count_margin=True, divisor=None):
    import jax
    import jax.numpy as jnp

    window, strides = (1, *pair(size), 1), (1, *pair(stride or size), 1)

    def run(params, x):
        ends = "SAME" if padding == "same" else explicit(x, size, stride, padding)
        total = jax.lax.reduce_window(x, 0.0, jax.lax.add, window, strides, ends)
        if count_margin or divisor:
            return {"y": total / (divisor or window[1] * window[2])}
        return {"y": total / jax.lax.reduce_window(jnp.ones_like(x), 0.0, jax.lax.add, window, strides, ends)}

    return {}, run


def in_flax(weights, *, size=2, stride=None, padding=0, count_margin=True):
    import flax.linen

    def run(params, x):
        ends = "SAME" if padding == "same" else explicit(x, size, stride, padding)[1:3]
        shape = pair(size), pair(stride or size), ends
        return {"y": flax.linen.avg_pool(x, *shape, count_include_pad=count_margin)}

    return {}, run


UNCOUNTED = "has no margin of its own but 'same', and one that its users add is counted"
DIVIDED = {"divisor": "divides by the window"}
COUNTED = {"uncounted": UNCOUNTED, "ceil": UNCOUNTED} | DIVIDED
case = Case(
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
    contenders=(
        Contender("torch", "torch.nn.functional.avg_pool2d", in_torch),
        Contender("torch", "torch.nn.AvgPool2d", in_torch_layer, UNLIKE),
        Contender("tensorflow", "tensorflow.nn.avg_pool2d", in_tensorflow, COUNTED),
        Contender("tensorflow", "keras.layers.AveragePooling2D", in_keras, COUNTED),
        Contender("jax", "jax.lax.reduce_window", in_jax),
        Contender("jax", "flax.linen.avg_pool", in_flax, DIVIDED),
    ),
    flops=partial(flops, 1),
    **SHARED,
)
