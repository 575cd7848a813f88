"""Batch normalisation in training, against each framework's layer and function.

Convention: reference/batch_norm.py; all with ε = 1e-5 (the default of torch and Flax; Keras 1e-3). torch's
running variance is unbiased and its momentum weights the new value; in Keras and Flax the variance is biased
and the momentum weights the old value: two cases. Images are channels last: torch.nn.BatchNorm2d reads a
permuted view (its channels-last format), torch.nn.functional.batch_norm a contiguous copy,
torch.nn.BatchNorm1d the pixels as rows. By default Flax computes the variance as E[x²] − E[x]². See
suites/batch_norm_inference.py for inference.
"""

from functools import partial

from gaugeblock import Case, Contender, require
from reference.batch_norm import batch_norm, batch_norm_vjp
from suites.layer_norm import named

SIZES = {
    "small": {"batch": 3, "height": 5, "width": 3, "channels": 33},
    "thin": {"batch": 1, "height": 1, "width": 33, "channels": 64},
    "rows": {"batch": 4099, "height": 1, "width": 1, "channels": 16},
    "resnet": {"batch": 8, "height": 28, "width": 28, "channels": 64},
}
REGIMES = {
    "typical": "seeded normal draws",
    "large-mean": "pixels of mean 100: E[x²] − E[x]² cancels thirteen bits, x − μ seven",
}


def inputs(rng, *, batch, height, width, channels, scale=True, shift=True, regime="typical", **option):
    x = rng.normal(size=(batch, height, width, channels))
    mean, variance = rng.normal(size=channels), rng.uniform(0.5, 2, size=channels)
    if regime == "large-mean":
        x, mean = 100 + x, 100 + mean
    weights = {"gamma": 1 + 0.3 * rng.normal(size=channels)} if scale else {}
    weights |= {"beta": rng.normal(size=channels)} if shift else {}
    return weights, {"x": x, "mean": mean, "variance": variance}


def outputs(y, running, training):
    mean, variance = running
    return {"y": y} | ({"mean": mean, "variance": variance} if training else {})


def in_torch(weights, *, training, momentum=0.1, eps=1e-5, **option):
    import torch

    def run(params, x, mean, variance):
        x, mean, variance = x.permute(0, 3, 1, 2).contiguous(), mean.clone(), variance.clone()
        affine = params.get("weight"), params.get("bias")
        y = torch.nn.functional.batch_norm(x, mean, variance, *affine, training, momentum, eps)
        return outputs(y.permute(0, 2, 3, 1), (mean, variance), training)

    return named(weights, "weight"), run


def in_torch_module(name, weights, *, training, momentum=0.1, eps=1e-5, scale=True, shift=True, **option):
    import torch

    alone = {"bias": False} if scale and not shift else {}
    require(f"torch.nn.{name}", *alone)

    def run(params, x, mean, variance):
        norm = getattr(torch.nn, name)(len(mean), eps, momentum, affine=scale, **alone).train(training)
        running = {"running_mean": mean.clone(), "running_var": variance.clone()}  # updated in place
        rows = x.permute(0, 3, 1, 2) if name == "BatchNorm2d" else x.reshape(-1, x.shape[-1])
        y = torch.func.functional_call(norm, params | running, (rows,))
        y = y.permute(0, 2, 3, 1) if name == "BatchNorm2d" else y.reshape(x.shape)
        return outputs(y, running.values(), training)

    return named(weights, "weight"), run


def in_keras(weights, *, training, momentum=0.1, eps=1e-5, scale=True, shift=True, **option):
    import keras

    norm = keras.layers.BatchNormalization(momentum=1 - momentum, epsilon=eps, center=shift, scale=scale)

    def run(params, x, mean, variance):
        if not norm.built:
            norm.build(x.shape)
        y, running = norm.stateless_call(params, [mean, variance], x, training=training)
        return outputs(y, running, training)

    return list(weights.values()), run  # gamma, beta: the order of norm.trainable_variables


def in_flax(weights, *, training, momentum=0.1, eps=1e-5, scale=True, shift=True, fast=True, **option):
    import flax.linen

    how = {"use_scale": scale, "use_bias": shift, "use_fast_variance": fast}
    norm = flax.linen.BatchNorm(use_running_average=not training, momentum=1 - momentum, epsilon=eps, **how)

    def run(params, x, mean, variance):
        variables = {"params": params, "batch_stats": {"mean": mean, "var": variance}}
        y, moved = norm.apply(variables, x, mutable=["batch_stats"])
        # with bfloat16 and float16 it keeps the statistics in float32
        running = [moved["batch_stats"][name].astype(x.dtype) for name in ("mean", "var")]
        return outputs(y, running, training)

    return named(weights, "scale"), run


BARE = {"momentum": 0.3, "eps": 1e-3, "scale": False, "shift": False}
COMMON = {
    "inputs": inputs,
    "sizes": SIZES,
    "regimes": REGIMES,
    "fixed": ("mean", "variance"),
    "minor": True,
    "items": lambda *, batch, **_: batch,
    "unit": "images",
    "flops": lambda *, batch, height, width, channels, training, **_: (
        (7 if training else 2) * batch * height * width * channels
    ),
}


def torch_modules(**keywords):
    return [
        Contender("torch", f"torch.nn.{name}", partial(in_torch_module, name), **keywords)
        for name in ("BatchNorm1d", "BatchNorm2d")
    ]


cases = (
    Case(
        name="batch-norm",
        title="Batch normalisation, unbiased running variance",
        reference=batch_norm,
        gradient=batch_norm_vjp,
        options={
            "plain": {"training": True},
            "bare": {"training": True, **BARE},
            "no-shift": {"training": True, "shift": False},
        },
        contenders=(Contender("torch", "torch.nn.functional.batch_norm", in_torch), *torch_modules()),
        **COMMON,
    ),
    Case(
        name="batch-norm-biased",
        title="Batch normalisation, biased running variance",
        reference=batch_norm,
        gradient=batch_norm_vjp,
        options={
            "plain": {"training": True, "unbiased": False},
            "bare": {"training": True, "unbiased": False, **BARE},
            "no-scale": {"training": True, "unbiased": False, "scale": False},
            "no-shift": {"training": True, "unbiased": False, "shift": False},
        },
        contenders=(
            Contender("tensorflow", "keras.layers.BatchNormalization", in_keras),
            Contender("jax", "flax.linen.BatchNorm", in_flax),
            Contender(
                "jax", "flax.linen.BatchNorm", partial(in_flax, fast=False), variant="use_fast_variance=False"
            ),
        ),
        **COMMON,
    ),
)
