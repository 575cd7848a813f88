"""Known departures of losses with weights."""

from gaugeblock import Limit
from suites.limits.activation import cancels
from suites.limits.binary_cross_entropy import SLOPE, SLOPES, infinite
from suites.limits.kl_divergence_floored import SQUARE, SQUARE_WHERE
from suites.limits.probability_loss import SUM_OF_NOTHING, SUM_OF_NOTHING_WHERE

LOGISTIC = {"case": "weighted-logistic"}

limits = {
    "number-beyond-float16": Limit(
        "keras",
        "divides a float16 sum by a float16 number of elements: of more than 65,504 both are infinite, "
        "and their quotient NaN",
        "keras/src/losses/loss.py:153 (3.15.1); tensorflow/tensorflow#56890 has the same of reduce_mean",
        {
            "backend": "tensorflow",
            "case": ("weighted-squared-error", "weighted-huber", "weighted-logistic"),
            "direction": "forward",
            "dtype": "float16",
            "size": "large",
            "option": "weights",
        },
        always=False,  # a loss of single elements only
    ),
    "sum-of-nothing": Limit(
        "keras",
        SUM_OF_NOTHING,
        SUM_OF_NOTHING_WHERE,
        {
            "backend": "tensorflow",
            "case": "weighted-kl-floored",
            "option": "examples-sum",
            "direction": "forward",
            "size": "batch:0+classes:7",
        },
    ),
    "infinite-logit-times-zero": infinite(**LOGISTIC),
    "square-overflows": Limit(
        "keras",
        SQUARE,
        SQUARE_WHERE,
        {"backend": "tensorflow", "case": "weighted-kl-floored", "dtype": "float16", "direction": "gradient"},
        always=False,
    ),
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
