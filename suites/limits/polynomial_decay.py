"""Known departures of polynomial decay."""

from suites.limits.exponential_decay import from_the_last, in_float32
from suites.limits.step_decay import KERAS

limits = {
    "rates-from-the-last": from_the_last("PolynomialLR", option="root", size=("small", "epochs", "steps")),
    "numbers-in-float32": KERAS,
    "count-in-float32": in_float32(),
}
