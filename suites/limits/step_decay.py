"""Known departures of the learning rate cut at milestones."""

from gaugeblock import Limit

KERAS = Limit(
    "keras",
    "Keras makes float32 tensors of the schedule's Python numbers",
    "keras/src/optimizers/schedules/learning_rate_schedule.py:164 (3.15.1)",
    {"backend": "tensorflow", "dtype": "float64"},
)

limits = {"numbers-in-float32": KERAS}
