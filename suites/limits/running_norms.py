"""Known departures of norms of images by running statistics."""

from gaugeblock import Limit
from suites.limits.batch_options import number

limits = {
    "number-plus-a-trifle": number("renormed-batch", ("some", "some-clipped")),
    "epsilon-in-float32": Limit(
        "keras",
        "its least known deviation is √ε with ε in float32: tf.cast converts a Python number to float32",
        "keras/src/layers/normalization/batch_normalization.py:496 (3.15.1)",
        {"backend": "tensorflow", "case": "renormed-batch", "option": "unknown", "dtype": "float64"},
    ),
}
