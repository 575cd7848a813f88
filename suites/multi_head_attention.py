"""Multi-head attention: reference/multi_head_attention.py against each framework's layer.

Convention: W_Q, W_K, W_V : (c, h, d) and W_O : (h, d, c), as in Keras and Flax; torch stacks the first three,
transposed, in one matrix (suites/layers/attention.py). A mask is True where attention is allowed; torch's
mask is the opposite. Its layer has three paths: need_weights=True, the default; a fused kernel without it;
and a native one at inference. The page is long because of options that widen or mask parts of the layer.
"""

from functools import partial

import numpy as np

from gaugeblock import Case, Contender, Headline
from reference.multi_head_attention import multi_head_attention, multi_head_attention_vjp
from suites.layers.attention import draw_heads, draw_padding, flax_heads, torch_heads

SIZES = {
    "small": {"batch": 2, "heads": 2, "time": 9, "keys": 7, "width": 5},
    "one": {"batch": 1, "heads": 1, "time": 1, "keys": 1, "width": 2},
    "past-powers": {"batch": 3, "heads": 3, "time": 33, "keys": 65, "width": 17},
    "gpt2": {"batch": 1, "heads": 12, "time": 1024, "keys": 1024, "width": 64},
    "7b": {"batch": 1, "heads": 32, "time": 512, "keys": 512, "width": 128},
    "bert": {"batch": 8, "heads": 12, "time": 128, "keys": 128, "width": 64},
}
OPTIONS = {
    "self": {},
    "cross": {"cross": True},
    "cross-width": {"cross": True, "wider": 3},
    "head-width": {"times": 4, "wide_output": 2},  # 1/√(4d) rounds like 1/√d
    "value-width": {"wide_values": 2},
    "causal": {"causal": True},
    "padding-mask": {"masking": "padding"},
    "additive-mask": {"masking": "additive"},
    "no-shifts": {"shifts": False},
    "masked-rows-nan": {"masking": "rows", "masked_rows": "nan"},
    "masked-rows-zero": {"masking": "rows", "masked_rows": "zero"},
    "masked-rows-mean": {"masking": "rows", "masked_rows": "mean"},
}


def inputs(
    rng, *, batch, heads, time, keys, width, cross=False, shifts=True, masking=None,
    wider=0, times=1, wide_values=0, wide_output=0, **option,
):  # fmt: skip
    c = heads * width
    widths = {"asked": c + wider, "values": times * width + wide_values, "output": c + wide_output}
    W = draw_heads(rng, c, heads, times * width, shifts, **widths)
    x = rng.normal(size=(batch, time, c))
    data = {"x": x, "z": rng.normal(size=(batch, keys, c + wider))} if cross else {"x": x}
    if masking == "additive":
        data["bias"] = rng.normal(size=(time, time))
    elif masking == "padding":
        data["mask"] = draw_padding(rng, batch, time)
    elif masking == "rows":
        data["mask"] = np.tril(np.ones((time, time), bool)) & (np.arange(time) % 3 != 1)[:, None]
    return {"heads": W}, data


def in_torch(weights, *, causal=False, need_weights=True, train=True, **option):
    import torch

    W = weights["heads"]
    c, h, _ = W["W_Q"].shape
    asked = {} if (k := len(W["W_K"])) == c else {"kdim": k, "vdim": k}
    layer = torch.nn.MultiheadAttention(c, h, bias="b_O" in W, batch_first=True, **asked).train(train)

    def run(params, x, z=None, mask=None, bias=None):
        z = x if z is None else z
        call = {"need_weights": need_weights, "attn_mask": bias}
        if causal:
            future = ~torch.ones(x.shape[1], z.shape[1], dtype=torch.bool, device=x.device).tril()
            call |= {"attn_mask": future, "is_causal": True}
        elif mask is not None:
            call |= {"attn_mask": ~mask} if mask.ndim == 2 else {"key_padding_mask": ~mask[:, 0, 0]}
        return {"y": torch.func.functional_call(layer, params, (x, z, z), call)[0]}

    return torch_heads(W), run


in_torch_fused = partial(in_torch, need_weights=False)
in_torch_native = partial(in_torch, need_weights=False, train=False)


def in_keras(weights, *, causal=False, **option):
    import keras

    W = weights["heads"]
    c, h, d = W["W_Q"].shape
    widths = {"value_dim": W["W_V"].shape[-1], "output_shape": W["W_O"].shape[-1]}
    layer = keras.layers.MultiHeadAttention(h, d, use_bias="b_O" in W, **widths)
    layer.build((None, None, c), (None, None, len(W["W_K"])))
    params = [W[f"{kind}_{name}"] for name in "QKVO" for kind in "Wb" if f"{kind}_{name}" in W]

    def run(params, x, z=None, mask=None):
        masks = {"use_causal_mask": causal}
        if mask is not None:
            masks = {"attention_mask": mask[None]} if mask.ndim == 2 else {"value_mask": mask[:, 0, 0]}
        return {"y": layer.stateless_call(params, [], x, x if z is None else z, **masks)[0]}

    return params, run


def in_flax(weights, *, causal=False, **option):
    import flax.linen

    W = weights["heads"]
    c, h, d = W["W_Q"].shape
    widths = {} if h * d == c else {"qkv_features": h * d, "out_features": W["W_O"].shape[-1]}
    layer = flax.linen.MultiHeadDotProductAttention(h, use_bias="b_O" in W, **widths)

    def run(params, x, z=None, mask=None):
        if causal:
            mask = flax.linen.make_causal_mask(x[..., 0])
        elif mask is not None and mask.ndim == 2:
            mask = mask[None, None]
        return {"y": layer.apply({"params": params}, x, z, mask=mask)}

    return flax_heads(W), run


def flops(
    *, batch, heads, time, keys, width, cross=False, wider=0, times=1, wide_values=0, wide_output=0, **_
):
    """Four projections, and the two products of the attention."""
    c, s, d = heads * width, keys if cross else time, times * width
    e = d + wide_values
    projections = c * d * time + (c + wider) * (d + e) * s + e * (c + wide_output) * time
    return 2 * batch * heads * (projections + time * s * (d + e))


def conventions(own):
    """The masked-rows options that a framework with convention `own` does not have, with the reason."""
    others = {"nan", "zero", "mean"} - {own}
    return {f"masked-rows-{other}": f"a row without keys is {own} (masked-rows-{own})" for other in others}


DIVIDED = dict.fromkeys(("head-width", "value-width"), "heads share the width of x, and so does the output")
NAN, ZERO = conventions("nan") | DIVIDED, conventions("zero") | DIVIDED
NOT_NATIVE = NAN | dict.fromkeys(
    ("cross", "cross-width", "additive-mask", "no-shifts"),
    "the native path needs self-attention, shifts and boolean masks (torch/nn/modules/activation.py:1326)",
)
BOOLEAN = {"additive-mask": "the layer takes boolean masks only", **conventions("mean")}
EVEN = {"value-width": "values are as wide as queries and keys"}
LAYER = "torch.nn.MultiheadAttention"

case = Case(
    name="multi-head-attention",
    title="Multi-head attention",
    reference=multi_head_attention,
    gradient=multi_head_attention_vjp,
    inputs=inputs,
    sizes=SIZES,
    options=OPTIONS,
    rare=tuple(name for name in OPTIONS if name not in ("self", "causal", "padding-mask")),
    headlines=(
        Headline(
            "bert",
            "multi-head attention of BERT base, 8 × 128 tokens",
            "Devlin et al. 2018: 12 heads of width 64, 90 % of its training at length 128",
            growth=({"batch": 1, "time": 16, "keys": 16}, {"batch": 1, "time": 64, "keys": 64}, {"batch": 2}),
            gpu={"batch": 256},
        ),
    ),
    variants={
        "attention's rows without keys": {
            "NaN": ("masked-rows-nan",),
            "zeros": ("masked-rows-zero",),
            "the mean of the values": ("masked-rows-mean",),
        }
    },
    contenders=(
        Contender("torch", LAYER, in_torch, NAN),
        Contender("torch", LAYER, in_torch_fused, ZERO, variant="need_weights=False"),
        Contender("torch", LAYER, in_torch_native, NOT_NATIVE, directions=("forward",), variant="inference"),
        Contender("tensorflow", "keras.layers.MultiHeadAttention", in_keras, BOOLEAN),
        Contender("jax", "flax.linen.MultiHeadDotProductAttention", in_flax, BOOLEAN | EVEN),
    ),
    items=lambda *, batch, time, **_: batch * time,
    unit="tokens",
    flops=flops,
)
