"""Known departures of norms of whole numbers."""

from gaugeblock import Limit
from suites.limits.activation import FLUSHES
from suites.limits.rms_norm import MULTIPLIED, flushes

EVERY = ("float64", "float32", "bfloat16", "float16")
KERAS = ("tensorflow", "keras-torch", "keras-jax")

limits = {
    "cut-to-whole-numbers": Limit(
        "keras",
        "casts its result back to the dtype of its inputs, so that only whole numbers are left of it",
        "keras/src/ops/nn.py:3055 and 3196, layers/normalization/group_normalization.py:210 (3.15.1)",
        {
            "backend": KERAS,
            "contender": tuple(
                f"keras.layers.{name}"
                for name in ("LayerNormalization", "RMSNormalization", "GroupNormalization")
            ),
            "direction": "forward",
            "dtype": EVERY,
        },
    ),
    "slope-in-float32": Limit(
        "keras",
        "computes with whole numbers in float32, whatever the dtype of its weights",
        "keras/src/ops/nn.py:3027 (3.15.1)",
        {
            "backend": KERAS,
            "contender": "keras.layers.RMSNormalization",
            "direction": "gradient",
            "dtype": "float64",
        },
    ),
    "whole-numbers-in-float32": Limit(
        "flax",
        "takes mean and variance of whole numbers in float32, whatever the dtype of its weights",
        "flax/linen/normalization.py:112 (0.12.8)",
        {"backend": "jax", "dtype": "float64"},
    ),
    "subnormal-weights": flushes("jax", FLUSHES["jax"], MULTIPLIED, direction="forward"),
}
