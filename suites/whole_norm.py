"""Norms of whole numbers: reference/whole_norm.py against Keras's and Flax's layers.

A table of counts or of pixels may reach a norm as integers. The result should be that of the same numbers as
floats. See suites/layer_norm.py, suites/rms_norm.py and suites/group_norm.py for floats.
"""

from gaugeblock import Case, Contender, Option, Refusal
from reference.whole_norm import EPS, whole_norm, whole_norm_vjp
from suites.layer_norm import named

OPTIONS: dict[str, Option] = {"layer": {}, "rms": {"kind": "rms"}, "groups": {"kind": "groups"}}
KERAS = {"layer": "LayerNormalization", "rms": "RMSNormalization", "groups": "GroupNormalization"}
FLAX = {"layer": "LayerNorm", "rms": "RMSNorm", "groups": "GroupNorm"}


def inputs(rng, *, batch, time, width, kind="layer"):
    weights = {"gamma": 1 + 0.3 * rng.normal(size=width), "beta": rng.normal(size=width)}
    if kind == "rms":
        del weights["beta"]
    return weights, {"x": rng.integers(-9, 10, size=(batch, time, width))}


def in_keras(weights, *, kind="layer"):
    import keras

    groups = {"groups": 2} if kind == "groups" else {}
    norm = getattr(keras.layers, KERAS[kind])(epsilon=EPS, **groups)
    norm.build((None, None, len(weights["gamma"])))
    return list(weights.values()), lambda params, x: {"y": norm.stateless_call(params, [], x)[0]}


def in_flax(weights, *, kind="layer"):
    import flax.linen

    how = {"num_groups": 2} if kind == "groups" else {}
    how |= {} if kind == "rms" else {"use_fast_variance": False}
    norm = getattr(flax.linen, FLAX[kind])(epsilon=EPS, **how)
    return named(weights, "scale"), lambda params, x: {"y": norm.apply({"params": params}, x)}


def others(kind):
    return {name: "is another norm" for name in OPTIONS if name != kind}


# what is cast to whole numbers passes no gradient
REFUSED = {"tensorflow": [Refusal("*/gradient", "no gradient reaches")], "jax": []}

case = Case(
    name="whole-norm",
    title="Norms of whole numbers",
    reference=whole_norm,
    gradient=whole_norm_vjp,
    inputs=inputs,
    sizes={
        "small": {"batch": 3, "time": 5, "width": 8},
        "large": {"batch": 4, "time": 64, "width": 256},
    },
    options=OPTIONS,
    minor=True,
    contenders=[
        Contender(backend, f"{where}.{name}", build, others(kind), refuses=REFUSED[backend])
        for backend, where, names, build in (
            ("tensorflow", "keras.layers", KERAS, in_keras),
            ("jax", "flax.linen", FLAX, in_flax),
        )
        for kind, name in names.items()
    ],
    items=lambda *, batch, time, **_: batch * time,
    unit="examples",
    flops=lambda *, batch, time, width, **_: 7 * batch * time * width,
)
