"""Mean squared error: reference/loss.py against each framework's own.

Convention: the mean over all elements. tf.math and optax return the loss of each element, and their users
take the mean.
"""

import importlib

from gaugeblock import Case, Contender
from reference.loss import mean_squared_error, mean_squared_error_vjp

SIZES = {
    "small": {"batch": 13, "classes": 7},
    "one-class": {"batch": 31, "classes": 1},
    "large": {"batch": 4096, "classes": 1000},
}


def inputs(rng, *, batch, classes, **option):
    return {}, {"p": rng.normal(size=(batch, classes)), "y": rng.normal(size=(batch, classes))}


def in_torch(torch):
    return lambda p, y: torch.nn.functional.mse_loss(p, y)


def in_tensorflow(tf):
    return lambda p, y: tf.reduce_mean(tf.math.squared_difference(p, y))


def in_keras(keras):
    loss = keras.losses.MeanSquaredError()
    return lambda p, y: loss(y, p)


def in_optax(optax):
    return lambda p, y: optax.squared_error(p, y).mean()


def contender(api, prepare, without=None):
    """A contender without parameters; `prepare(framework, **option)` returns a function of the data."""
    name = api.partition(".")[0]

    def build(weights, **option):
        loss = prepare(importlib.import_module(name), **option)
        return {}, lambda params, **data: {"y": loss(**data)}

    # Keras calls TensorFlow's functions, and eager runs the same kernels as function
    modes = {"keras": ("function",), "tensorflow": ("function", "xla")}.get(name)
    return Contender(
        {"keras": "tensorflow", "optax": "jax"}.get(name, name), api, build, without or {}, modes
    )


def examples(*, batch, **_):
    return batch


case = Case(
    name="mean-squared-error",
    title="Mean squared error",
    reference=mean_squared_error,
    gradient=mean_squared_error_vjp,
    inputs=inputs,
    sizes=SIZES,
    fixed=("y",),
    contenders=(
        contender("torch.nn.functional.mse_loss", in_torch),
        contender("tensorflow.math.squared_difference", in_tensorflow),
        contender("keras.losses.MeanSquaredError", in_keras),
        contender("optax.squared_error", in_optax),
    ),
    items=examples,
    unit="examples",
    flops=lambda *, batch, classes, **_: 3 * batch * classes,
)
