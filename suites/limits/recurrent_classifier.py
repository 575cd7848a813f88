"""Known departures of the classifier of sequences."""

from suites.limits.lstm import GATES
from suites.limits.rnn import slopes

SATURATING = ("mixed-magnitudes", "one-far-above")  # which gates they leave near 0 and 1

limits = slopes(GATES, "sigmoid", "tanh", regime=SATURATING, size="")
