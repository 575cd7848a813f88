"""Known departures of the learning rate that drops at milestones."""

from gaugeblock import Limit

KERAS = Limit(
    "keras",
    "Keras converts the schedule's Python numbers to float32 tensors",
    "keras/src/optimizers/schedules/learning_rate_schedule.py:164 (3.15.1)",
    {"backend": "tensorflow", "dtype": "float64"},
)


def chained(package, backend, source):
    return Limit(
        package,
        "multiplies the rate of before by γ at each milestone, which rounds each time: lr γᵏ does once",
        source,
        {"backend": backend, "option": "gentle", "dtype": "float64"},
    )


limits = {
    "numbers-in-float32": KERAS,
    "chained-factors-torch": chained("torch", "torch", "torch/optim/lr_scheduler.py:749"),
    "chained-factors-optax": chained("optax", "jax", "optax/schedules/_schedule.py:244"),
}
