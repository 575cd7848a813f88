"""Known departures of sliding-window attention."""

from gaugeblock import Limit
from suites.limits.attention import BACKWARD, SOFTMAX, SOFTMAX_WHERE, softmax_slopes
from suites.limits.infinite_attention import masked_by_a_number

# options with several keys in a window: the softmax of a single key is 1 in any dtype
SEVERAL = ("plain", "both-sides", "uneven", "far-right", "wide")
NARROW = ("plain", "both-sides", "uneven", "own-place")

INFINITE = {"regime": "one-infinity", "direction": "forward", "option": (*SEVERAL, "own-place")}


def scale_inside(size, always=True):
    return Limit(
        "torch",
        "its backward kernel applies 1/√d inside the product, its forward kernel after it: A differs by "
        "a few u |S| (not if √d is a power of two: mistral)",
        BACKWARD + "scale * q @ k.T",
        {
            "backend": "torch",
            "device": "cpu",
            "direction": "gradient",
            "regime": "shifted-logits",
            "size": size,
        },
        always,
    )


limits = {
    "scale-in-float32": Limit(
        "keras",
        "scales by 1/√d computed in float32 (exact where √d is a power of two: mistral)",
        "keras/src/backend/tensorflow/nn.py:1774",
        {"backend": "tensorflow", "dtype": "float64", "option": SEVERAL, "size": ("small", "blocks")},
    ),
    "softmax-in-float32": Limit(
        "jax",
        SOFTMAX,
        SOFTMAX_WHERE,
        {
            "backend": "jax",
            "contender": "jax.nn.dot_product_attention",
            "dtype": "float64",
            "option": SEVERAL,
            "size": ("small", "blocks", "mistral", "batch:4+heads:4+time:4+keys:4+width:4"),
        },
    ),
    "log-sum-rounded": Limit(
        "torch",
        "its backward kernel recomputes A as exp(S − log-sum): with few keys, rounding shifts a whole row",
        BACKWARD + "attn <- exp(…)",
        {
            "backend": "torch",
            "device": "cpu",
            "direction": "gradient",
            "option": NARROW,
            "size": "blocks",
            "regime": "typical",
        },
        always=False,
    ),
    "scale-inside-the-product": scale_inside("blocks"),
    "scale-inside-the-product-few-keys": scale_inside("small", always=False),
    "masked-keys-are-seen-jax": masked_by_a_number(
        "jax", "jax/_src/nn/functions.py:866", **INFINITE, backend="jax"
    ),
    "masked-keys-are-seen-keras": masked_by_a_number(
        "keras", "keras/src/backend/tensorflow/nn.py:1699 (3.15.1)", **INFINITE, backend="tensorflow"
    ),
    **softmax_slopes(),
}
