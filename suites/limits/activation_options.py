"""Known departures of softmax over an axis, and of Keras's ReLU."""

from gaugeblock import Limit
from suites.limits.activation import FLUSHED, FLUSHES, cancels
from suites.limits.softmax import LOG_SLOPE, LOG_SLOPES, LOG_SUM, LOG_SUMS, SLOPE, SLOPES

limits = {
    **{
        f"slope-near-one-{package}": cancels(
            package, SLOPE, source, case="axis-softmax", direction="gradient"
        )
        for package, source in SLOPES.items()
    },
    **{
        f"log-of-one-{package}": cancels(
            package, LOG_SUM, source, case="axis-log-softmax", direction="forward"
        )
        for package, source in LOG_SUMS.items()
        if package in SLOPES
    },
    **{
        f"log-slope-near-one-{package}": cancels(
            package, LOG_SLOPE, source, case="axis-log-softmax", direction="gradient"
        )
        for package, source in LOG_SLOPES.items()
    },
    "nan-below-a-threshold": Limit(
        "keras",
        "with a threshold, what is not above it is 0, and so is a NaN; without one a NaN stays",
        "keras/src/activations/activations.py:93 (3.15.1)",
        {
            "backend": "tensorflow",
            "case": "bounded-relu",
            "option": ("threshold", "bound-threshold", "negative-threshold"),
            "direction": "forward",
            "regime": "one-nan",
        },
    ),
    "relu-of-subnormals": Limit(
        "tensorflow",
        FLUSHED,
        FLUSHES["tensorflow"],
        {
            "backend": "tensorflow",
            "case": "bounded-relu",
            "option": ("plain", "slope", "bound", "slope-bound", "six"),
            "direction": "gradient",
            "regime": "subnormal",
            "dtype": "float32",
        },
    ),
}
