"""RMS normalisation: reference/rms_norm.py against each framework's layer and function.

Convention: γ x / √(mean x² + ε), all with ε = 1e-6 (the default of Keras and Flax; torch's is the machine
epsilon of the dtype). Keras's layer always has a scale; its function need not. Keras's LayerNormalization has
an argument rms_scaling, too, which is deprecated.
"""

import numpy as np

from gaugeblock import Case, Contender
from reference.rms_norm import rms_norm, rms_norm_vjp

SIZES = {
    "small": {"batch": 3, "time": 7, "width": 19},
    "one": {"batch": 2, "time": 1, "width": 1},
    "rows": {"batch": 1, "time": 4096, "width": 33},
    "llama": {"batch": 1, "time": 64, "width": 4096},
}
OPTIONS = {
    "plain": {},
    "no-scale": {"scale": False},
    "two-axes": {"axes": 2},
    "epsilon": {"eps": 1e-3},
}
REGIMES = {
    "typical": "seeded normal draws",
    "tiny": "rows of 1e-3: their mean square is of ε's size, so that it shows where ε stands",
    "large": "2e15 and more: squares reach 1e32, and the cube of 1/s lies below all numbers of float32",
}


def inputs(rng, *, batch, time, width, scale=True, axes=1, regime="typical", **option):
    x = rng.normal(size=(batch, time, width))
    x = {"typical": x, "tiny": 1e-3 * x, "large": 2e15 * np.sign(x) * (1 + np.abs(x))}[regime]
    gamma = 1 + 0.3 * rng.normal(size=x.shape[-axes:])
    return {"gamma": gamma} if scale else {}, {"x": x}


def in_torch(weights, *, axes=1, eps=1e-6, **option):
    import torch

    def run(params, x):
        return {"y": torch.nn.functional.rms_norm(x, x.shape[-axes:], params.get("gamma"), eps)}

    return dict(weights), run


def in_torch_module(weights, *, axes=1, eps=1e-6, scale=True, **option):
    import torch

    def run(params, x):
        norm = torch.nn.RMSNorm(x.shape[-axes:], eps, elementwise_affine=scale)
        return {"y": torch.func.functional_call(norm, params, (x,))}

    return {"weight": weights["gamma"]} if scale else {}, run


def in_keras(weights, *, axes=1, eps=1e-6, **option):
    import keras

    def run(params, x):
        axis = list(range(-axes, 0))
        return {"y": keras.ops.rms_normalization(x, params.get("gamma"), axis=axis, epsilon=eps)}

    return dict(weights), run


def in_keras_layer(weights, *, axes=1, eps=1e-6, **option):
    import keras

    norm = keras.layers.RMSNormalization(axis=list(range(-axes, 0)), epsilon=eps)
    norm.build((None, None, *weights["gamma"].shape)[-3:])
    return [weights["gamma"]], lambda params, x: {"y": norm.stateless_call(params, [], x)[0]}


def in_keras_layer_norm(weights, *, axes=1, eps=1e-6, **option):
    import warnings

    import keras

    warnings.filterwarnings("ignore", message="You passed `rms_scaling=True`")  # that it is deprecated
    norm = keras.layers.LayerNormalization(axis=list(range(-axes, 0)), epsilon=eps, rms_scaling=True)
    norm.build((None, None, *weights["gamma"].shape)[-3:])
    return [weights["gamma"]], lambda params, x: {"y": norm.stateless_call(params, [], x)[0]}


def in_flax(weights, *, axes=1, eps=1e-6, scale=True, **option):
    import flax.linen

    last = tuple(range(-axes, 0))
    norm = flax.linen.RMSNorm(epsilon=eps, use_scale=scale, reduction_axes=last, feature_axes=last)
    params = {"scale": weights["gamma"]} if scale else {}
    return params, lambda params, x: {"y": norm.apply({"params": params}, x)}


ALWAYS = {"no-scale": "always has a scale (see keras.ops.rms_normalization)"}

case = Case(
    name="rms-norm",
    title="RMS normalisation",
    reference=rms_norm,
    gradient=rms_norm_vjp,
    inputs=inputs,
    sizes=SIZES,
    options=OPTIONS,
    regimes=REGIMES,
    minor=True,
    contenders=(
        Contender("torch", "torch.nn.functional.rms_norm", in_torch),
        Contender("torch", "torch.nn.RMSNorm", in_torch_module),
        Contender("tensorflow", "keras.ops.rms_normalization", in_keras),
        Contender("tensorflow", "keras.layers.RMSNormalization", in_keras_layer, without=ALWAYS),
        Contender(
            "tensorflow",
            "keras.layers.LayerNormalization",
            in_keras_layer_norm,
            without=ALWAYS,
            variant="rms_scaling=True",
        ),
        Contender("jax", "flax.linen.RMSNorm", in_flax),
    ),
    items=lambda *, batch, time, **_: batch * time,
    unit="tokens",
    flops=lambda *, batch, time, width, **_: 4 * batch * time * width,
)
