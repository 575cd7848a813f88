"""Known departures of logistic regression."""

from gaugeblock import Limit
from suites.limits.activation import SIGMOID, SIGMOID_WHERE

limits = {
    "sigmoid-below-zero": Limit(
        "onnxruntime",
        SIGMOID,
        SIGMOID_WHERE,
        {"backend": "onnxruntime"},
        always=False,  # only a probability near zero shows it
    ),
}
