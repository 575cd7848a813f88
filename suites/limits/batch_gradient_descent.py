"""Known departures of descent on a gradient for each example."""

from gaugeblock import Limit
from suites.limits.least_squares import squares_overflow

limits = {
    **squares_overflow(),
    "zero-times-infinity": Limit(
        "tensorflow",
        "the gradient of one example is a product where all others have a factor of zero: NaN where one of "
        "them, or its gradient, is infinite",
        "tensorflow/python/eager/backprop.py:1170 (GradientTape.jacobian of a batch of losses)",
        {
            "backend": "tensorflow",
            "contender": "tensorflow.GradientTape.jacobian",
            "regime": ("one-infinity", "constant-huge-rows"),
        },
        always=False,
    ),
}
