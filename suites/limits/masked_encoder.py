"""Known departures of a Transformer's encoder under masks."""

from gaugeblock import Limit
from suites.limits.attention import scores_overflow, softmax_slopes

FINITE = ("additive", "keys-additive", "keys-and-additive", "additive-pre-norm")

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
            "size": ("small", "base"),  # an odd number of heads has no fast path, one token sees itself
            "dtype": ("float64", "float32", "bfloat16", "float16"),
        },
    ),
    **scores_overflow("torch", "numpy"),
    **softmax_slopes("torch"),
}
