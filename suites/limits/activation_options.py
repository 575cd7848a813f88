"""Known departures of softmax over an axis, and of Keras's ReLU."""

from gaugeblock import LOW, Limit
from suites.limits.activation import FLUSHED, FLUSHES, cancels
from suites.limits.softmax import LOG_SLOPE, LOG_SLOPES, LOG_SUM, LOG_SUMS, SLOPE, SLOPES

AT_ENDS = {
    "backend": "tensorflow",
    "case": "bounded-relu",
    "regime": "at-the-ends",
    "dtype": ("float64", "float32", *LOW),
}

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
    "at-the-threshold": Limit(
        "keras",
        "with a threshold, a number at it is 0, where the ReLU layer's formula keeps it",
        "keras/src/activations/activations.py:93 (3.15.1), keras/src/layers/activations/relu.py:14",
        AT_ENDS | {"direction": "forward"},
        always=False,  # of few numbers, maybe none is at an end
    ),
    "slopes-at-the-ends": Limit(
        "keras",
        "has no slope at a threshold, and clips, which passes the gradient of a number at the bound",
        "keras/src/activations/activations.py:93,104 (3.15.1), tensorflow/python/ops/clip_ops.py:128",
        AT_ENDS | {"direction": "gradient"},
        always=False,  # of few numbers, maybe none is at an end
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
