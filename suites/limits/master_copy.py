"""Known departures of Adam with a master copy."""

from gaugeblock import Limit
from suites.limits.sgd_momentum import through_float32

limits = {
    "moments-of-low-precision": Limit(
        "optax",
        "optax squares and scales gradients in their own dtype before it adds them to moments of float32: "
        "in bfloat16 they have 8 bits, and in float16 squares of gradients below 2e-4 are zero, so that the "
        "step is 1/ε times too large",
        "optax/tree_utils/_tree_math.py:398 and 429 (0.2.8)",
        {"backend": "jax"},
    ),
    "betas-through-float32": through_float32("β₁ and β₂", "keras/src/optimizers/adam.py:107 (3.15.1)"),
    "correction-in-float32": Limit(
        "keras",
        "Keras computes 1 - β₂ᵗ from a float32 β₂: its error is 1.3e-5, and 110 u in each step",
        "keras/src/optimizers/adam.py:110 (3.15.1)",
        {"backend": "tensorflow", "dtype": "float32"},
    ),
}
