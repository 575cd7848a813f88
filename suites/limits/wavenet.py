"""Known departures of WaveNet."""

from suites.limits.activation import SOURCES, cancels
from suites.limits.lstm import GATES

limits = {
    "slope-near-one-tensorflow": cancels(
        "tensorflow",
        GATES,
        f"{SOURCES['tanh']['tensorflow']}; {SOURCES['sigmoid']['tensorflow']}",
        case="wavenet",
        direction="gradient",
    ),
}
