"""Known departures of logistic regression's loss from logits."""

from gaugeblock import Limit
from suites.limits.activation import cancels
from suites.limits.binary_cross_entropy import SLOPE, SLOPES, infinite

limits = {
    **{
        f"slope-near-one-{package}": cancels(package, SLOPE, source, direction="gradient")
        for package, source in SLOPES.items()
    },
    "infinite-logit-times-zero": infinite(),
    "slope-of-softplus": Limit(
        "jax",
        "the gradient of JAX's softplus is exp(z - softplus(z)): the error is u |z|, or 31 u for |z| = 32",
        "jax/_src/lax/other.py:288",
        {"backend": "jax", "direction": "gradient", "regime": ("large-logits", "one-far-above")},
        always=False,
    ),
}
