"""Known departures of attention with further arguments."""

from gaugeblock import Limit
from suites.limits.activation import cancels
from suites.limits.attention import (
    SOFTMAX,
    SOFTMAX_WHERE,
    default_scale,
    masked_by_a_difference,
    softmax_slopes,
)
from suites.limits.infinite_attention import all_below, masked_by_a_number
from suites.limits.layer_norm import HUGE
from suites.limits.softmax import SLOPE, SLOPES

GROUPED = {"case": "grouped-attention"}
INFINITE = {**GROUPED, "regime": "one-infinity", "direction": "forward"}
MASKED = ("scale-causal", "grouped-causal", "grouped-boolean-mask")
UNSCALED = ("grouped", "grouped-causal", "grouped-boolean-mask")
LENGTHS = ("key-lengths", "both-lengths", "both-lengths-causal")

limits = {
    "scale-in-float32": default_scale("blocks", **GROUPED, option=UNSCALED),
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
    "scale-contracted": Limit(
        "keras",
        "compiled, scale · S − max is one multiply-add, whose unrounded product exceeds its rounded maximum "
        "by u |S|: exp overflows to NaN",
        "keras/src/layers/attention/attention.py:123 (3.15.1), as XLA compiles it with fused multiply-add",
        {
            "case": "scored-attention",
            "backend": "tensorflow",
            "mode": "xla",
            "option": ("dot-scale", "dot-scale-scores-masks"),
            "regime": HUGE,
        },
        always=False,
    ),
    "masked-by-a-difference": masked_by_a_difference(
        case="scored-attention",
        option=("dot-masks", "dot-value-mask-causal", "dot-scale-scores-masks"),
    ),
    "masked-keys-are-seen-jax": masked_by_a_number(
        "jax",
        "jax/_src/nn/functions.py:866",
        **INFINITE,
        option=(*MASKED, *LENGTHS),
        backend="jax",
        contender="jax.nn.dot_product_attention",
    ),
    "masked-keys-are-seen-keras": masked_by_a_number(
        "keras",
        "keras/src/backend/tensorflow/nn.py:1699 (3.15.1)",
        **INFINITE,
        option=MASKED,
        backend="tensorflow",
        contender="keras.ops.dot_product_attention",
    ),
    "all-below-is-masked": all_below(**INFINITE, option=MASKED),
}
