"""Known departures of the LSTM model."""

from gaugeblock import Limit
from suites.limits.activation import SOURCES, cancels
from suites.limits.lstm import GATES
from suites.limits.rnn import SATURATING

limits = {
    **{
        f"slope-near-one-{package}": cancels(
            package,
            GATES,
            "; ".join(SOURCES[function][package] for function in ("sigmoid", "tanh")),
            regime=[each for each in SATURATING if each not in ("saturated", "overflowing")],
        )
        for package in ("torch", "jax")
    },
    "correction-in-float32": Limit(
        "keras",
        "Keras's Adam rounds β₂ to float32 in its bias correction, in every dtype: "
        "the error of 1 - β₂ᵗ is 1.3e-5, and 110 u of float32 in each step",
        "keras/src/optimizers/adam.py:111, keras/src/backend/tensorflow/core.py:218 (3.15.1): "
        "ops.cast of a Python float is tf.cast, which makes a float32 of it first",
        {"backend": "tensorflow"},
    ),
    "correction-in-float32-of-optax": Limit(
        "optax",
        "optax computes 1 - β₂ᵗ from a float32 β₂: its error is 1.3e-5, and 110 u in each step",
        "optax/tree_utils/_tree_math.py:449 (0.2.8)",
        {"backend": "jax", "dtype": "float32"},
    ),
}
