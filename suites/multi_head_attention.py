"""Multi-head attention: reference/multi_head_attention.py against each framework's layer.

Convention: W_Q, W_K, W_V : (c, h, d) and W_O : (h, d, c), as in Keras and Flax; torch stacks the first three,
transposed, in one matrix. A mask is True where a key is seen; torch's layer wants the opposite. It has three
paths: need_weights=True, its default; a fused kernel without; a native one at inference.
"""

import numpy as np

from bench.case import Case, Contender, Limit
from reference.multi_head_attention import multi_head_attention, multi_head_attention_vjp

SIZES = {
    "small": {"batch": 2, "heads": 2, "time": 9, "keys": 7, "width": 5},
    "gpt2": {"batch": 1, "heads": 12, "time": 1024, "keys": 1024, "width": 64},
    "7b": {"batch": 1, "heads": 32, "time": 512, "keys": 512, "width": 128},
}
OPTIONS = {
    "self": {},
    "cross": {"cross": True},
    "causal": {"causal": True},
    "padding-mask": {"masking": "padding"},
    "additive-mask": {"masking": "additive"},
    "no-shifts": {"shifts": False},
    "masked-rows-nan": {"masking": "rows", "masked_rows": "nan"},
    "masked-rows-zero": {"masking": "rows", "masked_rows": "zero"},
    "masked-rows-mean": {"masking": "rows", "masked_rows": "mean"},
}


def draw_heads(rng, c, heads, width, shifts=True):
    """The weights of one layer for sequences of vectors of length c."""
    W = {f"W_{name}": rng.normal(size=(c, heads, width)) / c**0.5 for name in "QKV"}
    W["W_O"] = rng.normal(size=(heads, width, c)) / (heads * width) ** 0.5
    if shifts:
        W |= {f"b_{name}": rng.normal(size=(heads, width)) for name in "QKV"} | {"b_O": rng.normal(size=c)}
    return W


def draw_padding(rng, batch, time):
    """A mask of keys that hides the end of each sequence but the first."""
    lengths = np.array([time, *rng.integers(1, time, size=batch - 1)])
    return (np.arange(time) < lengths[:, None])[:, None, None]


def inputs(rng, *, batch, heads, time, keys, width, cross=False, shifts=True, masking=None, **option):
    c = heads * width
    W, x = draw_heads(rng, c, heads, width, shifts), rng.normal(size=(batch, time, c))
    data = {"x": x, "z": rng.normal(size=(batch, keys, c))} if cross else {"x": x}
    if masking == "additive":
        data["bias"] = rng.normal(size=(time, time))
    elif masking == "padding":
        data["mask"] = draw_padding(rng, batch, time)
    elif masking == "rows":
        data["mask"] = np.tril(np.ones((time, time), bool)) & (np.arange(time) % 3 != 1)[:, None]
    return {"heads": W}, data


def torch_heads(W):
    """A layer's weights in torch's names: three projections in one matrix, all (outputs, inputs)."""
    c = W["W_Q"].shape[0]
    params = {"in_proj_weight": np.concatenate([W[f"W_{name}"].reshape(c, -1).T for name in "QKV"])}
    params["out_proj.weight"] = W["W_O"].reshape(-1, c).T
    if "b_O" in W:
        params["in_proj_bias"] = np.concatenate([W[f"b_{name}"].reshape(-1) for name in "QKV"])
        params["out_proj.bias"] = W["b_O"]
    return params


def flax_heads(W):
    """A layer's weights in Flax's tree."""
    names = {"query": "Q", "key": "K", "value": "V", "out": "O"}
    kinds = {"kernel": "W", "bias": "b"} if "b_O" in W else {"kernel": "W"}
    return {name: {kind: W[f"{x}_{name_}"] for kind, x in kinds.items()} for name, name_ in names.items()}


def in_torch(weights, *, causal=False, need_weights=True, train=True, **option):
    import torch

    W = weights["heads"]
    c, h, _ = W["W_Q"].shape
    layer = torch.nn.MultiheadAttention(c, h, bias="b_O" in W, batch_first=True).train(train)

    def run(params, x, z=None, mask=None, bias=None):
        z = x if z is None else z
        masks = {"attn_mask": bias}
        if causal:
            future = ~torch.ones(x.shape[1], z.shape[1], dtype=torch.bool, device=x.device).tril()
            masks = {"attn_mask": future, "is_causal": True}
        elif mask is not None:
            masks = {"attn_mask": ~mask} if mask.ndim == 2 else {"key_padding_mask": ~mask[:, 0, 0]}
        call = {"need_weights": need_weights, **masks}
        return {"y": torch.func.functional_call(layer, params, (x, z, z), call)[0]}

    return torch_heads(W), run


def in_torch_fused(weights, **option):
    return in_torch(weights, need_weights=False, **option)


def in_torch_native(weights, **option):
    return in_torch(weights, need_weights=False, train=False, **option)


def in_keras(weights, *, causal=False, **option):
    import keras

    W = weights["heads"]
    c, h, d = W["W_Q"].shape
    layer = keras.layers.MultiHeadAttention(h, d, use_bias="b_O" in W)
    layer.build((None, None, c), (None, None, c))
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
    layer = flax.linen.MultiHeadDotProductAttention(W["W_Q"].shape[1], use_bias="b_O" in W)

    def run(params, x, z=None, mask=None):
        if causal:
            mask = flax.linen.make_causal_mask(x[..., 0])
        elif mask is not None and mask.ndim == 2:
            mask = mask[None, None]
        return {"y": layer.apply({"params": params}, x, z, mask=mask)}

    return flax_heads(W), run


def conventions(own):
    """What a row without keys is not, by option."""
    others = {"nan", "zero", "mean"} - {own}
    return {f"masked-rows-{other}": f"a row without keys is {own} (masked-rows-{own})" for other in others}


BOOLEAN = {"additive-mask": "the layer takes boolean masks only", **conventions("mean")}
NOT_NATIVE = conventions("nan") | dict.fromkeys(
    ("cross", "additive-mask", "no-shifts"),
    "the native path needs self-attention, shifts and boolean masks (torch/nn/modules/activation.py:1326)",
)
LAYER = "torch.nn.MultiheadAttention"
FLOAT32_SCALE = Limit(
    "tensorflow",
    "==2.21.*",
    "scales by 1/√d rounded to float32: tf.cast of a Python number makes a float32 first",
    "keras/src/backend/tensorflow/nn.py:1708",
    (3e6, 3e7),
    {"dtype": "float64", "size": ("small", "7b")},  # 1/√64 is exact
)
MASKED_ROWS = Limit(
    "keras-torch",
    "==2.13.*",
    "masks with −2e38, where torch's log-sum loses its log n: the backward takes 1 for each 1/n",
    "keras/src/backend/torch/nn.py:1386 and 1478 (3.15.1)",
    (1e7, 1e8),
    {"device": "cpu", "direction": "gradient", "option": "masked-rows-mean"},
)

case = Case(
    name="multi-head-attention",
    title="Multi-head attention",
    reference=multi_head_attention,
    gradient=multi_head_attention_vjp,
    inputs=inputs,
    sizes=SIZES,
    options=OPTIONS,
    limits=(FLOAT32_SCALE, MASKED_ROWS),
    rare=("cross", "no-shifts", "additive-mask", "masked-rows-nan", "masked-rows-zero", "masked-rows-mean"),
    variants={
        "attention's rows without keys": {
            "NaN": ("masked-rows-nan",),
            "zeros": ("masked-rows-zero",),
            "the mean of the values": ("masked-rows-mean",),
        }
    },
    contenders=(
        Contender("torch", LAYER, in_torch, conventions("nan")),
        Contender("torch", LAYER, in_torch_fused, conventions("zero"), variant="need_weights=False"),
        Contender("torch", LAYER, in_torch_native, NOT_NATIVE, directions=("forward",), variant="inference"),
        Contender("tensorflow", "keras.layers.MultiHeadAttention", in_keras, BOOLEAN),
        Contender("jax", "flax.linen.MultiHeadDotProductAttention", in_flax, BOOLEAN),
    ),
    items=lambda *, batch, time, **_: batch * time,
    unit="tokens",
    flops=lambda *, batch, heads, time, keys, width, cross=False, **_: (
        4 * batch * heads * width * (heads * width * (time + (keys if cross else time)))
        + 4 * batch * heads * width * time * (keys if cross else time)
    ),
)
