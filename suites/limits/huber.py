"""Known departures of Huber's loss."""

from gaugeblock import Limit


def cancels(*cells, always=True):
    optax = {
        "backend": "jax",
        "case": "huber",
        "contender": "optax.losses.huber_loss",
        "direction": "gradient",
    }
    return Limit(
        "optax",
        "near zero the derivative is δ sign(e) - δ sign(e) + e, which cancels: the error is u δ",
        "optax/losses/_regression.py:103 (0.2.8)",
        [{**optax, **each} for each in cells],
        always,
    )


EDGES = (
    "near-zero",
    "subnormal",
    "mixed-magnitudes",
    "constant-rows",
    "zeros-and-ties",
    "all-zeros",
    "negative-zeros",
    "one-far-above",
    "cotangents-of-ones",
    "one-hot-cotangents",
)

limits = {
    "slope-cancels": cancels({"regime": "near", "dtype": ("float64", "float32", "bfloat16")}),
    "slope-cancels-small-elements": cancels(
        {"regime": ("typical", "far", *EDGES), "dtype": ("float64", "float32")},
        {"regime": "typical", "dtype": "bfloat16"},
        always=False,  # only single small elements show it
    ),
}
