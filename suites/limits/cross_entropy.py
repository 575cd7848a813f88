"""Known departures of categorical cross-entropy from logits."""

from suites.limits.activation import KERNELS, cancels
from suites.limits.softmax import LOG_SLOPES, LOG_SUM, LOG_SUMS

SLOPE = "the gradient is p − t, which cancels where a prediction is right and certain: the error is u"
OF_LOSSES = {
    "torch": LOG_SLOPES["torch"],
    "tensorflow": f"{KERNELS}/xent_op.h:107",
    "jax": "optax/losses/_classification.py:295, the derivative of its log-softmax",
}
LOSSES = {
    "torch": LOG_SUMS["torch"],
    "tensorflow": f"{KERNELS}/xent_op.h:101",
    "jax": LOG_SUMS["jax"],
}

limits = {
    **{
        f"slope-near-one-{package}": cancels(package, SLOPE, source, direction="gradient")
        for package, source in OF_LOSSES.items()
    },
    **{
        f"log-of-one-{package}": cancels(package, LOG_SUM, source, direction="forward")
        for package, source in LOSSES.items()
    },
}
