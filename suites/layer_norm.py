"""Layer normalisation: reference/normalization.py against each framework's layer.

Convention: γ (x − μ) / √(σ² + ε) + β, all with ε = 1e-5 (their defaults: torch 1e-5, Keras 1e-3, Flax 1e-6).
By default Flax takes the variance as E[x²] − E[x]²; use_fast_variance=False centres first, as the others do.
"""

import math

from bench.case import Case, Contender, Limit
from reference.normalization import layer_norm, layer_norm_vjp

SIZES = {
    "small": {"batch": 3, "time": 7, "width": 19},
    "gpt2": {"batch": 8, "time": 1024, "width": 768},
    "7b": {"batch": 1, "time": 2048, "width": 4096},
}
OPTIONS = {
    "plain": {},
    "no-bias": {"bias": False},
    "two-axes": {"axes": 2},
    "epsilon": {"eps": 1e-3},
}
REGIMES = {
    "typical": "seeded normal draws",
    "large-mean": "rows of mean 1000: E[x²] − E[x]² cancels twenty bits, x − μ ten",
    "near-constant": "rows 1 + 1e-4 x: a variance far below ε and far below the mean's square",
}


def inputs(rng, *, batch, time, width, bias=True, axes=1, regime="typical", **option):
    x = rng.normal(size=(batch, time, width))
    x = {"typical": x, "large-mean": 1000 + x, "near-constant": 1 + 1e-4 * x}[regime]
    shape = (time, width)[-axes:]
    weights = {"gamma": 1 + 0.3 * rng.normal(size=shape), "beta": rng.normal(size=shape)}
    return weights if bias else {"gamma": weights["gamma"]}, {"x": x}


def in_torch(weights, *, eps=1e-5, **option):
    import torch

    shape = weights["gamma"].shape

    def run(params, x):
        return {"y": torch.nn.functional.layer_norm(x, shape, params["weight"], params.get("bias"), eps)}

    return named(weights, "weight"), run


def in_torch_module(weights, *, eps=1e-5, **option):
    import torch

    norm = torch.nn.LayerNorm(weights["gamma"].shape, eps=eps, bias="beta" in weights)
    return named(weights, "weight"), lambda params, x: {"y": torch.func.functional_call(norm, params, (x,))}


def in_keras(weights, *, eps=1e-5, **option):
    import keras

    shape = weights["gamma"].shape
    axes = list(range(-len(shape), 0))
    norm = keras.layers.LayerNormalization(axis=axes, epsilon=eps, center="beta" in weights)
    norm.build((None, None, *shape)[-3:])
    params = list(weights.values())  # gamma, beta: the order of norm.trainable_variables
    return params, lambda params, x: {"y": norm.stateless_call(params, [], x)[0]}


def in_flax(weights, *, eps=1e-5, fast=True, **option):
    import flax.linen

    axes = tuple(range(-weights["gamma"].ndim, 0))
    norm = flax.linen.LayerNorm(
        epsilon=eps,
        use_bias="beta" in weights,
        reduction_axes=axes,
        feature_axes=axes,
        use_fast_variance=fast,
    )
    return named(weights, "scale"), lambda params, x: {"y": norm.apply({"params": params}, x)}


def in_flax_two_pass(weights, **option):
    return in_flax(weights, fast=False, **option)


def named(weights, gamma):
    """torch's and Flax's names of the weights: β is their bias."""
    names = {"gamma": gamma, "beta": "bias"}
    return {names[name]: array for name, array in weights.items()}


ALL_BUT_BFLOAT16 = ("float64", "float32", "float16")  # of a mean of 1000 it leaves nothing to cancel
MEAN, CONSTANT = {"regime": "large-mean"}, {"regime": "near-constant"}
FORWARD, GRADIENT = {"direction": "forward"}, {"direction": "gradient"}
UNCENTRED = {**GRADIENT, "regime": ("large-mean", "near-constant")}
TORCH = ("torch.nn.functional.layer_norm", "torch.nn.LayerNorm")
KERAS = {"tensorflow": "==2.21.*", "keras-torch": "==2.13.*", "keras-jax": "==0.10.*"}
FLAX = {
    "contender": "flax.linen.LayerNorm",
}
FLAX_WHY = "takes the variance as E[x²] − E[x]² by default (use_fast_variance), which cancels"
FLAX_WHERE = "flax/linen/normalization.py:142"
ONNX_WHY = "takes ε from an attribute, and ONNX keeps attributes in float32"
ONNX_WHERE = "onnx/onnx.proto:184 (1.23.2)"
DEFAULT, LARGER = ("plain", "no-bias", "two-axes"), ("gpt2", "7b")
LIMITS = (
    *(
        Limit("onnxruntime", "==1.32.*", ONNX_WHY, ONNX_WHERE, z, {"dtype": "float64", **cells}, always)
        for z, cells, always in (
            ((100, 1000), {"size": "small", "regime": "typical", "option": DEFAULT}, True),
            ((40, 400), {"size": LARGER, "regime": "typical", "option": DEFAULT[:2]}, True),
            (
                (1, 10),
                {"size": LARGER, "regime": "typical", "option": "two-axes"},
                False,
            ),  # long rows hide it
            ((4e4, 4e5), {"size": "small", "regime": "typical", "option": "epsilon"}, True),
            ((8e3, 8e4), {"size": LARGER, "regime": "typical", "option": "epsilon"}, True),
            ((1.5e3, 1.5e4), {"size": "small", **CONSTANT}, True),
            ((2e2, 2e3), {"size": LARGER, **CONSTANT}, True),
        )
    ),
    Limit("jax", "==0.10.*", FLAX_WHY, FLAX_WHERE, (3e2, 3e3), FLAX | MEAN | FORWARD),
    Limit("jax", "==0.10.*", FLAX_WHY, FLAX_WHERE, (1e3, 1e4), FLAX | MEAN | GRADIENT),
    # a row whose variance has cancelled to almost nothing outweighs all others
    Limit("jax", "==0.10.*", FLAX_WHY, FLAX_WHERE, (1e4, 1e5), FLAX | MEAN | GRADIENT, always=False),
    Limit("jax", "==0.10.*", FLAX_WHY, FLAX_WHERE, (3, 30), FLAX | CONSTANT | FORWARD),
    Limit("jax", "==0.10.*", FLAX_WHY, FLAX_WHERE, (1e4, 1e5), FLAX | CONSTANT | GRADIENT),
    Limit(
        "torch",
        "==2.13.*",
        "dx is a dy + b x + c with sums of dy x in b and c: uncentred, parts of the mean's size cancel",
        "aten/src/ATen/native/cpu/layer_norm_kernel.cpp, LayerNormBackwardKernelImplInternal",
        (0.35, 3.5),
        {**UNCENTRED, "contender": TORCH, "device": "cpu", "dtype": ALL_BUT_BFLOAT16},
        always=False,  # few elements are outside, and in a lucky draw none
    ),
    Limit(
        "torch",
        "==2.13.*",
        "dγ sums dy (x a + b) with b = -μ/√(σ² + ε) rounded: of a row's constant part u |μ|/√ε is left over",
        "aten/src/ATen/native/cpu/layer_norm_kernel.cpp, layer_norm_backward_frame: dgamma_data",
        (math.inf, math.inf),
        {**GRADIENT, "size": "batch:1+time:1+width:1", "device": "cpu", "mode": "eager"},
        always=False,  # some draws round to nothing
    ),
    *(
        Limit(
            backend,
            versions,
            "y is x a + (β − μ a): uncentred, two parts of the gradient of the mean's size cancel",
            "keras/src/ops/nn.py:3191",
            (0.3, 3),
            {**UNCENTRED, "contender": "keras.layers.LayerNormalization"},
            always=False,  # the same
        )
        for backend, versions in KERAS.items()
    ),
    *(
        Limit(
            backend,
            versions,
            "y is x a + (β − μ a): of a lone element, which is its mean, a rounding of μ a is left over",
            "keras/src/ops/nn.py:3191",
            (math.inf, math.inf),
            {
                "contender": "keras.layers.LayerNormalization",
                "size": "batch:1+time:1+width:1",
                "direction": "forward",
            },
            always=False,
        )
        for backend, versions in KERAS.items()
    ),
)

case = Case(
    name="layer-norm",
    title="Layer normalisation",
    reference=layer_norm,
    gradient=layer_norm_vjp,
    inputs=inputs,
    sizes=SIZES,
    options=OPTIONS,
    regimes=REGIMES,
    limits=LIMITS,
    rare=("no-bias", "two-axes", "epsilon", "near-constant"),
    contenders=(
        Contender("torch", "torch.nn.functional.layer_norm", in_torch),
        Contender("torch", "torch.nn.LayerNorm", in_torch_module),
        Contender("tensorflow", "keras.layers.LayerNormalization", in_keras),
        Contender("jax", "flax.linen.LayerNorm", in_flax),
        Contender("jax", "flax.linen.LayerNorm", in_flax_two_pass, variant="use_fast_variance=False"),
    ),
    items=lambda *, batch, time, **_: batch * time,
    unit="tokens",
    flops=lambda *, batch, time, width, **_: 7 * batch * time * width,
)
