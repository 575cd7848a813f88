"""Maximum pooling of images, against each framework's layer and function.

Images are channels last; torch reads a permuted view. A maximum pads with -∞, which Keras, whose users pad
with zeros, does not have. torch's ceil_mode ("ceil") pads only at the end of an axis. Of equal pixels the
first gets the whole gradient ("ties").
"""

from functools import partial

from gaugeblock import Case, Contender, Headline, Refusal
from reference.convolution import margins, pair
from reference.pooling import max_pool, max_pool_vjp
from suites.conv2d import outputs


def inputs(rng, *, batch, height, width, channels, regime="typical", **option):
    x = rng.normal(size=(batch, height, width, channels))
    return {}, {"x": rng.integers(-2, 3, size=x.shape).astype(float) if regime == "ties" else x}


def torch_margin(x, size, stride, padding):
    """The padding of both ends, and ceil_mode, as arguments for torch."""
    ends = margins(x.shape[2:], pair(size), pair(stride or size), padding)
    return (ends[0][0], ends[1][0]), any(before < after for before, after in ends)


def in_torch(weights, *, size=2, stride=None, padding=0, dilation=1):
    import torch

    def run(params, x):
        x = x.permute(0, 3, 1, 2)  # (n, c, h, w)
        p, ceil = torch_margin(x, size, stride, padding)
        y = torch.nn.functional.max_pool2d(x, size, stride, p, dilation, ceil)
        return {"y": y.permute(0, 2, 3, 1)}

    return {}, run


def in_torch_layer(weights, *, size=2, stride=None, padding=0, dilation=1):
    import torch

    p, ceil = (0, True) if padding == "ceil" else (padding, False)
    layer = torch.nn.MaxPool2d(size, stride, p, dilation, ceil_mode=ceil)
    return {}, lambda params, x: {"y": layer(x.permute(0, 3, 1, 2)).permute(0, 2, 3, 1)}


def explicit(x, size, stride, padding, dilation=1):
    """The padding of all four axes, as arguments for TensorFlow and JAX."""
    return [(0, 0), *margins(x.shape[1:3], pair(size), pair(stride or size), padding, pair(dilation)), (0, 0)]


def in_tensorflow(weights, *, size=2, stride=None, padding=0):
    import tensorflow as tf

    ends = {"same": "SAME", 0: "VALID"}.get(padding)

    def run(params, x):
        margin = ends or explicit(x, size, stride, padding)
        return {"y": tf.nn.max_pool2d(x, size, stride or size, margin)}

    return {}, run


def in_keras(weights, *, size=2, stride=None, padding=0):
    import keras

    layer = keras.layers.MaxPooling2D(size, stride, "same" if padding == "same" else "valid")
    return {}, lambda params, x: {"y": layer(x)}


def in_jax(weights, *, size=2, stride=None, padding=0, dilation=1):
    import jax
    import jax.numpy as jnp

    window, strides, holes = (1, *pair(size), 1), (1, *pair(stride or size), 1), (1, *pair(dilation), 1)

    def run(params, x):
        ends = "SAME" if padding == "same" else explicit(x, size, stride, padding, dilation)
        how = {"window_dilation": holes}
        return {"y": jax.lax.reduce_window(x, -jnp.inf, jax.lax.max, window, strides, ends, **how)}

    return {}, run


def in_flax(weights, *, size=2, stride=None, padding=0):
    import flax.linen

    def run(params, x):
        ends = "SAME" if padding == "same" else explicit(x, size, stride, padding)[1:3]
        return {"y": flax.linen.max_pool(x, pair(size), pair(stride or size), ends)}

    return {}, run


def flops(quotients, *, batch, channels, size=2, stride=None, **rest):
    r, s = pair(size)
    windows = outputs(kernel=(r, s), stride=stride or size, **rest)
    return batch * windows * channels * (r * s - 1 + quotients)


SHARED = {
    "inputs": inputs,
    "sizes": {
        "small": {"batch": 3, "height": 9, "width": 8, "channels": 4},
        "thin": {"batch": 1, "height": 3, "width": 17, "channels": 1},
        "mission": {"batch": 32, "height": 26, "width": 26, "channels": 32},
        "resnet": {"batch": 8, "height": 112, "width": 112, "channels": 64},
        "large": {"batch": 4, "height": 57, "width": 57, "channels": 64},
    },
    "items": lambda *, batch, **_: batch,
    "unit": "images",
}
PADDED = {"size": 3, "stride": 2, "padding": 1}
SAME = {"size": 3, "stride": 2, "padding": "same"}
CEIL = {"size": 3, "stride": 2, "padding": "ceil"}
MARGIN = "has no margin but 'same', and a margin of zeros is not one of -∞"
UNDILATED = {"dilated": "has no dilation"}
UNPADDED = {"padded": MARGIN, "ceil": MARGIN} | UNDILATED
UNLIKE = {"same": "has no padding='same': one number is the margin of both ends"}
NO_XLA = [
    Refusal(f"{option}/xla/*", "XLA does not support pooling ops with explicit padding")
    for option in ("padded", "ceil")
]

case = Case(
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
    headlines=(
        Headline(
            "resnet",
            "3 × 3 maximum pooling of ResNet-50, 8 images of 112 × 112 × 64",
            "He et al. 2015, table 1: the pool before conv2_x",
            option="padded",
            direction="forward",
            growth=(
                {"batch": 1, "height": 28, "width": 28},
                {"batch": 1, "height": 56, "width": 56},
                {"batch": 2},
            ),
            gpu={"batch": 256},
            bits=12,
        ),
    ),
    integers={"plain": 18, "padded": 18, "same": 18},
    contenders=(
        Contender("torch", "torch.nn.functional.max_pool2d", in_torch),
        Contender("torch", "torch.nn.MaxPool2d", in_torch_layer, UNLIKE),
        Contender("tensorflow", "tensorflow.nn.max_pool2d", in_tensorflow, UNDILATED, refuses=NO_XLA),
        Contender("tensorflow", "keras.layers.MaxPooling2D", in_keras, UNPADDED),
        Contender(
            "jax",
            "jax.lax.reduce_window",
            in_jax,
            refuses=[Refusal("dilated/*/gradient", "VJP not implemented for select_and_gather")],
        ),
        Contender("jax", "flax.linen.max_pool", in_flax, UNDILATED),
    ),
    flops=partial(flops, 0),
    **SHARED,
)
