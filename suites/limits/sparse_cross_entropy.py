"""Known departures of sparse categorical cross-entropy from logits."""

from gaugeblock import Limit
from suites.limits.activation import DTYPES, KERNELS, cancels
from suites.limits.cross_entropy import LOSSES, OF_LOSSES, SLOPE
from suites.limits.softmax import LOG_SUM

FORWARD = {"backend": "jax", "direction": "forward", "dtype": DTYPES}

OF_LABELS = OF_LOSSES | {
    "tensorflow": f"{KERNELS}/sparse_xent_op.h:118",
    "jax": "optax/losses/_classification.py:403, the derivative of its log-sum-exp",
}

limits = {
    **{
        f"slope-near-one-{package}": cancels(package, SLOPE, source, direction="gradient")
        for package, source in OF_LABELS.items()
    },
    **{
        f"log-of-one-{package}": cancels(package, LOG_SUM, source, direction="forward")
        for package, source in (LOSSES | {"tensorflow": f"{KERNELS}/sparse_xent_op.h:78"}).items()
        if package != "jax"
    },
    "maximum-in-the-log-sum": Limit(
        "optax",
        "optax subtracts the target's logit from a log-sum-exp that includes the maximum: the error is u |z|",
        "optax/losses/_classification.py:404",
        (
            {**FORWARD, "regime": ("shifted", "confident", "offset", "constant-huge-rows")},
            {**FORWARD, "option": "each"},
        ),
        always=False,  # only a small loss with a large logit shows it, and not for every seed
    ),
}
