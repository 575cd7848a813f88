"""Known departures of group and instance normalisation."""

from gaugeblock import Limit
from suites.limits.layer_norm import FAST_VARIANCE_WHERE, UNCENTRED, UNCENTRED_GRADIENT

LARGE = {"regime": "large-mean"}
SQUARES = "takes the variance as E[x²] − E[x]², which cancels: "

limits = {
    "squares-in-channels-last": Limit(
        "torch",
        SQUARES + "torch's kernel for channels-last images (the one for contiguous images does not)",
        "aten/src/ATen/native/cpu/group_norm_kernel.cpp, GroupNormKernelImplChannelsLastInternal",
        {"backend": "torch", **LARGE, "contender": "torch.nn.GroupNorm", "mode": ("eager", "gaps")},
    ),
    "one-image-channels-last": Limit(
        "torch",
        "the gradients of one image are wrong: the kernel reads a channels-last gradient as a contiguous "
        "one, because of the stride that a view gave its batch axis, of length 1",
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
        {"backend": "jax", **LARGE, "contender": "flax.linen.GroupNorm"},
    ),
    "uncentred-gradient": Limit(
        "torch",
        UNCENTRED_GRADIENT,
        "aten/src/ATen/native/cpu/group_norm_kernel.cpp, GroupNormBackwardKernelImplInternal",
        {"backend": "torch", **LARGE, "direction": "gradient"},
        always=False,  # few elements are outside, and in a lucky draw none
    ),
    "uncentred-output": Limit(
        "keras",
        UNCENTRED,
        "keras/src/layers/normalization/group_normalization.py:209",
        {"backend": "tensorflow", **LARGE, "direction": "gradient"},
        always=False,  # few elements are outside, and in a lucky draw none
    ),
}
