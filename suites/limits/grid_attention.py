"""Known departures of multi-head attention over axes of a grid."""

from gaugeblock import Limit
from suites.limits.attention import masked_within_float32, scores_overflow, softmax_slopes
from suites.limits.layer_norm import HUGE

KERAS = {"contender": "keras.layers.MultiHeadAttention"}
UNEQUAL = "batch:3+rows:5+columns:7+heads:2+width:11"
WHERE = "keras/src/layers/attention/multi_head_attention.py"

limits = {
    "scale-in-float32": Limit(
        "keras",
        "scales by 1/√d rounded to float32: tf.cast converts a Python number to float32 first",
        f"{WHERE}:584 (3.15.1)",
        # 1/√4 is exact
        {**KERAS, "backend": "tensorflow", "dtype": "float64", "size": ("square", "large", UNEQUAL)},
    ),
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
    "masked-by-a-number": Limit(
        "keras",
        "masks with −1e9 and clears what is masked: where all scores that are seen are below it, no weight "
        "is left",
        "keras/src/layers/activations/softmax.py:82 (3.15.1)",
        {
            **KERAS,
            "backend": "tensorflow",
            "option": "along-rows-masked",
            "regime": (*HUGE, "mixed-magnitudes", "offset"),
        },
        always=False,  # some score may be above it
    ),
    "masked-within-float32": masked_within_float32(
        *("along-columns-causal", "along-columns-masked"), regime=(*HUGE, "mixed-magnitudes")
    ),
    **scores_overflow("tensorflow", "jax", "numpy"),
    **softmax_slopes("tensorflow", "jax"),
}
