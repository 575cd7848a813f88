"""Known departures of long short-term memory."""

from gaugeblock import Limit

limits = {
    "sigmoid-around-one-half": Limit(
        "onnxruntime",
        "below zero σ(x) is 1/2 + p(x): its error is u, not u σ(x)",
        "onnxruntime/core/mlas/lib/logistic.cpp; microsoft/onnxruntime#26281",
        {"backend": "onnxruntime", "regime": "saturated"},
    ),
}
