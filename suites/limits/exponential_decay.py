"""Known departures of exponential decay."""

from gaugeblock import Limit
from suites.limits.step_decay import KERAS


def in_float32(**cells):
    """optax has float32 rates for float64 weights."""
    return Limit(
        "optax",
        "optax divides an int32 count, and the quotient is float32 even with x64 enabled",
        "optax/schedules/_schedule.py:142, 315 and 476 (0.2.8)",
        {"backend": "jax", "dtype": "float64"} | cells,
    )


def from_the_last(scheduler, **cells):
    return Limit(
        "torch",
        "each rate is computed from the previous one, so that rounding errors accumulate",
        "torch/optim/lr_scheduler.py:1064, 1309 and 1449 (2.13.0)",
        {"backend": "torch", "contender": f"torch.optim.lr_scheduler.{scheduler}", "dtype": "float64"}
        | cells,
    )


limits = {
    "rates-from-the-last": from_the_last("ExponentialLR", size=("epochs", "steps")),
    "numbers-in-float32": KERAS,
    "count-in-float32": in_float32(),
}
