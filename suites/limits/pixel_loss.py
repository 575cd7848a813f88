"""Known departures of the cross-entropies of pixels."""

from gaugeblock import LOW, Limit
from suites.limits.activation import DTYPES, KERNELS, cancels
from suites.limits.cross_entropy import LOSSES, OF_LOSSES, SLOPE
from suites.limits.softmax import LOG_SUM
from suites.limits.sparse_cross_entropy import OF_LABELS

SMOOTHED = ("smoothing", "smoothing-each", "pixel-weights-smoothing")  # along axis 1
OTHERS = ("plain", "last", "each", "sum", "smoothing-last", "pixel-weights")
KERAS = ("tensorflow", "keras-torch", "keras-jax")
DENSE, SPARSE = {"case": "pixel-cross-entropy"}, {"case": "sparse-pixel-cross-entropy"}


def smoothing(dtype=("float64", "float32"), always=True):
    cells = {"backend": KERAS, "contender": "keras.losses.CategoricalCrossentropy", "option": SMOOTHED}
    return Limit(
        "keras",
        "smooths labels by the length of the last axis, not by the number of classes on the axis it is told",
        "keras/src/losses/losses.py:2201 (3.15.1)",
        {**DENSE, **cells, "dtype": dtype},
        always,
    )


limits = {
    "smoothing-by-the-last-axis": smoothing(),
    # the loss is not far enough off for every set of inputs in a few bits
    "smoothing-by-the-last-axis-in-few-bits": smoothing(LOW, always=False),
    **{
        f"slope-near-one-{package}": cancels(package, SLOPE, source, direction="gradient", **DENSE, **cells)
        for package, source in OF_LOSSES.items()
        if package != "torch"
        for cells in ({"option": OTHERS} if package == "tensorflow" else {},)
    },
    **{
        f"sparse-slope-near-one-{package}": cancels(package, SLOPE, source, direction="gradient", **SPARSE)
        for package, source in OF_LABELS.items()
    },
    **{
        f"log-of-one-{package}": cancels(package, LOG_SUM, source, direction="forward", **cells)
        for package, source in LOSSES.items()
        if package != "jax"
        for cells in ({"tensorflow": DENSE | {"option": OTHERS}}.get(package, {}),)
    },
    "log-of-one-sparse-tensorflow": cancels(
        "tensorflow", LOG_SUM, f"{KERNELS}/sparse_xent_op.h:78", direction="forward", **SPARSE
    ),
    "maximum-in-the-log-sum": Limit(
        "optax",
        "optax subtracts the target's logit from a log-sum-exp that includes the maximum: the error is u |z|",
        "optax/losses/_classification.py:404",
        {**SPARSE, "backend": "jax", "direction": "forward", "dtype": DTYPES},
        always=False,  # only a small loss with a large logit shows it
    ),
}
