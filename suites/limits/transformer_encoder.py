"""Known departures of a Transformer encoder."""

from gaugeblock import Limit
from suites.limits.attention import masked_within_float32
from suites.limits.transformer import of_layers

ONE, UNEVEN = "batch:1+time:1+heads:1+width:1+hidden:1", "batch:3+time:5+heads:7+width:2+hidden:11"

limits = of_layers(one=ONE, uneven=UNEVEN) | {
    "masked-within-float32": masked_within_float32("padding-mask"),
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
