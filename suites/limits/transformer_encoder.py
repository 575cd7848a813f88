"""Known departures of a Transformer encoder."""

from gaugeblock import Limit
from suites.limits.attention import scores_overflow, softmax_slopes

limits = (
    scores_overflow()
    | softmax_slopes()
    | {
        "padded-places-not-computed": Limit(
            "torch",
            "runs padded sequences as nested tensors at inference: padded places are 0 before the last norm",
            "torch/nn/modules/transformer.py:546 (2.13.0)",
            {
                "backend": "torch",
                "contender": "torch.nn.TransformerEncoder:inference",
                "option": "padding-mask",
                "mode": ("eager", "transposed", "gaps"),
                "dtype": ("float64", "float32", "bfloat16", "float16"),
            },
        ),
    }
)
