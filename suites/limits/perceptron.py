"""Known departures of the multi-layer perceptron."""

from gaugeblock import Limit

limits = {
    "constants-through-float32": Limit(
        "tensorflow",
        "the constants of its GELU are rounded from Python floats to float32: about 28 correct bits",
        "tensorflow/python/ops/nn_ops.py:3747 and 3756; Keras calls it",
        {"backend": "tensorflow", "dtype": "float64", "option": ("gelu", "gelu-tanh")},
    ),
    "constants-in-float32": Limit(
        "onnx",
        "has no float64 kernel of GELU, and the operator's function has its constants in float32",
        "onnx/defs/math/defs.cc:477 (1.23.2)",
        {"backend": "onnxruntime", "dtype": "float64", "option": "gelu-tanh"},
    ),
}
