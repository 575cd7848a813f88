"""Known departures of the classifier of sequences."""

from suites.limits.activation import SOURCES, cancels
from suites.limits.lstm import GATES

SATURATING = ("mixed-magnitudes", "one-far-above")  # which gates they leave near 0 and 1

limits = {
    f"slope-near-one-{package}": cancels(
        package,
        GATES,
        "; ".join(SOURCES[function][package] for function in ("sigmoid", "tanh")),
        regime=SATURATING,
        direction="gradient",
    )
    for package in ("torch", "tensorflow", "jax")
}
