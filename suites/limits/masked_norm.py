"""Known departures of normalisation over an axis."""

from gaugeblock import Limit
from suites.limits.activation import DTYPES, FLUSHES
from suites.limits.layer_norm import (
    FAST_VARIANCE,
    FAST_VARIANCE_WHERE,
    MOMENTS,
    UNCENTRED,
    UNCENTRED_GRADIENT,
    mean_of_one,
    squares,
)
from suites.limits.rms_norm import flushes

KERAS = ("tensorflow", "keras-torch", "keras-jax")
LAYER = "keras.layers.LayerNormalization"

limits = {
    **squares(
        "aten/src/ATen/native/cpu/moments_utils.h, RowwiseMoments; layer_norm.cpp, rms_norm_composite",
        keras=f"{MOMENTS}; keras/src/ops/nn.py:3046",
    ),
    "subnormal-inputs-jax": flushes("jax", FLUSHES["jax"]),
    "mean-rounded-in-the-scale": mean_of_one("batch:1+channels:1+width:1"),
    "scale-of-the-last-axis": Limit(
        "keras",
        "multiplies by the scales along the last axis, whatever axis it is told; else it raises",
        "keras/src/ops/nn.py:3054 (3.15.1)",
        {
            "backend": KERAS,
            "contender": "keras.layers.RMSNormalization",
            "option": "root-middle",
            "size": ("square", "batch:4+channels:4+width:4"),
            "dtype": DTYPES,
        },
    ),
    "fast-variance": Limit(
        "flax",
        FAST_VARIANCE,
        FAST_VARIANCE_WHERE,
        {"backend": "jax", "contender": "flax.linen.LayerNorm", "dtype": DTYPES},
        always=False,  # of a mean of 0.5, few elements show it
    ),
    "uncentred-gradient": Limit(
        "torch",
        UNCENTRED_GRADIENT,
        "aten/src/ATen/native/cpu/layer_norm_kernel.cpp, LayerNormBackwardKernelImplInternal",
        {
            "backend": "torch",
            "contender": "torch.nn.LayerNorm",
            "regime": "offset",
            "direction": "gradient",
            "dtype": ("float64", "float32", "float16"),
        },
        always=False,  # few elements are outside, for some seeds none
    ),
    "uncentred-output": Limit(
        "keras",
        UNCENTRED,
        "keras/src/ops/nn.py:3191 (3.15.1)",
        [
            {"backend": KERAS, "contender": LAYER, "regime": "offset", "direction": "gradient"},
            {
                "backend": KERAS,
                "contender": LAYER,
                "size": "batch:1+channels:1+width:1",  # equal to its mean: the rounding error of μ a remains
                "direction": "forward",
            },
        ],
        always=False,  # few elements are outside, for some seeds none
    ),
}
