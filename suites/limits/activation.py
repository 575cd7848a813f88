"""Known departures of activations."""

from gaugeblock import Limit

MANY = ("small", "wide", "large")
SIGMOID = "below zero σ(x) is 1/2 + p(x) in float32 and 1 − σ(−x) in float64: its error is u, not u σ(x)"
SIGMOID_WHERE = (
    "onnxruntime/core/mlas/lib/logistic.cpp, onnxruntime/core/providers/cpu/activation/activations.h; "
    "microsoft/onnxruntime#26281"
)


def through_float32(case, line, size=MANY, always=True):
    return Limit(
        "tensorflow",
        "its constants are rounded from Python floats to float32: about 28 correct bits",
        f"tensorflow/python/ops/nn_ops.py:{line}; Keras calls it",
        {
            "backend": "tensorflow",
            "case": case,
            "contender": ("tensorflow.nn.gelu", "keras.activations.gelu"),
            "dtype": "float64",
            "size": size,
        },
        always,
    )


limits = {
    "sigmoid-below-zero": Limit(
        "onnxruntime",
        SIGMOID,
        SIGMOID_WHERE,
        {"backend": "onnxruntime", "case": "sigmoid", "size": MANY},
    ),
    "gelu-constants-in-float32": through_float32("gelu", 3756),
    # the size has two elements, which may have any value
    "gelu-constants-in-float32-few-elements": through_float32("gelu", 3756, "one", always=False),
    "gelu-tanh-constants-in-float32": through_float32("gelu-tanh", 3747),
    "gelu-tanh-constants-in-float32-few-elements": through_float32("gelu-tanh", 3747, "one", always=False),
    "gelu-tanh-function-in-float32": Limit(
        "onnx",
        "has no float64 kernel, and the operator's function has its constants in float32",
        "onnx/defs/math/defs.cc:477 (1.23.2)",
        {"backend": "onnxruntime", "case": "gelu-tanh", "dtype": "float64"},
    ),
}
