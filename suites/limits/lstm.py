"""Known departures of long short-term memory."""

from gaugeblock import Limit
from suites.limits.rnn import slopes

GATES = (
    "the slopes of its gates are s (1 − s) and 1 − t² of the results, which cancel where these are near ±1"
)

limits = {
    **slopes(GATES, "sigmoid", "tanh"),
    "sigmoid-around-one-half": Limit(
        "onnxruntime",
        "below zero σ(x) is 1/2 + p(x): its error is u, not u σ(x)",
        "onnxruntime/core/mlas/lib/logistic.cpp; microsoft/onnxruntime#26281",
        {"backend": "onnxruntime", "regime": "saturated"},
    ),
}
