"""Known departures of WaveNet."""

from suites.limits.activation import SOURCES, cancels
from suites.limits.lstm import GATES

limits = {
    f"slope-near-one-{package}": cancels(
        package,
        GATES,
        f"{SOURCES['tanh'][package]}; {SOURCES['sigmoid'][package]}",
        case="wavenet",
        direction="gradient",
    )
    for package in ("tensorflow", "jax")
}
