"""Known departures of the multi-layer perceptron."""

from gaugeblock import Limit

limits = {
    "constants-through-float32": Limit(
        "tensorflow",
        "the constants of its GELU are cast from Python through float32: about 28 right bits",
        "tensorflow/python/ops/nn_ops.py:3747 and 3756; Keras calls it",
        {"backend": "tensorflow", "dtype": "float64", "option": ("gelu", "gelu-tanh")},
    ),
    "constants-in-float32": Limit(
        "onnx",
        "has no GELU for float64, and the operator's function has its constants in float32",
        "onnx/defs/math/defs.cc:477 (1.23.2)",
        {"backend": "onnxruntime", "dtype": "float64", "option": "gelu-tanh"},
    ),
}
