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


def from_the_last(scheduler, *places):
    where = {"backend": "torch", "contender": f"torch.optim.lr_scheduler.{scheduler}", "dtype": "float64"}
    return Limit(
        "torch",
        "each rate is computed from the previous one, so that rounding errors accumulate",
        "torch/optim/lr_scheduler.py:1064, 1309 and 1449 (2.13.0)",
        [where | place for place in places],
    )


def rounded_factor(package, backend, source, *options):
    """Not at every step, so that a short schedule may agree."""
    return Limit(
        package,
        f"{package} rounds the decay rate to float32 before it raises it to the power t/T",
        source,
        {"backend": backend, "dtype": "float32", "option": ("plain", "slow", *options)},
        always=False,
    )


KERAS_POWER = "keras/src/optimizers/schedules/learning_rate_schedule.py:169 and 175 (3.15.1)"

limits = {
    "rates-from-the-last": from_the_last("ExponentialLR", {"size": ("epochs", "steps")}),
    "numbers-in-float32": KERAS,
    "count-in-float32": in_float32(option=("plain", "slow", "every-ten", "later", "floor")),
    "stairs-in-float32": in_float32(option=("stairs", "stairs-later-floor")),
    "keras-factor-in-float32": rounded_factor("keras", "tensorflow", KERAS_POWER, "stairs"),
    "optax-factor-in-float32": rounded_factor(
        "optax",
        "jax",
        "optax/schedules/_schedule.py:319 (0.2.8)",
        *("stairs", "later", "floor", "stairs-later-floor"),
    ),
}
