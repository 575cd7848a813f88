"""Known departures of sparse categorical cross-entropy from logits."""

from gaugeblock import Limit

FORWARD = {"backend": "jax", "direction": "forward"}

limits = {
    "maximum-in-the-log-sum": Limit(
        "optax",
        "optax subtracts the target's logit from a log-sum-exp that includes the maximum: the error is u |z|",
        "optax/losses/_classification.py:404",
        (
            {**FORWARD, "regime": "shifted", "dtype": ("float64", "float32", "bfloat16", "float16")},
            {**FORWARD, "regime": "confident"},
            {**FORWARD, "option": "each"},
        ),
        always=False,  # only a small loss with a large logit shows it, and not for every seed
    ),
}
