"""Known departures of skip-gram."""

from suites.limits.activation import cancels
from suites.limits.binary_cross_entropy import SLOPE, SLOPES

ROUNDED = "the gradient of log(1 + e^z) is e^(z − y) of the rounded result y: the error is u |y|"
ROUNDED_WHERE = "jax/_src/lax/other.py:283 (0.10.2), _logaddexp_jvp"


def of_the_rounded_result(**cells):
    """Of its loss, where a pair is far from its label."""
    return cancels("jax", ROUNDED, ROUNDED_WHERE, regime="one-far-above", **cells)


limits = {
    "slope-near-one-tensorflow": cancels(
        "tensorflow", SLOPE, SLOPES["tensorflow"], direction="gradient", regime="one-far-above"
    ),
    "of-the-rounded-result": of_the_rounded_result(direction="gradient"),
}
