"""Known departures of multi-head attention."""

from gaugeblock import Limit
from suites.limits.attention import (
    FINITE_MASK,
    UNEQUAL,
    masked_within_float32,
    scale_in_float32,
    scores_overflow,
    softmax_slopes,
)
from suites.limits.infinite_attention import nan_of_few_keys
from suites.limits.layer_norm import HUGE


def not_always_native(why, **cells):
    return Limit(
        "torch",
        f"{why} it uses the fused kernel in place of the native one, and a row without keys is zero, not NaN",
        "torch/nn/modules/activation.py:1375",
        {
            "backend": "torch",
            "contender": "torch.nn.MultiheadAttention:inference",
            "option": "masked-rows-nan",
            **cells,
        },
    )


limits = {
    "scale-in-float32": scale_in_float32("small", "past-powers", "7b", UNEQUAL),  # 1/√64 is exact
    "masked-within-float32": masked_within_float32("causal", "padding-mask", "masked-rows-mean"),
    "scale-contracted": Limit(
        "keras",
        "compiled, S/√d − max is one multiply-add, whose unrounded product exceeds its rounded maximum by "
        "u |S|: exp overflows to NaN (not if 1/√d is exact)",
        "keras/src/backend/tensorflow/nn.py:1707, as XLA compiles it for a CPU with fused multiply-add",
        {
            "backend": "tensorflow",
            "mode": "xla",
            "regime": (*HUGE, "mixed-magnitudes"),
            "dtype": ("float64", "float32"),
            "option": ("self", "cross", "cross-width", "head-width", "value-width", "no-shifts"),
        },
        always=False,
    ),
    "finite-mask": FINITE_MASK,
    "not-native-of-odd-heads": not_always_native("with an odd number of heads", size="past-powers"),
    "not-native-in-compile": not_always_native("in torch.compile", size="small", mode="compile"),
    "nan-of-few-keys": nan_of_few_keys(
        contender=("torch.nn.MultiheadAttention:need_weights=False", "torch.nn.MultiheadAttention:inference"),
        regime=("one-nan", "one-infinity"),
        direction="forward",
    ),
    **scores_overflow(),
    **softmax_slopes(),
    # where that of the scale is smaller
    "slope-near-one-tensorflow-far-above": softmax_slopes("tensorflow", regime="one-far-above")[
        "slope-near-one-tensorflow"
    ],
}
