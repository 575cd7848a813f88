"""Known departures of group and instance normalisation."""

from gaugeblock import Limit
from suites.limits.layer_norm import (
    FAST_VARIANCE_WHERE,
    UNCENTRED,
    UNCENTRED_GRADIENT,
    output_of_one,
    squares,
)

LARGE = {"regime": ("large-mean", "offset")}
SQUARES = "computes the variance as E[x²] − E[x]², which cancels: "
SQUARES_OF_KERAS = SQUARES + "Keras's moments on torch"
SQUARES_OF_KERAS_WHERE = "keras/src/backend/torch/nn.py:980 (3.15.1)"
CONTIGUOUS = ("torch.nn.functional.group_norm", "torch.nn.InstanceNorm2d")
TORCH = ("torch.nn.functional.group_norm", "torch.nn.GroupNorm", "torch.nn.InstanceNorm2d")

limits = {
    **squares("aten/src/ATen/native/cpu/group_norm_kernel.cpp, GroupNormKernelImplInternal"),
    "squares-in-channels-last": Limit(
        "torch",
        SQUARES + "torch's kernel for channels-last images (not the one for contiguous images)",
        "aten/src/ATen/native/cpu/group_norm_kernel.cpp, GroupNormKernelImplChannelsLastInternal",
        {"backend": "torch", **LARGE, "contender": "torch.nn.GroupNorm", "mode": ("eager", "gaps")},
    ),
    "one-image-channels-last": Limit(
        "torch",
        "the gradients of a batch of one image are wrong: a view changes the stride of the batch axis, and "
        "the kernel then reads a channels-last gradient as a contiguous one",
        "aten/src/ATen/native/Normalization.cpp, batch_norm_backward_cpu: suggest_memory_format()",
        {
            "backend": "torch",
            "contender": "torch.nn.InstanceNorm2d",
            "size": "one-image",
            "direction": "gradient",
            "mode": "eager",
        },
    ),
    "fast-variance": Limit(
        "flax",
        SQUARES + "Flax's default (use_fast_variance)",
        FAST_VARIANCE_WHERE,
        {"backend": "jax", **LARGE, "contender": ("flax.linen.GroupNorm", "flax.linen.InstanceNorm")},
    ),
    "fast-variance-of-keras-on-torch": Limit(
        "keras",
        SQUARES_OF_KERAS,
        SQUARES_OF_KERAS_WHERE,
        {"backend": "keras-torch", **LARGE, "contender": "keras.layers.GroupNormalization"},
    ),
    "uncentred-output-lone-element": output_of_one(
        "batch:1+height:1+width:1+channels:1",
        backend="tensorflow",
        contender="keras.layers.GroupNormalization",
    ),
    "uncentred-gradient": Limit(
        "torch",
        UNCENTRED_GRADIENT,
        "aten/src/ATen/native/cpu/group_norm_kernel.cpp, GroupNormBackwardKernelImplInternal",
        [
            {"backend": "torch", "direction": "gradient", "contender": TORCH, "regime": "large-mean"},
            {"backend": "torch", "direction": "gradient", "contender": CONTIGUOUS, "regime": "offset"},
        ],
        always=False,  # few elements are outside, for some seeds none
    ),
    "uncentred-output": Limit(
        "keras",
        UNCENTRED,
        "keras/src/layers/normalization/group_normalization.py:209",
        {"backend": "tensorflow", **LARGE, "direction": "gradient"},
        always=False,  # few elements are outside, for some seeds none
    ),
}
