"""Softmax over any axis, and Keras's ReLU with its arguments: reference/activation_options.py.

Axes are the first, one in the middle and the last. JAX takes a mask of elements. Keras's ReLU has a slope
below a threshold, and a bound. See suites/softmax.py and suites/activation.py for what has no arguments.
"""

import numpy as np

from gaugeblock import Case, Contender
from reference.activation_options import (
    axis_log_softmax,
    axis_log_softmax_vjp,
    axis_softmax,
    axis_softmax_vjp,
    bounded_relu,
    bounded_relu_vjp,
)
from suites.batched_product import attribute

SIZES = {
    "small": {"rows": 6, "columns": 5, "depth": 7},
    "one": {"rows": 3, "columns": 1, "depth": 2},
    "large": {"rows": 64, "columns": 33, "depth": 256},
}
OPTIONS = {
    "last": {},
    "middle": {"axis": 1},
    "first": {"axis": 0},
    "some": {"masked": True},
    "some-middle": {"masked": True, "axis": 1},
}
RELUS = {
    "all": {"slope": 0.25, "bound": 1.5, "threshold": 0.5},
    "plain": {},
    "slope": {"slope": 0.25},
    "bound": {"bound": 1.5},
    "threshold": {"threshold": 0.5},
    "slope-threshold": {"slope": 0.25, "threshold": 0.5},
    "slope-bound": {"slope": 0.25, "bound": 1.5},
    "bound-threshold": {"bound": 1.5, "threshold": 0.5},
    "six": {"bound": 6.0},
    "negative-threshold": {"threshold": -0.5},
}


ENDS = (-0.5, 0.0, 0.5, 1.5, 6.0)  # the thresholds and bounds of these options


def inputs(rng, *, rows, columns, depth, masked=False, axis=-1, **option):
    x = 3 * rng.normal(size=(rows, columns, depth))
    if not masked:
        return {}, {"x": x}
    seen = rng.uniform(size=x.shape) < 0.6
    np.moveaxis(seen, axis, -1)[..., 0] = True
    return {}, {"x": x, "seen": seen}


def relu_inputs(rng, *, rows, columns, depth, regime="typical", **option):
    x = 3 * rng.normal(size=(rows, columns, depth))
    if regime == "at-the-ends":
        x = np.where(rng.uniform(size=x.shape) < 0.5, rng.choice(ENDS, size=x.shape), x)
    return {}, {"x": x}


def contender(api, word, without):
    """A build that passes the axis by this keyword, and a mask where there is one."""
    package = api.partition(".")[0]

    def build(weights, *, axis=-1, **option):
        call = attribute(api)

        def run(params, x, seen=None):
            return {"y": call(x, **{word: axis}, **({} if seen is None else {"where": seen}))}

        return {}, run

    return Contender("tensorflow" if package == "keras" else package, api, build, without)


def in_keras(weights, *, slope=0.0, bound=None, threshold=0.0):
    import keras

    call = keras.activations.relu
    how = {"negative_slope": slope, "max_value": bound, "threshold": threshold}
    return {}, lambda params, x: {"y": call(x, **how)}


NO_MASK = dict.fromkeys(("some", "some-middle"), "takes no mask of elements")
WORDS = {
    "torch.nn.functional.{}": ("dim", NO_MASK),
    "tensorflow.nn.{}": ("axis", NO_MASK),
    "keras.activations.{}": ("axis", NO_MASK),
    "jax.nn.{}": ("axis", {}),
}
COMMON = {
    "sizes": SIZES,
    "minor": True,
    "items": lambda *, rows, columns, depth, **_: rows * columns * depth,
    "unit": "elements",
    "flops": lambda *, rows, columns, depth, **_: 5 * rows * columns * depth,
}
FORMULAS = {
    "softmax": (axis_softmax, axis_softmax_vjp),
    "log_softmax": (axis_log_softmax, axis_log_softmax_vjp),
}

cases = (
    *(
        Case(
            name=f"axis-{name.replace('_', '-')}",
            title=f"{name.replace('_', '-').capitalize()} over an axis",
            reference=f,
            gradient=f_vjp,
            inputs=inputs,
            options=OPTIONS,
            contenders=[contender(api.format(name), *how) for api, how in WORDS.items()],
            **COMMON,
        )
        for name, (f, f_vjp) in FORMULAS.items()
    ),
    Case(
        name="bounded-relu",
        title="ReLU with a slope, a bound and a threshold",
        reference=bounded_relu,
        gradient=bounded_relu_vjp,
        inputs=relu_inputs,
        options=RELUS,
        regimes={
            "typical": "seeded normal draws",
            "at-the-ends": "half of the numbers are a threshold or a bound",
        },
        contenders=(Contender("tensorflow", "keras.activations.relu", in_keras),),
        **COMMON,
    ),
)
