"""Convolution of images: stride, padding, dilation and groups, against each framework's layer and function.

Images are channels last. torch reads a permuted view, which is its channels-last memory format:
torch.nn.Conv2d computes in that format, torch.nn.functional.conv2d on a contiguous copy, so that both of
torch's kernels are judged (its time includes the copy). Kernels are (r, s, c, o), in torch (o, c, r, s). The
page is long because it tests six APIs with combinations of five options, and each API lacks some of them.
"""

from gaugeblock import Case, Contender, Headline, Option, Refusal, pairs
from reference.convolution import conv2d, conv2d_vjp, margins, pair


def inputs(
    rng, *, batch, height, width, channels, kernels, kernel, groups=1, bias=True, regime="typical", **option
):
    r, s = kernel
    W = rng.normal(size=(r, s, channels // groups, kernels)) / (r * s * channels // groups) ** 0.5
    x = rng.normal(size=(batch, height, width, channels))
    if regime == "pixels":
        x = rng.integers(0, 256, size=x.shape).astype(float)
    b = rng.normal(size=kernels)
    return {"W": W, "b": b} if bias else {"W": W}, {"x": x}


def torch_layout(weights):
    params = {"weight": weights["W"].transpose(3, 2, 0, 1)}  # (o, e, r, s)
    return params | ({"bias": weights["b"]} if "b" in weights else {})


def in_torch(weights, *, stride=1, padding=0, dilation=1, groups=1, **option):
    import torch

    def run(params, x):
        x, p = x.permute(0, 3, 1, 2).contiguous(), padding  # (n, c, h, w)
        if padding == "same" and stride != 1:  # torch refuses this: its users pad first
            kernel = params["weight"].shape[2:]
            rows, columns = margins(x.shape[2:], kernel, pair(stride), padding, pair(dilation))
            x, p = torch.nn.functional.pad(x, (*columns, *rows)), 0
        y = torch.nn.functional.conv2d(x, params["weight"], params.get("bias"), stride, p, dilation, groups)
        return {"y": y.permute(0, 2, 3, 1)}

    return torch_layout(weights), run


def in_torch_layer(weights, *, stride=1, padding=0, dilation=1, groups=1, **option):
    import torch

    r, s, e, o = weights["W"].shape
    layer = torch.nn.Conv2d(e * groups, o, (r, s), stride, padding, dilation, groups, "b" in weights)

    def run(params, x):
        y = torch.func.functional_call(layer, params, (x.permute(0, 3, 1, 2),))  # (n, o, p, q)
        return {"y": y.permute(0, 2, 3, 1)}

    return torch_layout(weights), run


def in_tensorflow(weights, *, stride=1, padding=0, dilation=1, groups=1, **option):
    import tensorflow as tf

    (p, q), ends = (0, 0) if padding == "same" else pair(padding), "SAME" if padding == "same" else "VALID"
    if p or q:
        ends = [[0, 0], [p, p], [q, q], [0, 0]]

    def run(params, x):  # TensorFlow reads the groups from the shapes
        y = tf.nn.conv2d(x, params["W"], stride, ends, dilations=dilation)
        return {"y": y + params["b"] if "b" in params else y}

    return dict(weights), run


def in_keras(weights, *, stride=1, padding=0, dilation=1, groups=1, **option):
    import keras

    r, s, e, o = weights["W"].shape
    how = "same" if padding == "same" else "valid"
    more = {"dilation_rate": dilation, "groups": groups, "use_bias": "b" in weights}
    layer = keras.layers.Conv2D(o, (r, s), stride, how, **more)
    layer.build((None, None, None, e * groups))
    margin = (
        None if padding in (0, "same") else keras.layers.ZeroPadding2D(padding)
    )  # the layer pads only "same"

    def run(params, x):
        x = margin(x) if margin else x
        return {"y": layer.stateless_call(params, [], x)[0]}

    return list(weights.values()), run


def in_jax(weights, *, stride=1, padding=0, dilation=1, groups=1, **option):
    import jax

    ends = "SAME" if padding == "same" else [(p, p) for p in pair(padding)]
    more = {"rhs_dilation": pair(dilation), "feature_group_count": groups}
    axes = ("NHWC", "HWIO", "NHWC")

    def run(params, x):
        y = jax.lax.conv_general_dilated(x, params["W"], pair(stride), ends, dimension_numbers=axes, **more)
        return {"y": y + params["b"] if "b" in params else y}

    return dict(weights), run


def in_flax(weights, *, stride=1, padding=0, dilation=1, groups=1, **option):
    import flax.linen

    r, s, _, o = weights["W"].shape
    ends = "SAME" if padding == "same" else [(p, p) for p in pair(padding)]
    more = {"kernel_dilation": pair(dilation), "feature_group_count": groups, "use_bias": "b" in weights}
    layer = flax.linen.Conv(o, (r, s), pair(stride), ends, param_dtype=weights["W"].dtype, **more)
    params = {{"W": "kernel", "b": "bias"}[name]: array for name, array in weights.items()}
    return params, lambda params, x: {"y": layer.apply({"params": params}, x)}


def outputs(*, height, width, kernel, stride=1, padding=0, dilation=1, **_):
    """The number of output pixels of one image."""
    ends = margins((height, width), kernel, pair(stride), padding, pair(dilation))
    axes = zip((height, width), kernel, pair(stride), pair(dilation), ends, strict=True)
    p, q = ((n + before + after - (k - 1) * d - 1) // s + 1 for n, k, s, d, (before, after) in axes)
    return p * q


def flops(*, batch, channels, kernels, kernel, groups=1, **rest):
    each = 2 * kernel[0] * kernel[1] * channels // groups
    return batch * outputs(kernel=kernel, **rest) * kernels * each


NAMED: dict[str, Option] = {
    "plain": {},
    "padded": {"padding": (2, 1), "stride": 2},
    "same": {"padding": "same", "stride": 2},
    "same-size": {"padding": "same"},
    "dilated": {"dilation": 2, "padding": "same"},
    "grouped": {"groups": 2},
}
PAIRS = pairs(
    {
        "stride": (1, 2, (2, 1)),
        "padding": (0, (2, 1), "same"),
        "dilation": (1, 2),
        "groups": (1, 2),
        "bias": (True, False),
    }
)
OPTIONS = NAMED | PAIRS


def those(reason, **wanted):
    """The options that meet all of these conditions, each with the reason."""
    return {
        name: reason
        for name, option in OPTIONS.items()
        if all(holds(option.get(keyword)) for keyword, holds in wanted.items())
    }


def some(value):
    return value not in (None, 1)


# Without XLA or oneDNN (float32 and bfloat16 only, and off on many CPUs) TensorFlow's CPU kernels have no
# such gradients: "Gradients for grouped convolutions are not supported on CPU" (tensorflow#50397),
# "Current CPU implementations do not yet support dilation rates larger than 1" (tensorflow#28264). Either of
# two gradients may raise first, and a grouped one may only report that filter_size has too few elements.
REFUSED = [
    Refusal(f"{option}/{mode}/cpu/{dtype}/gradient", "Conv2DBackprop", when)
    for option in those("", dilation=some) | those("", groups=some)
    for dtype, when in (
        ("float64", {}),
        ("float16", {}),
        ("float32", {"onednn": False}),
        ("bfloat16", {"onednn": False}),
    )
    for mode in ("eager", "function")
] + [  # and oneDNN takes a dilation only with padding "SAME" or "VALID"
    Refusal(f"{option}/{mode}/cpu/{dtype}/gradient", "do not yet support dilation rates", {"onednn": True})
    for option in those("", dilation=some, padding=lambda p: p not in (None, "same"))
    for dtype in ("float32", "bfloat16")
    for mode in ("eager", "function")
]
NOT_SAME = those(
    "padding='same' is not supported for strided convolutions", padding=lambda p: p == "same", stride=some
)
NOT_BOTH = those("takes a stride or a dilation, not both", stride=some, dilation=some)

case = Case(
    name="conv2d",
    title="Convolution of images",
    reference=conv2d,
    gradient=conv2d_vjp,
    inputs=inputs,
    sizes={
        "small": {"batch": 3, "height": 10, "width": 9, "channels": 4, "kernels": 6, "kernel": (3, 2)},
        "thin": {"batch": 1, "height": 1, "width": 17, "channels": 2, "kernels": 2, "kernel": (1, 3)},
        "pointwise": {"batch": 5, "height": 6, "width": 7, "channels": 32, "kernels": 16, "kernel": (1, 1)},
        "mission": {"batch": 32, "height": 13, "width": 13, "channels": 32, "kernels": 64, "kernel": (3, 3)},
        "resnet": {"batch": 8, "height": 56, "width": 56, "channels": 64, "kernels": 64, "kernel": (3, 3)},
        "large": {"batch": 5, "height": 33, "width": 33, "channels": 64, "kernels": 64, "kernel": (3, 3)},
    },
    options=OPTIONS,
    regimes={
        "typical": "seeded normal draws",
        "pixels": "whole numbers from 0 to 255, far from zero mean, where a transformed algorithm cancels",
    },
    rare=("pixels", "padded", *PAIRS),
    headlines=(
        Headline(
            "resnet",
            "3 × 3 convolution of ResNet-50, 8 images of 56 × 56 × 64",
            "He et al. 2015, table 1: the layers of conv2_x",
            option="same-size",
            direction="forward",
            growth=(
                {"batch": 1, "height": 14, "width": 14},
                {"batch": 1, "height": 28, "width": 28},
                {"batch": 2},
            ),
            gpu={"batch": 256},
            bits=4,
        ),
    ),
    integers={"plain": 12, "padded": 12, "same": 12, "same-size": 12, "dilated": 12, "grouped": 12},
    contenders=(
        Contender("torch", "torch.nn.functional.conv2d", in_torch),
        Contender("torch", "torch.nn.Conv2d", in_torch_layer, without=NOT_SAME),
        Contender("tensorflow", "tensorflow.nn.conv2d", in_tensorflow, refuses=REFUSED),
        Contender("tensorflow", "keras.layers.Conv2D", in_keras, without=NOT_BOTH),
        Contender("jax", "jax.lax.conv_general_dilated", in_jax),
        Contender("jax", "flax.linen.Conv", in_flax),
    ),
    items=lambda batch, **_: batch,
    unit="images",
    flops=flops,
)
