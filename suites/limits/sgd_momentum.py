"""Known departures of gradient descent with momentum."""

from gaugeblock import Limit


def through_float32(names, source, **cells):
    """tf.cast makes a float32 of a Python number before it makes the float64 that was asked for."""
    return Limit(
        "keras",
        f"Keras brings {names} to float64 by way of float32 (tf.cast of a Python number)",
        f"{source}; tensorflow/python/ops/math_ops.py:1044",
        {"backend": "tensorflow", "dtype": "float64"} | cells,
    )


limits = {"momentum-through-float32": through_float32("μ", "keras/src/optimizers/sgd.py:104 (3.15.1)")}
