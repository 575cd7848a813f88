"""Known departures of WaveNet."""

from suites.limits.activation import SOURCES, cancels
from suites.limits.lstm import GATES


def slopes(package, **cells):
    source = f"{SOURCES['tanh'][package]}; {SOURCES['sigmoid'][package]}"
    return cancels(package, GATES, source, case="wavenet", direction="gradient", **cells)


limits = {
    "slope-near-one-tensorflow": slopes("tensorflow"),
    "slope-near-one-jax": slopes("jax"),
    "slope-near-one-torch": slopes("torch", regime=("mixed-magnitudes", "one-far-above")),
}
