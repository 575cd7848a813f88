"""Known departures of Adagrad."""

from gaugeblock import Limit
from suites.limits.gradient_accumulation import keeps_nan
from suites.limits.sgd_momentum import through_float32

# gradients whose squares are zero in float16
NO_STEP = ({"regime": "tiny-gradients"}, {"regime": "unused-feature", "size": "one"})

limits = {
    "decay-through-float32": through_float32(
        "λ", "keras/src/backend/tensorflow/optimizer.py:97 (3.15.1)", option="root-value"
    ),
    "nan-times-zero": keeps_nan(option="root-coupled-micro"),
    "nothing-added-in-float16": Limit(
        "torch",
        "torch adds ε in the dtype of the weights: in float16 10⁻¹⁰ is 0, and where g² underflows "
        "as well, the step is 0/0",
        "torch/optim/adagrad.py:425 (2.13.0)",
        [{"backend": "torch", "dtype": "float16", "option": "plain"} | each for each in NO_STEP],
    ),
    "epsilon-of-zero": Limit(
        "numpy",
        "in float16 ε, 10⁻¹⁰, is 0: where g² underflows as well, the step is 0/0",
        "reference/adaptive.py, _over_root: float16 has nothing between 0 and 6e-8",
        [{"backend": "numpy", "dtype": "float16", "option": "plain"} | each for each in NO_STEP],
    ),
}
