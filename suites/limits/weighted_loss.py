"""Known departures of losses with weights."""

from suites.limits.activation import cancels
from suites.limits.binary_cross_entropy import SLOPE, SLOPES

LOGISTIC = {"case": "weighted-logistic"}

limits = {
    **{
        f"slope-near-one-{package}": cancels(package, SLOPE, source, direction="gradient", **LOGISTIC)
        for package, source in SLOPES.items()
    },
    "log-sigmoid-cancels-torch": cancels(
        "torch",
        "(1 - y) z + log(1 + e^-z) cancels if y = 0 and z is far below 0: the error is u |z|",
        "torch/_decomp/decompositions.py:5154 writes out what the kernel does",
        direction="forward",
        **LOGISTIC,
    ),
}
