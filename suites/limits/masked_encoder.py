"""Known departures of a Transformer's encoder under masks."""

from gaugeblock import Limit
from suites.limits.attention import scores_overflow, softmax_slopes
from suites.limits.layer_norm import mean_of_one

FINITE = ("additive", "keys-additive", "keys-and-additive", "additive-pre-norm")
EQUAL = "batch:4+time:4+heads:4+width:4+hidden:4+layers:2"

limits = {
    "added-mask-hides": Limit(
        "torch",
        "its fast path takes what is not zero in an added mask for masked, and adds nothing",
        "torch/nn/modules/transformer.py:914 (2.13.0), without the check of activation.py:1326; "
        "aten/src/ATen/native/transformers/attention.cpp, masked_softmax: attn_mask.to(at::kBool)",
        {
            "backend": "torch",
            "contender": (
                "torch.nn.TransformerEncoderLayer:inference",
                "torch.nn.TransformerEncoder:inference",
            ),
            "option": FINITE,
            "size": (
                "small",
                "base",
                EQUAL,
            ),  # an odd number of heads has no fast path, one token sees itself
            "dtype": ("float64", "float32", "bfloat16", "float16"),
        },
    ),
    "mean-rounded-in-the-scale": mean_of_one("batch:1+time:1+heads:1+width:1+hidden:1+layers:2"),
    **scores_overflow("torch", "numpy"),
    **softmax_slopes("torch"),
}
