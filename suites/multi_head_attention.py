"""Multi-head attention: reference/multi_head_attention.py against each framework's layer.

Convention: W_Q, W_K, W_V : (c, h, d) and W_O : (h, d, c), as in Keras and Flax; torch stacks the first three,
transposed, in one matrix. A mask is True where a key is seen; torch's layer wants the opposite. It has three
paths: need_weights=True, its default; a fused kernel without; a native one at inference.
"""

import math

import numpy as np

from bench.case import Case, Contender, Limit
from reference.multi_head_attention import multi_head_attention, multi_head_attention_vjp

SIZES = {
    "small": {"batch": 2, "heads": 2, "time": 9, "keys": 7, "width": 5},
    "one": {"batch": 1, "heads": 1, "time": 1, "keys": 1, "width": 2},
    "past-powers": {"batch": 3, "heads": 3, "time": 33, "keys": 65, "width": 17},
    "gpt2": {"batch": 1, "heads": 12, "time": 1024, "keys": 1024, "width": 64},
    "7b": {"batch": 1, "heads": 32, "time": 512, "keys": 512, "width": 128},
}
OPTIONS = {
    "self": {},
    "cross": {"cross": True},
    "cross-width": {"cross": True, "wider": 3},
    "head-width": {"times": 4, "wide_output": 2},  # 1/√(4d) has the rounding of 1/√d
    "value-width": {"wide_values": 2},
    "causal": {"causal": True},
    "padding-mask": {"masking": "padding"},
    "additive-mask": {"masking": "additive"},
    "no-shifts": {"shifts": False},
    "masked-rows-nan": {"masking": "rows", "masked_rows": "nan"},
    "masked-rows-zero": {"masking": "rows", "masked_rows": "zero"},
    "masked-rows-mean": {"masking": "rows", "masked_rows": "mean"},
}


def draw_heads(rng, c, heads, width, shifts=True, *, asked=None, values=None, output=None):
    """The weights of one layer for sequences of vectors of length c; `asked` is that of what is asked."""
    widths = {"Q": width, "K": width, "V": values or width}
    W = {
        f"W_{name}": rng.normal(size=(k := c if name == "Q" else asked or c, heads, d)) / k**0.5
        for name, d in widths.items()
    }
    W["W_O"] = rng.normal(size=(heads, widths["V"], output or c)) / (heads * widths["V"]) ** 0.5
    if shifts:
        W |= {f"b_{name}": rng.normal(size=(heads, d)) for name, d in widths.items()}
        W["b_O"] = rng.normal(size=output or c)
    return W


def draw_padding(rng, batch, time):
    """A mask of keys that hides the end of each sequence but the first."""
    lengths = np.array([time, *rng.integers(1, time, size=batch - 1)])
    return (np.arange(time) < lengths[:, None])[:, None, None]


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


def torch_heads(W):
    """A layer's weights in torch's names: three projections in one matrix, all (outputs, inputs)."""
    stacks = {name: W[f"W_{name}"].reshape(len(W[f"W_{name}"]), -1).T for name in "QKV"}
    if len(W["W_Q"]) == len(W["W_K"]):
        params = {"in_proj_weight": np.concatenate(list(stacks.values()))}
    else:
        params = {f"{name.lower()}_proj_weight": stack for name, stack in stacks.items()}
    params["out_proj.weight"] = W["W_O"].reshape(-1, W["W_O"].shape[-1]).T
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
    asked = {} if (k := len(W["W_K"])) == c else {"kdim": k, "vdim": k}
    layer = torch.nn.MultiheadAttention(c, h, bias="b_O" in W, batch_first=True, **asked).train(train)

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
    """What a row without keys is not, by option."""
    others = {"nan", "zero", "mean"} - {own}
    return {f"masked-rows-{other}": f"a row without keys is {own} (masked-rows-{own})" for other in others}


BOOLEAN = {"additive-mask": "the layer takes boolean masks only", **conventions("mean")}
DIVIDED = dict.fromkeys(("head-width", "value-width"), "heads share the width of x, and so does the output")
EVEN = {"value-width": "values are as wide as queries and keys"}
NOT_NATIVE = dict.fromkeys(
    ("cross", "cross-width", "additive-mask", "no-shifts"),
    "the native path needs self-attention, shifts and boolean masks (torch/nn/modules/activation.py:1326)",
)
LAYER = "torch.nn.MultiheadAttention"
FLOAT32_SCALE = Limit(
    "tensorflow",
    "==2.21.*",
    "scales by 1/√d rounded to float32: tf.cast of a Python number makes a float32 first",
    "keras/src/backend/tensorflow/nn.py:1708",
    (3e6, 3e7),
    {"dtype": "float64", "size": ("small", "past-powers", "7b")},  # 1/√64 is exact
)
MASKED_ROWS = Limit(
    "keras-torch",
    "==2.13.*",
    "masks with −2e38, where torch's log-sum loses its log n: the backward takes 1 for each 1/n",
    "keras/src/backend/torch/nn.py:1386 and 1478 (3.15.1)",
    (1e7, 1e8),
    {"device": "cpu", "direction": "gradient", "option": "masked-rows-mean"},
)
NOT_ALWAYS_NATIVE = tuple(
    Limit(
        "torch",
        ">=2.11,<2.14",
        f"{why} it leaves the native kernel for the fused one, and a row without keys is zeros for NaN",
        "torch/nn/modules/activation.py:1375",
        z=(math.inf, math.inf),
        cells={"contender": f"{LAYER}:inference", "option": "masked-rows-nan"} | cells,
    )
    for why, cells in (
        ("of an odd number of heads", {"size": "past-powers"}),
        ("in torch.compile", {"size": "small", "mode": "compile"}),
    )
)

case = Case(
    name="multi-head-attention",
    title="Multi-head attention",
    reference=multi_head_attention,
    gradient=multi_head_attention_vjp,
    inputs=inputs,
    sizes=SIZES,
    options=OPTIONS,
    limits=(FLOAT32_SCALE, MASKED_ROWS, *NOT_ALWAYS_NATIVE),
    rare=tuple(name for name in OPTIONS if name not in ("self", "causal", "padding-mask")),
    variants={
        "attention's rows without keys": {
            "NaN": ("masked-rows-nan",),
            "zeros": ("masked-rows-zero",),
            "the mean of the values": ("masked-rows-mean",),
        }
    },
    contenders=(
        Contender("torch", LAYER, in_torch, conventions("nan") | DIVIDED),
        Contender(
            "torch", LAYER, in_torch_fused, conventions("zero") | DIVIDED, variant="need_weights=False"
        ),
        Contender(
            "torch",
            LAYER,
            in_torch_native,
            conventions("nan") | DIVIDED | NOT_NATIVE,
            directions=("forward",),
            variant="inference",
        ),
        Contender("tensorflow", "keras.layers.MultiHeadAttention", in_keras, BOOLEAN),
        Contender("jax", "flax.linen.MultiHeadDotProductAttention", in_flax, BOOLEAN | EVEN),
    ),
    items=lambda *, batch, time, **_: batch * time,
    unit="tokens",
    flops=flops,
)
