"""Known departures of Adam and AdamW."""

from gaugeblock import Limit
from suites.limits.sgd_momentum import through_float32


def cancelled(package, backend, whose, source):
    """1 - β₂ᵗ from a float32 β₂: the relative error of 0.999 is 1.3e-8, that of 1 - 0.999 is 1.3e-5."""
    reason = f"{whose} computes 1 - β₂ᵗ from a float32 β₂: its error is 1.3e-5, and 110 u in each step"
    return Limit(package, reason, source, {"backend": backend, "dtype": "float32"})


limits = {
    "betas-through-float32": through_float32(
        "β₁ and β₂", "keras/src/optimizers/adam.py:107 (3.15.1)", case="adam"
    ),
    "betas-and-decay-through-float32": through_float32(
        "β₁, β₂ and λ",
        "keras/src/optimizers/adam.py:107, keras/src/backend/tensorflow/optimizer.py:97 (3.15.1)",
        case="adamw",
    ),
    "correction-in-float32": cancelled(
        "keras", "tensorflow", "Keras", "keras/src/optimizers/adam.py:110 (3.15.1)"
    ),
    "correction-in-float32-of-optax": cancelled(
        "optax", "jax", "optax", "optax/tree_utils/_tree_math.py:449 (0.2.8)"
    ),
}
