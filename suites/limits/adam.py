"""Known departures of Adam and AdamW."""

from gaugeblock import Limit
from suites.limits.sgd_momentum import each_micro_batch, through_float32

USUAL = ("plain", "hat", "hat-tiny-gradients", "amsgrad-clip-value", "nesterov-root", "hat-value")
USUAL += ("nesterov-root-matrices", "hat-matrices")
NUMBERS = (
    "maximize-coupled-numbers-clip-value",
    "numbers",
    "coupled-numbers",
    "root-numbers",
    "nesterov-numbers",
    "hat-each",
    "hat-norm",
    "matrices-numbers",
)


def cancelled(package, backend, whose, source, *options, always=True):
    """1 - β₂ᵗ from a float32 β₂: the relative error of 0.999 is 1.3e-8, that of 1 - 0.999 is 1.3e-5."""
    reason = f"{whose} computes 1 - β₂ᵗ from a float32 β₂: its error is 1.3e-5, and 110 u in each step"
    if not always:
        reason = f"{whose} computes 1 - β₂ᵗ from a float32 β₂: of 1 - 0.99 its error is 1e-6"
    cells = {"backend": backend, "dtype": "float32", "option": options}
    return Limit(package, reason, source, cells, always=always)


OF_KERAS = ("keras", "tensorflow", "Keras", "keras/src/optimizers/adam.py:110 (3.15.1)")
OF_OPTAX = ("optax", "jax", "optax", "optax/tree_utils/_tree_math.py:449 (0.2.8)")
KEPT = ("hat", "hat-tiny-gradients", "hat-value", "hat-each", "hat-norm", "hat-matrices")


limits = {
    "betas-through-float32": through_float32(
        "β₁ and β₂", "keras/src/optimizers/adam.py:107 (3.15.1)", case="adam", option=KEPT
    ),
    "betas-and-decay-through-float32": through_float32(
        "β₁, β₂ and λ",
        "keras/src/optimizers/adam.py:107, keras/src/backend/tensorflow/optimizer.py:97 (3.15.1)",
        case="adamw",
        option=KEPT,
    ),
    "correction-in-float32": cancelled(*OF_KERAS, *USUAL),
    "correction-in-float32-of-optax": cancelled(*OF_OPTAX, *USUAL),
    "smaller-correction-in-float32": cancelled(*OF_KERAS, *NUMBERS, always=False),
    "smaller-correction-in-float32-of-optax": cancelled(*OF_OPTAX, *NUMBERS, always=False),
    "beta-is-one-in-bfloat16": Limit(
        "keras",
        "Keras rounds β₂ to the dtype of the weights: in bfloat16 0.999 is 1, so that 1 - β₂ᵗ is 0 and the "
        "weights never move; 0.99 is 0.988",
        "keras/src/optimizers/adam.py:110 (3.15.1)",
        {"backend": "tensorflow", "dtype": "bfloat16", "option": KEPT},
        always=False,  # with β₂ = 0.99 some inputs agree
    ),
    "average-of-micro-batches": each_micro_batch("hat-all"),
}
