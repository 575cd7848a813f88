"""Known departures of norms of images by some pixels."""

from gaugeblock import Limit

COUNT = "divides by the number of pixels that are seen plus 1e-7"
COUNT_WHERE = "keras/src/layers/normalization/batch_normalization.py:457 and 471 (3.15.1)"


def number(case, option):
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
        },
    )


limits = {"number-plus-a-trifle": number("masked-batch", ("pixels", "pixels-bare", "pixels-momentum"))}
