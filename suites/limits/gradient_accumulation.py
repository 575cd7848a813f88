"""Known departures of descent on accumulated gradients."""

from gaugeblock import Limit

limits = {
    "accumulators-in-float32": Limit(
        "optax",
        "MultiSteps keeps its accumulators in float32 by default",
        "optax/transforms/_accumulation.py:268 (0.2.8)",
        {"backend": "jax", "contender": "optax.MultiSteps", "dtype": "float64"},
    ),
}
