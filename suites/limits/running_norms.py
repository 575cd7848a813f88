"""Known departures of norms of images by running statistics."""

from gaugeblock import Limit
from suites.limits.batch_options import SQUARED_IN_KERAS, number
from suites.limits.layer_norm import MOMENTS, UNCENTRED, squares

ONE = "batch:1+height:1+width:1+channels:1"
RENORMED = {"backend": "tensorflow", "case": "renormed-batch"}

limits = {
    **squares(
        "aten/src/ATen/native/Normalization.cpp, batch_norm_cpu_update_stats_template",
        keras=f"{MOMENTS}; {SQUARED_IN_KERAS}",
        flax="",
        torch={"case": "instance-statistics"},
        tensorflow={"case": "renormed-batch"},
    ),
    "uncentred-output": Limit(
        "tensorflow",
        UNCENTRED,
        "tensorflow/python/ops/nn_impl.py:1496",
        [
            {**RENORMED, "regime": ("offset", "negative-zeros")},
            {**RENORMED, "size": ONE},  # equal to its mean: the rounding error of μ a remains
        ],
        always=False,  # few elements are outside, for some seeds none
    ),
    "residual-sum-not-zero": Limit(
        "torch",
        "dx assumes that Σ (x − μ) is zero, but a large μ is rounded",
        "aten/src/ATen/native/cpu/batch_norm_kernel.cpp, batch_norm_cpu_backward_contiguous_impl",
        {
            "backend": "torch",
            "case": "instance-statistics",
            "regime": "offset",
            "direction": "gradient",
        },
        always=False,
    ),
    "number-plus-a-trifle": number("renormed-batch", ("some", "some-clipped")),
    "number-plus-a-trifle-of-one-pixel": number(
        "renormed-batch", ("some", "some-clipped"), False, size=ONE, dtype="float32", direction="gradient"
    ),
    "epsilon-in-float32": Limit(
        "keras",
        "its least known deviation is √ε with ε in float32: tf.cast converts a Python number to float32",
        "keras/src/layers/normalization/batch_normalization.py:496 (3.15.1)",
        {"backend": "tensorflow", "case": "renormed-batch", "option": "unknown", "dtype": "float64"},
    ),
}
