"""Known departures of attention with further arguments."""

from gaugeblock import Limit
from suites.limits.activation import cancels
from suites.limits.attention import SOFTMAX, SOFTMAX_WHERE, softmax_slopes
from suites.limits.softmax import SLOPE, SLOPES

GROUPED = {"case": "grouped-attention"}

limits = {
    "softmax-in-float32": Limit(
        "jax",
        SOFTMAX,
        SOFTMAX_WHERE,
        {**GROUPED, "backend": "jax", "contender": "jax.nn.dot_product_attention", "dtype": "float64"},
    ),
    **softmax_slopes("torch", "tensorflow"),
    "slope-near-one-jax": cancels(
        "jax",
        SLOPE,
        SLOPES["jax"],
        **GROUPED,
        contender="jax.nn.dot_product_attention",
        direction="gradient",
        dtype=("float32", "bfloat16", "float16"),  # in float64 that of softmax-in-float32 is larger
    ),
}
