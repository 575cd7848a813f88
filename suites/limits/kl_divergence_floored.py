"""Known departures of the Kullback-Leibler divergence of floored probabilities."""

from gaugeblock import Limit

SQUARE = "the gradient of log(p/q) has p/q², which overflows in float16 for a q near the floor"
SQUARE_WHERE = "keras/src/losses/losses.py:2106 (3.15.1)"

limits = {
    "quotient-overflows": Limit(
        "keras",
        "takes log(p/q), and p/q overflows in float16 for a q near the floor: the loss is infinite",
        "keras/src/losses/losses.py:2106 (3.15.1)",
        {"backend": "tensorflow", "dtype": "float16", "direction": "forward"},
        always=False,
    ),
    "quotient-overflows-numpy": Limit(
        "numpy",
        "takes log(p/q), and p/q overflows in float16 for a q near the floor: the loss is infinite",
        "reference/divergence.py, which has the range of float64 where it is the oracle",
        {"backend": "numpy", "dtype": "float16", "direction": "forward"},
        always=False,
    ),
    "square-overflows": Limit(
        "keras",
        SQUARE,
        SQUARE_WHERE,
        {"backend": "tensorflow", "dtype": "float16", "direction": "gradient"},
        always=False,
    ),
}
