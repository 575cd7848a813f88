"""Known departures of cosine decay, from the start or after a warm-up."""

from gaugeblock import Limit
from suites.limits.exponential_decay import from_the_last, in_float32
from suites.limits.step_decay import KERAS


def one_plus_cosine(package, source, **cells):
    """Where no step is close to the end, the rates agree."""
    return Limit(
        package,
        f"{package} computes the rate from 1 + cos(π t/T), which cancels near the end of the decay",
        source,
        cells,
        always=False,
    )


KERAS_COSINE = "keras/src/optimizers/schedules/learning_rate_schedule.py:700 (3.15.1)"

limits = {
    "rates-from-the-last": from_the_last(
        "CosineAnnealingLR",
        {"case": "cosine-decay", "size": ("epochs", "steps")},
        {"case": "cosine-decay", "size": "small", "option": "periodic"},
    ),
    "numbers-in-float32": KERAS,
    "count-in-float32": in_float32(case="warm-up-cosine"),
    "keras-one-plus-cosine": one_plus_cosine(
        "keras", KERAS_COSINE, backend="tensorflow", dtype="float32", option="plain"
    ),
    "optax-one-plus-cosine": one_plus_cosine(
        "optax", "optax/schedules/_schedule.py:385 (0.2.8)", backend="jax", option="plain"
    ),
}
