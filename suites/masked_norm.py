"""Normalisation over any axis, with each weight or without, of some elements: reference/masked_norm.py.

Keras and Flax normalise the axis they are told, torch the last ones. Flax takes a mask of elements. All with
ε = 1e-5. See suites/layer_norm.py and suites/rms_norm.py for the last axes and all elements.
"""

from functools import partial

import numpy as np

from gaugeblock import Case, Contender, Option, Refusal
from reference.masked_norm import masked_norm, masked_norm_vjp

SIZES = {
    "small": {"batch": 3, "channels": 6, "width": 7},
    "square": {"batch": 2, "channels": 5, "width": 5},
    "large": {"batch": 8, "channels": 64, "width": 192},
}
OPTIONS: dict[str, Option] = {
    "last": {},
    "middle": {"axis": 1},
    "no-scale": {"scale": False},
    "no-scale-middle": {"scale": False, "axis": 1},
    "no-shift-middle": {"shift": False, "axis": 1},
    "bare": {"scale": False, "shift": False},
    "bare-middle": {"scale": False, "shift": False, "axis": 1},
    "some": {"masked": True},
    "some-middle": {"masked": True, "axis": 1},
    "some-bare": {"masked": True, "scale": False, "shift": False},
    "root": {"centred": False, "shift": False},
    "root-middle": {"centred": False, "shift": False, "axis": 1},
    "root-bare": {"centred": False, "shift": False, "scale": False},
    "some-root": {"masked": True, "centred": False, "shift": False},
}


def inputs(rng, *, batch, channels, width, axis=-1, masked=False, scale=True, shift=True, **option):
    x = rng.normal(size=(batch, channels, width)) + 0.5
    n = x.shape[axis]
    weights = {"gamma": 1 + 0.3 * rng.normal(size=n)} if scale else {}
    weights |= {"beta": rng.normal(size=n)} if shift else {}
    if not masked:
        return weights, {"x": x}
    seen = rng.uniform(size=x.shape) < 0.6
    np.moveaxis(seen, axis, -1)[..., :2] = True
    return weights, {"x": x, "seen": seen}


def in_torch(weights, *, centred=True, **option):
    import torch

    def run(params, x):
        width = x.shape[-1]
        if centred:
            how = {"elementwise_affine": "weight" in params, "bias": "bias" in params}
            norm = torch.nn.LayerNorm(width, 1e-5, **how)
        else:
            norm = torch.nn.RMSNorm(width, 1e-5, elementwise_affine="weight" in params)
        return {"y": torch.func.functional_call(norm, params, (x,))}

    return renamed(weights, "weight"), run


def in_keras(weights, *, axis=-1, centred=True, **option):
    import keras

    if centred:
        how = {"scale": "gamma" in weights, "center": "beta" in weights}
        norm = keras.layers.LayerNormalization(axis=axis, epsilon=1e-5, **how)
    else:
        norm = keras.layers.RMSNormalization(axis=axis, epsilon=1e-5)

    shape = [None, None, None]
    shape[axis] = len(next(iter(weights.values()))) if weights else None
    norm.build(shape)
    return list(weights.values()), lambda params, x: {"y": norm.stateless_call(params, [], x)[0]}


def in_flax(name, weights, *, axis=-1, fast=True, **option):
    import flax.linen

    how = {"use_scale": "gamma" in weights, "reduction_axes": axis, "feature_axes": axis}
    how |= {"use_bias": "beta" in weights, "use_fast_variance": fast} if name == "LayerNorm" else {}
    norm = getattr(flax.linen, name)(epsilon=1e-5, **how)
    return renamed(weights, "scale"), lambda params, x, seen=None: {
        "y": norm.apply({"params": params}, x, mask=seen)
    }


def renamed(weights, gamma):
    names = {"gamma": gamma, "beta": "bias"}
    return {names[name]: array for name, array in weights.items()}


def lacking(fits, reason):
    return {name: reason for name, how in OPTIONS.items() if fits(how)}


NO_MASK = lacking(lambda how: "masked" in how, "takes no mask of elements")
NO_AXIS = lacking(lambda how: "axis" in how, "normalises the last axes")
UNCENTRED = lacking(lambda how: "centred" in how, "subtracts the mean")
CENTRED = lacking(lambda how: "centred" not in how, "does not subtract the mean")
SHIFT = lacking(lambda how: how.get("scale") is False and "shift" not in how, "has no shift without a scale")
SCALE = {"root-bare": "always has a scale"}

case = Case(
    name="masked-norm",
    title="Normalisation over an axis, of some elements",
    reference=masked_norm,
    gradient=masked_norm_vjp,
    inputs=inputs,
    sizes=SIZES,
    options=OPTIONS,
    minor=True,
    contenders=(
        Contender("torch", "torch.nn.LayerNorm", in_torch, NO_MASK | NO_AXIS | UNCENTRED | SHIFT),
        Contender("torch", "torch.nn.RMSNorm", in_torch, NO_MASK | NO_AXIS | CENTRED),
        Contender("tensorflow", "keras.layers.LayerNormalization", in_keras, NO_MASK | UNCENTRED),
        Contender(
            "tensorflow",
            "keras.layers.RMSNormalization",
            in_keras,
            NO_MASK | CENTRED | SCALE,
            refuses=[
                Refusal("root-middle/eager/*", "ncompatible shapes"),
                Refusal("root-middle/*", "must be equal"),
            ],
        ),
        Contender("jax", "flax.linen.LayerNorm", partial(in_flax, "LayerNorm"), UNCENTRED),
        Contender(
            "jax",
            "flax.linen.LayerNorm",
            partial(in_flax, "LayerNorm", fast=False),
            UNCENTRED,
            variant="use_fast_variance=False",
        ),
        Contender("jax", "flax.linen.RMSNorm", partial(in_flax, "RMSNorm"), CENTRED),
    ),
    items=lambda *, batch, **_: batch,
    unit="examples",
    flops=lambda *, batch, channels, width, **_: 7 * batch * channels * width,
)
