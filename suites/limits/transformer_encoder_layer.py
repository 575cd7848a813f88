"""Known departures of a Transformer encoder layer."""

from gaugeblock import Limit
from suites.limits.attention import masked_within_float32
from suites.limits.transformer import of_layers
from suites.limits.transformer_encoder import ONE, UNEVEN

limits = {
    "gelu-constants-in-float32": Limit(
        "tensorflow",
        "the GELU rounds its constants to float32 (see activation)",
        "tensorflow/python/ops/nn_ops.py:3754",
        {"backend": "tensorflow", "dtype": "float64", "option": "gelu"},
    ),
    "masked-within-float32": masked_within_float32("padding-mask", "causal"),
    **of_layers(one=ONE, uneven=UNEVEN),
}
