"""Known departures of descent on accumulated gradients."""

from gaugeblock import Limit


def keeps_nan(**cells):
    return Limit(
        "optax",
        "MultiSteps empties its accumulators by a product with zero: after a NaN or ∞ they are NaN for good",
        "optax/transforms/_accumulation.py:381 (0.2.8); google-deepmind/optax#828",
        {"backend": "jax", "regime": ("one-nan", "one-infinity")} | cells,
    )


limits = {
    "accumulators-in-float32": Limit(
        "optax",
        "MultiSteps keeps its accumulators in float32 by default",
        "optax/transforms/_accumulation.py:268 (0.2.8)",
        {"backend": "jax", "contender": "optax.MultiSteps", "dtype": "float64"},
    ),
    "nan-times-zero": keeps_nan(),
}
