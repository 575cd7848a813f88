"""Convolution of images that go on beyond their edges: reference/edges.py against each framework's layer.

By reflection, by their outermost pixels, or in a circle, as torch and Flax have them; layers of Keras and
TensorFlow pad with zeros only. Both pad first: torch with the margins that it is given, Flax with those that
keep the size of an image. Images are channels last, of which torch reads a permuted view. See
suites/conv2d.py for zeros.
"""

from gaugeblock import Case, Contender, Option
from reference.edges import edge_convolution, edge_convolution_vjp
from suites.conv2d import inputs, torch_layout

SIZES = {
    "small": {"batch": 3, "height": 6, "width": 5, "channels": 4, "kernels": 6, "kernel": (3, 2)},
    "wide-kernel": {"batch": 2, "height": 5, "width": 7, "channels": 2, "kernels": 2, "kernel": (5, 4)},
    "pointwise": {"batch": 2, "height": 3, "width": 4, "channels": 8, "kernels": 4, "kernel": (1, 1)},
    "large": {"batch": 4, "height": 33, "width": 33, "channels": 32, "kernels": 32, "kernel": (3, 3)},
}
OPTIONS: dict[str, Option] = {
    "circular": {"edge": "circular"},
    "reflect": {"edge": "reflect"},
    "replicate": {"edge": "replicate"},
    "circular-margins": {"edge": "circular", "padding": (2, 1), "stride": 2},
    "reflect-margins": {"edge": "reflect", "padding": (1, 2), "dilation": (1, 2)},
    "replicate-margins": {"edge": "replicate", "padding": 2, "stride": (2, 1)},
    "circular-strided": {"edge": "circular", "stride": 2},
    "reflect-strided": {"edge": "reflect", "stride": (1, 2)},
    "circular-dilated": {"edge": "circular", "dilation": 2},
    "reflect-dilated": {"edge": "reflect", "dilation": 2},
    "replicate-dilated": {"edge": "replicate", "dilation": 2},
    "circular-grouped": {"edge": "circular", "groups": 2},
    "reflect-grouped-no-shift": {"edge": "reflect", "groups": 2, "bias": False},
}


def in_torch(weights, *, edge, padding="same", stride=1, dilation=1, groups=1, **option):
    import torch

    r, s, e, o = weights["W"].shape
    how = {"padding_mode": edge, "bias": "b" in weights}
    layer = torch.nn.Conv2d(e * groups, o, (r, s), stride, padding, dilation, groups, **how)

    def run(params, x):
        y = torch.func.functional_call(layer, params, (x.permute(0, 3, 1, 2),))  # (n, o, p, q)
        return {"y": y.permute(0, 2, 3, 1)}

    return torch_layout(weights), run


def in_flax(weights, *, edge, stride=1, dilation=1, groups=1, **option):
    import flax.linen

    r, s, _, o = weights["W"].shape
    more = {"kernel_dilation": dilation, "feature_group_count": groups, "use_bias": "b" in weights}
    layer = flax.linen.Conv(o, (r, s), stride, edge.upper(), param_dtype=weights["W"].dtype, **more)
    params = {{"W": "kernel", "b": "bias"}[name]: array for name, array in weights.items()}
    return params, lambda params, x: {"y": layer.apply({"params": params}, x)}


def outputs(n, k, p, s, d, same):
    """The number of places on an axis."""
    return (n - 1) // s + 1 if same else (n + 2 * p - (k - 1) * d - 1) // s + 1


def flops(*, batch, height, width, channels, kernels, kernel, padding="same", groups=1, **option):
    places = batch
    for n, k, i in zip((height, width), kernel, (0, 1), strict=True):
        p, s, d = (
            each[i] if isinstance(each, tuple) else each
            for each in (padding, option.get("stride", 1), option.get("dilation", 1))
        )
        places *= outputs(n, k, p, s, d, padding == "same")
    return 2 * places * kernels * kernel[0] * kernel[1] * channels // groups


STRIDED = {
    name: "padding='same' is not supported for strided convolutions"
    for name in ("circular-strided", "reflect-strided")
}
MARGINS = {name: "has no margins with an edge" for name in OPTIONS if name.endswith("margins")}
NO_COPY = {name: "does not repeat the outermost pixels" for name in ("replicate", "replicate-dilated")}

case = Case(
    name="edge-convolution",
    title="Convolution of images beyond their edges",
    reference=edge_convolution,
    gradient=edge_convolution_vjp,
    inputs=inputs,
    sizes=SIZES,
    options=OPTIONS,
    minor=True,
    integers={"circular": 12, "reflect": 12, "replicate": 12},
    contenders=(
        Contender("torch", "torch.nn.Conv2d", in_torch, without=STRIDED),
        Contender("jax", "flax.linen.Conv", in_flax, without=MARGINS | NO_COPY),
    ),
    items=lambda *, batch, **_: batch,
    unit="images",
    flops=flops,
)
