"""Known departures of RMSprop."""

from gaugeblock import Limit
from suites.limits.sgd_momentum import through_float32

limits = {
    "decay-through-float32": through_float32(
        "λ", "keras/src/backend/tensorflow/optimizer.py:97 (3.15.1)", option="root-value"
    ),
    "reciprocal-overflows": Limit(
        "optax",
        "optax multiplies the gradient by 1/(√v + ε), which float16 has not where √v + ε is below 1.5e-5",
        "optax/_src/transform.py:142 (0.2.8)",
        {"backend": "jax", "dtype": "float16", "option": "numbers"},
        always=False,
    ),
}
