"""Pooling whose windows reach over the end, with a margin: reference/ceil_pooling.py against torch.

torch's ceil_mode with padding, dilation and count_include_pad in pairs. The images are of sizes where the
last window would start in the margin, and is left out, and of sizes where it is not. See
suites/average_pool.py and suites/max_pool.py for one of these at a time, and for the other frameworks, which
have no ceil_mode.
"""

from functools import partial

from gaugeblock import Case, Contender
from reference.ceil_pooling import ceil_max, ceil_max_vjp, ceil_mean, ceil_mean_vjp

SIZES = {
    "small": {"batch": 3, "height": 10, "width": 8, "channels": 4},
    "left-out": {"batch": 2, "height": 9, "width": 7, "channels": 3},
    "thin": {"batch": 1, "height": 5, "width": 17, "channels": 1},
    "large": {"batch": 4, "height": 56, "width": 57, "channels": 32},
}
OPTIONS = {
    "margin": {"size": 3, "stride": 2, "margin": 1},
    "no-margin": {"size": 3, "stride": 2},
    "margin-of-rows": {"size": (3, 2), "stride": (2, 3), "margin": (1, 0)},
    "stride-of-two": {"size": 2, "stride": 2, "margin": 1},
}
HOLES = {
    "dilated": {"size": 2, "stride": 2, "dilation": 2},
    "dilated-margin": {"size": 3, "stride": 2, "margin": 1, "dilation": 2},
}
COUNTS = {
    "uncounted": {"size": 3, "stride": 2, "margin": 1, "count_margin": False},
    "uncounted-no-margin": {"size": 3, "stride": 2, "count_margin": False},
    "divisor": {"size": 3, "stride": 2, "margin": 1, "divisor": 5},
    "divisor-uncounted": {"size": 3, "stride": 2, "margin": 1, "divisor": 5, "count_margin": False},
}


def inputs(rng, *, batch, height, width, channels, **option):
    return {}, {"x": rng.normal(size=(batch, height, width, channels))}


def in_torch(weights, *, kind, layer, size, stride, margin=0, dilation=1, count_margin=True, divisor=None):
    import torch

    if kind == "max":
        how = {"dilation": dilation}
    else:
        how = {"count_include_pad": count_margin, "divisor_override": divisor}
    how |= {"kernel_size": size, "stride": stride, "padding": margin, "ceil_mode": True}
    if layer:
        call = {"max": torch.nn.MaxPool2d, "avg": torch.nn.AvgPool2d}[kind](**how)
    else:
        call = partial(getattr(torch.nn.functional, f"{kind}_pool2d"), **how)
    return {}, lambda params, x: {"y": call(x.permute(0, 3, 1, 2)).permute(0, 2, 3, 1)}


def contenders(kind, name):
    apis = {f"torch.nn.functional.{kind}_pool2d": False, f"torch.nn.{name}": True}
    return [Contender("torch", api, partial(in_torch, kind=kind, layer=layer)) for api, layer in apis.items()]


COMMON = {
    "inputs": inputs,
    "sizes": SIZES,
    "minor": True,
    "items": lambda *, batch, **_: batch,
    "unit": "images",
    "flops": lambda *, batch, height, width, channels, **_: 3 * batch * height * width * channels,
}
cases = (
    Case(
        name="ceil-max-pool",
        title="Maximum pooling over the end",
        reference=ceil_max,
        gradient=ceil_max_vjp,
        options=OPTIONS | HOLES,
        integers={"margin": 18},
        contenders=contenders("max", "MaxPool2d"),
        **COMMON,
    ),
    Case(
        name="ceil-average-pool",
        title="Average pooling over the end",
        reference=ceil_mean,
        gradient=ceil_mean_vjp,
        options=OPTIONS | COUNTS,
        contenders=contenders("avg", "AvgPool2d"),
        **COMMON,
    ),
)
