"""Known departures of a Transformer encoder layer."""

from gaugeblock import Limit
from suites.limits.attention import scores_overflow, softmax_slopes

limits = {
    "gelu-constants-in-float32": Limit(
        "tensorflow",
        "the GELU rounds its constants to float32 (see activation)",
        "tensorflow/python/ops/nn_ops.py:3754",
        {"backend": "tensorflow", "dtype": "float64", "option": "gelu"},
    ),
    **scores_overflow(),
    **softmax_slopes(),
}
