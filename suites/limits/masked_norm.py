"""Known departures of normalisation over an axis."""

from gaugeblock import Limit
from suites.limits.activation import DTYPES
from suites.limits.layer_norm import FAST_VARIANCE, FAST_VARIANCE_WHERE

limits = {
    "scale-of-the-last-axis": Limit(
        "keras",
        "multiplies by the scales along the last axis, whatever axis it is told; else it raises",
        "keras/src/ops/nn.py:3054 (3.15.1)",
        {
            "backend": ("tensorflow", "keras-torch", "keras-jax"),
            "contender": "keras.layers.RMSNormalization",
            "option": "root-middle",
            "size": "square",
            "dtype": DTYPES,
        },
    ),
    "fast-variance": Limit(
        "flax",
        FAST_VARIANCE,
        FAST_VARIANCE_WHERE,
        {"backend": "jax", "contender": "flax.linen.LayerNorm", "dtype": DTYPES},
        always=False,  # of a mean of 0.5, few elements show it
    ),
}
