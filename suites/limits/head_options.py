"""Known departures of multi-head attention with further arguments."""

from gaugeblock import Limit
from suites.limits.activation import cancels
from suites.limits.attention import scores_overflow, softmax_slopes
from suites.limits.softmax import SLOPE, SLOPES

MASKED = ("query-mask", "all-masks-scores")
OTHERS = (
    *("scores", "scores-causal", "scores-cross", "scores-mask", "values-apart", "values-apart-scores"),
    *("value-mask", "key-mask", "value-mask-causal", "mask-causal", "window", "window-causal", "window-mask"),
    *("gate", "gate-scores-causal"),
)

limits = {
    "query-mask-not-read": Limit(
        "keras",
        "does not read its argument query_mask, which it overwrites with the mask that the query carries",
        "keras/src/layers/attention/multi_head_attention.py:628 (3.15.1)",
        {
            "backend": ("tensorflow", "keras-torch", "keras-jax"),
            "contender": "keras.layers.MultiHeadAttention",
            "option": MASKED,
            "dtype": ("float64", "float32", "bfloat16", "float16"),
        },
    ),
    **scores_overflow(),
    **softmax_slopes("torch", "jax"),
    "slope-near-one-tensorflow": cancels(
        "tensorflow", SLOPE, SLOPES["tensorflow"], direction="gradient", option=OTHERS
    ),
}
