"""Known departures of cosine decay, from the start or after a warm-up."""

from suites.limits.exponential_decay import from_the_last, in_float32
from suites.limits.step_decay import KERAS

limits = {
    "rates-from-the-last": from_the_last("CosineAnnealingLR", case="cosine-decay", size=("epochs", "steps")),
    "numbers-in-float32": KERAS,
    "count-in-float32": in_float32(case="warm-up-cosine"),
}
