"""Known departures of logistic regression."""

from gaugeblock import Limit
from suites.limits.activation import SIGMOID, SIGMOID_WHERE, SLOPES, SOURCES, cancels

limits = {
    **{
        f"slope-near-one-{package}": cancels(package, SLOPES["sigmoid"], source, direction="gradient")
        for package, source in SOURCES["sigmoid"].items()
    },
    "sigmoid-below-zero": Limit(
        "onnxruntime",
        SIGMOID,
        SIGMOID_WHERE,
        {"backend": "onnxruntime"},
        always=False,  # only a probability near zero shows it
    ),
}
