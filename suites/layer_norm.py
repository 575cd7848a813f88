"""Layer normalisation: reference/normalization.py against each framework's layer.

Convention: γ (x − μ) / √(σ² + ε) + β, all with ε = 1e-5 (their defaults: torch 1e-5, Keras 1e-3, Flax 1e-6).
By default Flax computes the variance as E[x²] − E[x]²; use_fast_variance=False centres first, as others do.
"""

from gaugeblock import Case, Contender, Headline
from reference.normalization import layer_norm, layer_norm_vjp

SIZES = {
    "small": {"batch": 3, "time": 7, "width": 19},
    "gpt2": {"batch": 8, "time": 1024, "width": 768},
    "gpt2-context": {"batch": 2, "time": 1024, "width": 768},
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
    """The weights by torch's and Flax's names: β is their bias."""
    names = {"gamma": gamma, "beta": "bias"}
    return {names[name]: array for name, array in weights.items()}


case = Case(
    name="layer-norm",
    title="Layer normalisation",
    reference=layer_norm,
    gradient=layer_norm_vjp,
    inputs=inputs,
    sizes=SIZES,
    options=OPTIONS,
    regimes=REGIMES,
    rare=("no-bias", "two-axes", "epsilon", "near-constant"),
    headlines=(
        Headline(
            "gpt2-context",
            "layer norm of GPT-2 small, 2 × 1,024 tokens of width 768",
            "Radford et al. 2019: width 768, context 1,024",
            growth=({"batch": 1, "time": 32}, {"batch": 1, "time": 128}, {"batch": 1, "time": 512}),
            gpu={"batch": 64},
        ),
    ),
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
