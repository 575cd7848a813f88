"""Known departures of gradient descent with momentum."""

from gaugeblock import Limit


def through_float32(names, source, **cells):
    """tf.cast converts a Python number to float32 before it converts it to float64."""
    return Limit(
        "keras",
        f"Keras rounds {names} to float32 before float64 (tf.cast of a Python number)",
        f"{source}; tensorflow/python/ops/math_ops.py:1044",
        {"backend": "tensorflow", "dtype": "float64"} | cells,
    )


limits = {"momentum-through-float32": through_float32("μ", "keras/src/optimizers/sgd.py:104 (3.15.1)")}
