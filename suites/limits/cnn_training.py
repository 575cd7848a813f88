"""Known departures of the training of the convolutional network."""

from gaugeblock import Limit

# Seen in the weights alone; losses and moments agree. With 1 - βᵗ taken from a float32 β, the reference gives
# Keras's float64 weights bit for bit, and the float32 ones of both to 2.6 u.
KERAS = "keras/src/optimizers/adam.py:108 and keras/src/backend/tensorflow/core.py:218 (3.15.1)"

limits = {
    "betas-through-float32": Limit(
        "keras",
        "Keras's Adam brings β₁ and β₂ to float64 by way of float32: weights are off by up to 6e10 u",
        KERAS,
        {"backend": "tensorflow", "dtype": "float64"},
    ),
    "correction-in-float32": Limit(
        "keras",
        "Keras's Adam computes 1 - β₂ᵗ in float32, where it cancels: steps are off by up to 170 u",
        KERAS,
        {"backend": "tensorflow", "dtype": "float32"},
    ),
    "correction-in-float32-of-optax": Limit(
        "optax",
        "optax's Adam computes 1 - β₂ᵗ in float32, where it cancels: steps are off by up to 170 u",
        "optax/tree_utils/_tree_math.py:449 (0.2.8)",
        {"backend": "jax", "dtype": "float32"},
    ),
}
