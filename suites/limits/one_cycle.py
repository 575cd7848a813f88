"""Known departures of the learning rate of one cycle."""

from suites.limits.exponential_decay import in_float32

limits = {"count-in-float32": in_float32(size=("small", "epochs", "steps"))}
