"""Known departures of the training of the convolutional network."""

from gaugeblock import Limit
from suites.limits.activation import cancels
from suites.limits.softmax import SLOPE, SLOPES

# Only the weights differ; losses and moments agree. If it computes 1 - βᵗ from a float32 β, the reference has
# the same bits as Keras's float64 weights, and differs from the float32 weights of both by 2.6 u.
KERAS = "keras/src/optimizers/adam.py:108 and keras/src/backend/tensorflow/core.py:218 (3.15.1)"

limits = {
    "betas-through-float32": Limit(
        "keras",
        "Keras's Adam rounds β₁ and β₂ to float32 before float64: weights differ by up to 6e10 u",
        KERAS,
        {"backend": "tensorflow", "dtype": "float64"},
    ),
    "correction-in-float32": Limit(
        "keras",
        "Keras's Adam computes 1 - β₂ᵗ in float32, where it cancels: steps differ by up to 170 u",
        KERAS,
        {"backend": "tensorflow", "dtype": "float32"},
    ),
    "correction-in-float32-of-optax": Limit(
        "optax",
        "optax's Adam computes 1 - β₂ᵗ in float32, where it cancels: steps differ by up to 170 u",
        "optax/tree_utils/_tree_math.py:449 (0.2.8)",
        {"backend": "jax", "dtype": "float32"},
    ),
    **{
        f"slope-near-one-{package}": cancels(
            package, SLOPE, SLOPES[package], regime="one-far-above", dtype="float64"
        )
        for package in ("torch", "jax")
    },
}
