"""Known departures of norms of images by some pixels."""

from gaugeblock import Limit
from suites.limits.activation import DTYPES
from suites.limits.layer_norm import FAST_VARIANCE, FAST_VARIANCE_WHERE, squares

COUNT = "divides by the number of pixels that are seen plus 1e-7"
COUNT_WHERE = "keras/src/layers/normalization/batch_normalization.py:457 and 471 (3.15.1)"
SQUARED_IN_KERAS = "keras/src/layers/normalization/batch_normalization.py:463 (3.15.1)"


def number(case, option, always=True, **cells):
    return Limit(
        "keras",
        COUNT,
        COUNT_WHERE,
        {
            "backend": ("tensorflow", "keras-torch", "keras-jax"),
            "case": case,
            "contender": "keras.layers.BatchNormalization",
            "option": option,
            "dtype": "float64",  # with fewer bits, a number above 1 does not change
            **cells,
        },
        always,
    )


limits = {
    **squares("", keras=SQUARED_IN_KERAS, tensorflow={"case": "masked-batch"}),
    "fast-variance": Limit(
        "flax",
        FAST_VARIANCE,
        FAST_VARIANCE_WHERE,
        [
            {"backend": "jax", "case": case, "contender": f"flax.linen.{name}", "dtype": DTYPES}
            for case, name in (
                ("masked-batch", "BatchNorm"),
                ("masked-groups", "GroupNorm"),
                ("masked-groups", "InstanceNorm"),
            )
        ],
        always=False,  # of a mean of 0.5, few elements show it
    ),
    "number-plus-a-trifle": number("masked-batch", ("pixels", "pixels-bare", "pixels-momentum")),
}
