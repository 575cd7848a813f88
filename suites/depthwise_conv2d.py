"""Depthwise convolution: each channel has its own kernels; against each framework's layer and function.

torch, JAX and Flax use a grouped convolution whose groups have one channel, so their builds are those of
suites/conv2d.py; TensorFlow and Keras have a separate API. Kernels are (r, s, c, m), with m kernels per
channel, whose outputs are adjacent.
"""

from functools import partial

from gaugeblock import Case, Contender, Refusal
from reference.convolution import pair
from reference.separable import depthwise_conv2d, depthwise_conv2d_vjp
from suites import conv2d


def inputs(
    rng, *, batch, height, width, channels, kernel, multiplier=1, bias=True, regime="typical", **option
):
    r, s = kernel
    W = rng.normal(size=(r, s, channels, multiplier)) / (r * s) ** 0.5
    x = rng.normal(size=(batch, height, width, channels))
    if regime == "bright-pixel":
        x[:, 0, 0] *= 1000
    return {"W": W} | ({"b": rng.normal(size=channels * multiplier)} if bias else {}), {"x": x}


def grouped(build):
    """The build of a grouped convolution with one channel per group."""

    def of(weights, *, multiplier=1, **option):
        r, s, c, m = weights["W"].shape
        return build({**weights, "W": weights["W"].reshape(r, s, 1, c * m)}, groups=c, **option)

    return of


def in_tensorflow(weights, *, stride=1, padding=0, dilation=1, multiplier=1, explicit=False, **option):
    import tensorflow as tf

    strides, dilations = (1, *pair(stride), 1), pair(dilation)
    margin = [[0, 0], *([p, p] for p in pair(padding)), [0, 0]] if padding != "same" else None
    ends = "SAME" if padding == "same" else margin if explicit else "VALID"

    def run(params, x):
        x = tf.pad(x, margin) if ends == "VALID" and padding else x
        y = tf.nn.depthwise_conv2d(x, params["W"], strides, ends, dilations=dilations)
        return {"y": y + params["b"] if "b" in params else y}

    return dict(weights), run


def in_keras(weights, *, stride=1, padding=0, dilation=1, multiplier=1, bias=True):
    import keras

    r, s, c, _ = weights["W"].shape
    how = "same" if padding == "same" else "valid"
    option = {"dilation_rate": dilation, "use_bias": bias}
    layer = keras.layers.DepthwiseConv2D((r, s), stride, how, multiplier, **option)
    layer.build((None, None, None, c))
    margin = (
        None if padding in (0, "same") else keras.layers.ZeroPadding2D(padding)
    )  # the layer pads only "same"

    def run(params, x):
        x = margin(x) if margin else x
        return {"y": layer.stateless_call(params, [], x)[0]}

    return list(weights.values()), run


def flops(*, batch, channels, kernel, multiplier=1, **rest):
    each = 2 * kernel[0] * kernel[1]
    return batch * conv2d.outputs(kernel=kernel, **rest) * channels * multiplier * each


UNPADDED = {"same": "padding='same' is not supported for strided convolutions"}
# TensorFlow's own kernel has one stride; XLA and oneDNN (float32 and bfloat16 only) have two.
EVEN = "equal length strides"
UNEVEN = [
    Refusal(f"uneven/{mode}/cpu/{dtype}/*", EVEN, when)
    for mode in ("eager", "function")
    for dtype, when in (("float64", {}), ("float16", {}), ("*", {"onednn": False}))
]
# A graph fuses the shift into the float32 kernel of oneDNN. With explicit margins it ends the process:
# "tensor_format.h:428 Check failed: … Invalid index from the dimension", so nothing runs it there.
EXPLICIT = ("eager", "xla")

case = Case(
    name="depthwise-conv2d",
    title="Depthwise convolution of images",
    reference=depthwise_conv2d,
    gradient=depthwise_conv2d_vjp,
    inputs=inputs,
    sizes={
        "small": {"batch": 2, "height": 8, "width": 9, "channels": 5, "kernel": (3, 2)},
        "thin": {"batch": 1, "height": 1, "width": 17, "channels": 1, "kernel": (1, 3)},
        "wide": {"batch": 2, "height": 7, "width": 7, "channels": 259, "kernel": (5, 5)},
        "mobilenet": {"batch": 2, "height": 28, "width": 28, "channels": 128, "kernel": (3, 3)},
    },
    options={
        "plain": {},
        "padded": {"padding": (2, 1), "stride": 2},
        "same": {"padding": "same", "stride": 2},
        "dilated": {"dilation": (1, 2), "padding": "same"},
        "multiplied": {"multiplier": 3, "padding": 1},
        "uneven": {"stride": (2, 1), "padding": (1, 2)},
        "dilated-strided": {"stride": 2, "dilation": 2, "padding": 2},
        "no-shift": {"padding": 1, "bias": False},
    },
    regimes={
        "typical": "seeded normal draws",
        "bright-pixel": "one corner times a thousand, which a transform of the whole image spreads over it",
    },
    rare=("bright-pixel",),
    minor=True,
    contenders=(
        Contender("torch", "torch.nn.functional.conv2d", grouped(conv2d.in_torch)),
        Contender("torch", "torch.nn.Conv2d", grouped(conv2d.in_torch_layer), without=UNPADDED),
        Contender("tensorflow", "tensorflow.nn.depthwise_conv2d", in_tensorflow, refuses=UNEVEN),
        Contender(
            "tensorflow",
            "tensorflow.nn.depthwise_conv2d",
            partial(in_tensorflow, explicit=True),
            modes=EXPLICIT,
            variant="explicit",
            refuses=[
                *(
                    Refusal(f"uneven/eager/cpu/{cells}", EVEN)
                    for cells in ("float64/*", "float16/*", "float32/gradient", "bfloat16/gradient")
                ),
                Refusal("uneven/eager/cpu/*", EVEN, {"onednn": False}),
            ],
        ),
        Contender("tensorflow", "keras.layers.DepthwiseConv2D", in_keras, refuses=UNEVEN),
        Contender("jax", "jax.lax.conv_general_dilated", grouped(conv2d.in_jax)),
        Contender("jax", "flax.linen.Conv", grouped(conv2d.in_flax)),
    ),
    items=lambda *, batch, **_: batch,
    unit="images",
    flops=flops,
)
