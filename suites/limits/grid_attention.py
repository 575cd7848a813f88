"""Known departures of multi-head attention over axes of a grid."""

from gaugeblock import Limit
from suites.limits.activation import cancels
from suites.limits.softmax import SLOPE, SLOPES

KERAS = {"contender": "keras.layers.MultiHeadAttention"}
WHERE = "keras/src/layers/attention/multi_head_attention.py"

limits = {
    "scale-in-float32": Limit(
        "keras",
        "scales by 1/√d rounded to float32: tf.cast converts a Python number to float32 first",
        f"{WHERE}:584 (3.15.1)",
        # 1/√4 is exact
        {**KERAS, "backend": "tensorflow", "dtype": "float64", "size": ("square", "large")},
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
    "slope-near-one-tensorflow": cancels(
        "tensorflow", SLOPE, SLOPES["tensorflow"], direction="gradient", option="along-columns"
    ),
}
