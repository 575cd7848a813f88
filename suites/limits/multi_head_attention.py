"""Known departures of multi-head attention."""

from gaugeblock import Limit
from suites.limits.attention import FINITE_MASK, softmax_slopes


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
    "scale-in-float32": Limit(
        "keras",
        "scales by 1/√d rounded to float32: tf.cast converts a Python number to float32 first",
        "keras/src/backend/tensorflow/nn.py:1708",
        # 1/√64 is exact
        {"backend": "tensorflow", "dtype": "float64", "size": ("small", "past-powers", "7b")},
    ),
    "finite-mask": FINITE_MASK,
    "not-native-of-odd-heads": not_always_native("with an odd number of heads", size="past-powers"),
    "not-native-in-compile": not_always_native("in torch.compile", size="small", mode="compile"),
    **softmax_slopes(),
}
