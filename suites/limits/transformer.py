"""Known departures of the Transformer."""

from gaugeblock import Limit
from suites.limits.attention import scale_in_float32, scores_overflow, softmax_slopes
from suites.limits.layer_norm import FAST_VARIANCE, FAST_VARIANCE_WHERE, mean_of_one, output_of_one


def of_layers(*, one, uneven):
    """What the attention and the norms of a model's layers bring with them.

    `one` is its size of one element, `uneven` one whose 1/√d is not exact.
    """
    return {
        "scale-in-float32": scale_in_float32(uneven),
        "fast-variance": Limit(
            "flax",
            FAST_VARIANCE,
            FAST_VARIANCE_WHERE,
            {"backend": "jax", "option": "pre-norm", "regime": ("constant-rows", "offset")},
            always=False,  # the sums of equal numbers may be exact
        ),
        "mean-rounded-in-the-scale": mean_of_one(one),
        "uncentred-output-lone-element": output_of_one(one, backend="tensorflow"),
        **scores_overflow(),
        **softmax_slopes(),
    }


limits = of_layers(
    one="batch:1+source:1+target:1+heads:1+width:1+hidden:1+layers:2",
    uneven="batch:3+source:5+target:7+heads:2+width:11+hidden:13+layers:2",
)
