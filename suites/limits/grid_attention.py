"""Known departures of multi-head attention over axes of a grid."""

from gaugeblock import Limit
from suites.limits.attention import (
    masked_within_float32,
    scale_in_float32,
    scores_overflow,
    seen_below_the_mask,
    softmax_slopes,
)
from suites.limits.layer_norm import HUGE

KERAS = {"contender": "keras.layers.MultiHeadAttention"}
UNEQUAL = "batch:3+rows:5+columns:7+heads:2+width:11"
WHERE = "keras/src/layers/attention/multi_head_attention.py"

limits = {
    # 1/√4 is exact
    "scale-in-float32": scale_in_float32("square", "large", UNEQUAL, source=f"{WHERE}:584 (3.15.1)", **KERAS),
    "causal-along-the-first-axis": Limit(
        "keras",
        "its causal mask has the length of the first axis, whatever it attends over: one row hides nothing",
        f"{WHERE}:801 (3.15.1)",
        {
            **KERAS,
            "backend": ("tensorflow", "keras-torch", "keras-jax"),
            "option": "along-rows-causal",
            "size": "one-row",
            "dtype": ("float64", "float32", "bfloat16", "float16"),
        },
    ),
    "masked-by-a-number": seen_below_the_mask("along-rows-masked", **KERAS),
    "masked-within-float32": masked_within_float32(
        *("along-columns-causal", "along-columns-masked"), regime=(*HUGE, "mixed-magnitudes")
    ),
    **scores_overflow("tensorflow", "jax", "numpy"),
    **softmax_slopes("tensorflow", "jax"),
}
