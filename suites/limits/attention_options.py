"""Known departures of attention with further arguments."""

from gaugeblock import Limit
from suites.limits.attention import SOFTMAX, SOFTMAX_WHERE, softmax_slopes

GROUPED = {"case": "grouped-attention"}

limits = {
    "softmax-in-float32": Limit(
        "jax",
        SOFTMAX,
        SOFTMAX_WHERE,
        {**GROUPED, "backend": "jax", "contender": "jax.nn.dot_product_attention", "dtype": "float64"},
    ),
    **softmax_slopes("torch", "tensorflow"),
}
