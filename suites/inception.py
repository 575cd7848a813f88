"""The Inception module: four branches of convolutions, batch norms and ReLUs, as users nest layers.

The convention is reference/inception.py. `mean` and `variance` have the channels of all units, in the
order of the branches. torch's running variance is unbiased, that of Keras and Flax is biased: two options.
"module-3a" is the first module of GoogLeNet (table 1 of the paper), with two images.
"""

import numpy as np

from gaugeblock import Case, Contender, Refusal
from reference.inception import inception, inception_vjp
from suites.layers.inception import (
    draw,
    flax_module,
    flax_moved,
    flax_names,
    flax_statistics,
    keras_module,
    keras_moved,
    keras_names,
    keras_statistics,
    named,
    statistics,
    torch_buffers,
    torch_module,
    torch_moved,
    torch_names,
)


def inputs(rng, *, batch, image, channels, regime="typical", training, unbiased=None, **size):
    weights = draw(rng, channels, **size)
    x = rng.normal(size=(batch, image, image, channels))
    if regime == "activations":
        x = np.maximum(x, 0)
    return weights, {"x": x} | statistics(rng, named(weights))


def in_torch(weights, *, training, unbiased=None, **option):
    import torch

    units, model = named(weights), torch_module(weights).train(training)

    def run(params, x, mean, variance):
        buffers = torch_buffers(units, mean, variance)
        y = torch.func.functional_call(model, params | buffers, (x.permute(0, 3, 1, 2),))
        return {"y": y.permute(0, 2, 3, 1)} | (torch_moved(buffers) if unbiased is not None else {})

    return torch_names(units), run


def in_keras(weights, *, training, unbiased=None, **option):
    import keras

    units, arrays = named(weights), keras_names(named(weights))
    x = keras.Input((None, None, weights["one"][0]["W"].shape[2]))
    model = keras.Model(x, keras_module(x, weights))

    def run(params, x, mean, variance):
        state = keras_statistics(model, units, mean, variance)
        y, moved = model.stateless_call(params, state, x, training=training)
        return {"y": y} | (keras_moved(model, units, moved) if unbiased is not None else {})

    return [arrays[variable.path] for variable in model.trainable_variables], run


def in_flax(weights, *, training, unbiased=None, **option):
    from flax import linen

    units = named(weights)

    class Inception(linen.Module):
        @linen.compact
        def __call__(self, x):
            return flax_module(x, weights, training)

    model = Inception()

    def run(params, x, mean, variance):
        variables = {"params": params, "batch_stats": flax_statistics(units, mean, variance)}
        y, moved = model.apply(variables, x, mutable=["batch_stats"])
        return {"y": y} | (flax_moved(units, moved["batch_stats"], x.dtype) if unbiased is not None else {})

    return flax_names(units), run


def flops(*, batch, image, channels, one, three, five, pool, **_):
    """Two flops for each multiply-add."""
    first = channels * (one + three[0] + five[0] + pool)
    return 2 * batch * image * image * (first + 9 * three[0] * three[1] + 25 * five[0] * five[1])


SMALL = {"image": 7, "channels": 5, "one": 3, "three": (4, 6), "five": (2, 3), "pool": 2}
MODULE_3A = {"image": 28, "channels": 192, "one": 64, "three": (96, 128), "five": (16, 32), "pool": 32}
OPTIONS = {
    "training": {"training": True},
    "statistics": {"training": True, "unbiased": True},
    "statistics-biased": {"training": True, "unbiased": False},
    "inference": {"training": False},
}
BIASED = {"statistics": "its running variance is biased"}
UNBIASED = {"statistics-biased": "its running variance is unbiased"}

case = Case(
    name="inception-module",
    title="Inception module with batch normalisation",
    reference=inception,
    gradient=inception_vjp,
    inputs=inputs,
    sizes={
        "small": SMALL | {"batch": 3},
        "one": SMALL | {"batch": 1},
        "module-3a": MODULE_3A | {"batch": 2},
    },
    regimes={
        "typical": "seeded normal draws",
        "activations": "what a ReLU leaves, as inside a network: zeros, with ties in pools, and a mean above",
    },
    options=OPTIONS,
    fixed=("mean", "variance"),
    minor=True,
    contenders=(
        Contender(
            "torch",
            "torch.nn.Conv2d",
            in_torch,
            without=UNBIASED,
            refuses=[Refusal("[!i]*", "Expected more than 1 value per channel", size="image:1+*batch:1")],
        ),
        Contender("tensorflow", "keras.layers.Conv2D", in_keras, without=BIASED),
        Contender("jax", "flax.linen.Conv", in_flax, without=BIASED),
    ),
    items=lambda *, batch, **_: batch,
    unit="images",
    flops=flops,
)
