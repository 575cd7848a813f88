"""Separable convolution: a depthwise convolution, then one with kernels of one pixel, in each framework.

TensorFlow and Keras have one API for both steps; users of torch and Flax chain two convolutions.
The depthwise kernels D are (r, s, c, m), the pointwise P is (c m, o); the bias belongs to the second step.
"""

from gaugeblock import Case, Contender
from reference.convolution import margins, pair
from reference.separable import separable_conv2d, separable_conv2d_vjp
from suites import depthwise_conv2d


def inputs(
    rng,
    *,
    batch,
    height,
    width,
    channels,
    kernels,
    kernel,
    multiplier=1,
    bias=True,
    regime="typical",
    **option,
):
    r, s = kernel
    D = rng.normal(size=(r, s, channels, multiplier)) / (r * s) ** 0.5
    P = rng.normal(size=(channels * multiplier, kernels)) / (channels * multiplier) ** 0.5
    x = rng.normal(size=(batch, height, width, channels))
    if regime == "bright-pixel":
        x[:, 0, 0] *= 1000
    return {"D": D, "P": P} | ({"b": rng.normal(size=kernels)} if bias else {}), {"x": x}


def in_torch(weights, *, stride=1, padding=0, dilation=1, multiplier=1, bias=True):
    import torch

    r, s, c, m = weights["D"].shape
    own = padding if padding != "same" or stride == 1 else 0  # torch refuses this: its users pad first
    step = torch.nn.Conv2d(c, c * m, (r, s), stride, own, dilation, groups=c, bias=False)
    model = torch.nn.Sequential(step, torch.nn.Conv2d(c * m, weights["P"].shape[1], 1, bias=bias))
    params = {
        "0.weight": weights["D"].transpose(2, 3, 0, 1).reshape(c * m, 1, r, s),
        "1.weight": weights["P"].T[:, :, None, None],  # (o, c m, 1, 1)
    } | ({"1.bias": weights["b"]} if bias else {})

    def run(params, x):
        x = x.permute(0, 3, 1, 2)  # (n, c, h, w)
        if own != padding:
            rows, columns = margins(x.shape[2:], (r, s), pair(stride), padding, pair(dilation))
            x = torch.nn.functional.pad(x, (*columns, *rows))
        return {"y": torch.func.functional_call(model, params, (x,)).permute(0, 2, 3, 1)}

    return params, run


def in_tensorflow(weights, *, stride=1, padding=0, dilation=1, multiplier=1, bias=True):
    import tensorflow as tf

    strides, ends = (1, *pair(stride), 1), "SAME" if padding == "same" else "VALID"
    if padding not in (0, "same"):
        ends = [[0, 0], *([p, p] for p in pair(padding)), [0, 0]]

    def run(params, x):
        D, P = params["D"], params["P"]
        y = tf.nn.separable_conv2d(x, D, P[None, None], strides, ends, dilations=pair(dilation))
        return {"y": y + params["b"] if bias else y}

    return dict(weights), run


def in_keras(weights, *, stride=1, padding=0, dilation=1, multiplier=1, bias=True):
    import keras

    r, s, c, _ = weights["D"].shape
    how = "same" if padding == "same" else "valid"
    option = {"depth_multiplier": multiplier, "dilation_rate": dilation, "use_bias": bias}
    layer = keras.layers.SeparableConv2D(weights["P"].shape[1], (r, s), stride, how, **option)
    layer.build((None, None, None, c))
    margin = (
        None if padding in (0, "same") else keras.layers.ZeroPadding2D(padding)
    )  # the layer pads only "same"

    def run(params, x):
        x = margin(x) if margin else x
        return {"y": layer.stateless_call(params, [], x)[0]}

    return [weights["D"], weights["P"][None, None], *([weights["b"]] if bias else [])], run


def in_flax(weights, *, stride=1, padding=0, dilation=1, multiplier=1, bias=True):
    import flax.linen

    r, s, c, m = weights["D"].shape
    ends = "SAME" if padding == "same" else [(p, p) for p in pair(padding)]
    own = {"kernel_dilation": pair(dilation), "feature_group_count": c, "use_bias": False}
    kind = {"param_dtype": weights["D"].dtype}
    step = flax.linen.Conv(c * m, (r, s), pair(stride), ends, **own, **kind)
    point = flax.linen.Conv(weights["P"].shape[1], (1, 1), use_bias=bias, **kind)
    model = flax.linen.Sequential([step, point])
    params = {
        "layers_0": {"kernel": weights["D"].reshape(r, s, 1, c * m)},
        "layers_1": {"kernel": weights["P"][None, None]} | ({"bias": weights["b"]} if bias else {}),
    }
    return params, lambda params, x: {"y": model.apply({"params": params}, x)}


def flops(*, batch, channels, kernels, multiplier=1, **rest):
    deep = depthwise_conv2d.flops(batch=batch, channels=channels, multiplier=multiplier, **rest)
    r, s = rest["kernel"]
    return deep + deep // (r * s) * kernels


case = Case(
    name="separable-conv2d",
    title="Separable convolution of images",
    reference=separable_conv2d,
    gradient=separable_conv2d_vjp,
    inputs=inputs,
    sizes={
        "small": {"batch": 2, "height": 8, "width": 9, "channels": 5, "kernels": 6, "kernel": (3, 2)},
        "thin": {"batch": 1, "height": 1, "width": 17, "channels": 1, "kernels": 1, "kernel": (1, 3)},
        "wide": {"batch": 2, "height": 5, "width": 5, "channels": 130, "kernels": 67, "kernel": (5, 5)},
        "xception": {
            "batch": 2,
            "height": 19,
            "width": 19,
            "channels": 128,
            "kernels": 128,
            "kernel": (3, 3),
        },
    },
    options={
        "plain": {},
        "padded": {"padding": (2, 1), "stride": 2},
        "same": {"padding": "same", "stride": 2},
        "dilated": {"dilation": (1, 2), "padding": "same"},
        "multiplied": {"multiplier": 3, "padding": "same"},
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
        Contender("torch", "torch.nn.Conv2d", in_torch),
        Contender(
            "tensorflow",
            "tensorflow.nn.separable_conv2d",
            in_tensorflow,
        ),
        Contender("tensorflow", "keras.layers.SeparableConv2D", in_keras),
        Contender("jax", "flax.linen.Conv", in_flax),
    ),
    items=lambda *, batch, **_: batch,
    unit="images",
    flops=flops,
)
