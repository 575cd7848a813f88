"""Known departures of the Transformer with further arguments."""

from gaugeblock import LOW, Limit
from suites.limits.attention import scores_overflow, softmax_slopes

EVERY = ("float64", "float32", "bfloat16", "float16")
EQUAL = "batch:4+source:4+target:4+heads:4+width:4+hidden:4+layers:2"
INFERENCE = {"backend": "torch", "contender": "torch.nn.Transformer:inference", "dtype": EVERY}


def added_mask_hides(dtype, always=True):
    return Limit(
        "torch",
        "the fast path of its encoder takes what is not zero in an added mask for masked, and adds nothing",
        "torch/nn/modules/transformer.py:914 (2.13.0), without the check of activation.py:1326; "
        "aten/src/ATen/native/transformers/attention.cpp, masked_softmax: attn_mask.to(at::kBool)",
        # an odd number of heads has no fast path, one token sees itself
        INFERENCE | {"option": "source-added", "size": ("small", "large", EQUAL), "dtype": dtype},
        always,
    )


limits = {
    "added-mask-hides": added_mask_hides(dtype=("float64", "float32")),
    "added-mask-hides-in-few-bits": added_mask_hides(dtype=LOW, always=False),
    "padded-places-not-computed": Limit(
        "torch",
        "encodes padded sequences as nested tensors at inference: padded places are 0 before the last norm, "
        "and the decoder sees them if memory_key_padding_mask does not hide them",
        "torch/nn/modules/transformer.py:546 (2.13.0)",
        {
            **INFERENCE,
            "option": "source-keys",
            "size": ("small", "large"),
            "mode": ("eager", "transposed", "gaps"),
        },
    ),
    **scores_overflow("torch", "numpy"),
    **softmax_slopes("torch"),
}
