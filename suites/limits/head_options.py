"""Known departures of multi-head attention with further arguments."""

from gaugeblock import Limit
from suites.limits.activation import DTYPES, cancels
from suites.limits.attention import (
    UNEQUAL,
    adds_the_mask,
    masked_within_float32,
    scale_in_float32,
    scores_overflow,
    seen_below_the_mask,
    softmax_slopes,
)
from suites.limits.infinite_attention import masked_by_a_number, nan_of_few_keys
from suites.limits.softmax import SLOPE, SLOPES

MASKED = ("query-mask", "all-masks-scores")
OTHERS = (
    *("scores", "scores-causal", "scores-cross", "scores-mask", "values-apart", "values-apart-scores"),
    *("value-mask", "key-mask", "value-mask-causal", "mask-causal", "window", "window-causal", "window-mask"),
    *("gate", "gate-scores-causal"),
)
LAYER = ("keras.layers.MultiHeadAttention", "keras.layers.MultiHeadAttention:built-by-its-call")
KERAS = {"backend": "tensorflow", "contender": LAYER}
WITH_SCORES = ("scores-causal", "scores-mask", "all-masks-scores", "gate-scores-causal")
FUSED = tuple(name for name in OTHERS if ("mask" in name or "window" in name) and "scores" not in name)

EDGES = {"regime": ("one-nan", "one-infinity"), "direction": "forward"}

limits = {
    "scale-in-float32": scale_in_float32(
        UNEQUAL,
        source="keras/src/backend/tensorflow/nn.py:1708 and "
        "keras/src/layers/attention/multi_head_attention.py:584",
        contender=LAYER,
    ),
    "masked-is-cleared": Limit(
        "keras",
        "its softmax sets the weights of masked keys to zero at the end, also in a row that is NaN",
        "keras/src/layers/activations/softmax.py:82 (3.15.1)",
        {**KERAS, **EDGES, "option": WITH_SCORES},
        always=False,  # a row may see all keys
    ),
    "mask-is-added": adds_the_mask(
        *("scores-causal", "scores-mask", "scores-averaged-mask", "both-keys-mask-scores"),
        contender="torch.nn.MultiheadAttention",
    ),
    "masked-keys-are-seen-flax": masked_by_a_number(
        "flax",
        "flax/linen/attention.py:139",
        backend="jax",
        option=("scores-causal", "scores-mask", "mask-causal", "normed-causal"),
        **EDGES,
    ),
    "masked-by-a-number": seen_below_the_mask(WITH_SCORES, contender=LAYER, dtype=DTYPES),
    "masked-within-float32": masked_within_float32(*FUSED, contender=LAYER),
    "query-mask-not-read": Limit(
        "keras",
        "does not read its argument query_mask, which it overwrites with the mask that the query carries",
        "keras/src/layers/attention/multi_head_attention.py:628 (3.15.1)",
        {
            "backend": ("tensorflow", "keras-torch", "keras-jax"),
            "contender": LAYER,
            "option": MASKED,
            "dtype": ("float64", "float32", "bfloat16", "float16"),
        },
    ),
    "nan-of-few-keys": nan_of_few_keys(
        contender="torch.nn.MultiheadAttention",
        regime=("one-nan", "one-infinity"),
        option=(
            "values-apart",
            "further-key",
            "further-key-mask",
            "zero-key",
            "zero-key-causal",
            "both-keys",
        ),
    ),
    **scores_overflow(),
    **softmax_slopes("torch", "jax"),
    "slope-near-one-tensorflow": cancels(
        "tensorflow", SLOPE, SLOPES["tensorflow"], direction="gradient", option=OTHERS
    ),
}
