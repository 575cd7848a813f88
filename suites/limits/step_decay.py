"""Known departures of the learning rate that drops at milestones."""

from gaugeblock import Limit

KERAS = Limit(
    "keras",
    "Keras converts the schedule's Python numbers to float32 tensors",
    "keras/src/optimizers/schedules/learning_rate_schedule.py:164 (3.15.1)",
    {"backend": "tensorflow", "dtype": "float64"},
)

limits = {"numbers-in-float32": KERAS}
