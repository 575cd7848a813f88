"""Known departures of the learning rate of one cycle."""

from suites.limits.cosine_decay import one_plus_cosine
from suites.limits.exponential_decay import in_float32

limits = {
    "count-in-float32": in_float32(size=("small", "epochs", "steps", "count:3", "count:4")),
    "optax-one-plus-cosine": one_plus_cosine(
        "optax", "optax/schedules/_schedule.py:405 (0.2.8)", backend="jax", dtype="float32"
    ),
    "torch-one-plus-cosine": one_plus_cosine(
        "torch", "torch/optim/lr_scheduler.py:2537 (2.13.0)", backend="torch", dtype="float64"
    ),
}
