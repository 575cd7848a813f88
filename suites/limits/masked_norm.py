"""Known departures of normalisation over an axis."""

from gaugeblock import Limit
from suites.limits.activation import DTYPES
from suites.limits.layer_norm import FAST_VARIANCE, FAST_VARIANCE_WHERE

limits = {
    "fast-variance": Limit(
        "flax",
        FAST_VARIANCE,
        FAST_VARIANCE_WHERE,
        {"backend": "jax", "contender": "flax.linen.LayerNorm", "dtype": DTYPES},
        always=False,  # of a mean of 0.5, few elements show it
    ),
}
