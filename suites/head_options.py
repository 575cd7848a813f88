"""Multi-head attention with further arguments: reference/head_options.py against each framework's layer.

The weights as a result, of each head or their mean; values of a sequence of their own; masks of queries, keys
and values (Keras), a window and a gate (Keras); a further key, trained or zero (torch); a norm of queries and
keys (Flax). See suites/multi_head_attention.py for the layer without them.
"""

from functools import partial

import numpy as np

from gaugeblock import Case, Contender, Option
from reference.head_options import head_options, head_options_vjp
from suites.layers.attention import draw_heads, flax_heads, torch_heads

SIZES = {
    "small": {"batch": 3, "heads": 2, "time": 7, "keys": 5, "width": 4},
    "one": {"batch": 2, "heads": 2, "time": 1, "keys": 1, "width": 4},
    "large": {"batch": 2, "heads": 8, "time": 64, "keys": 96, "width": 64},
}
MASKS = ("query_mask", "value_mask", "key_mask")
OPTIONS: dict[str, Option] = {
    "scores": {"scores": "each"},
    "scores-causal": {"scores": "each", "causal": True},
    "scores-cross": {"scores": "each", "cross": True},
    "scores-mask": {"scores": "each", "masking": True},
    "scores-averaged": {"scores": "averaged"},
    "scores-averaged-mask": {"scores": "averaged", "masking": True},
    "values-apart": {"cross": True, "apart": True},
    "values-apart-scores": {"cross": True, "apart": True, "scores": "each"},
    "query-mask": {"masks": ("query_mask",)},
    "value-mask": {"masks": ("value_mask",)},
    "key-mask": {"masks": ("key_mask",)},
    "all-masks-scores": {"masks": MASKS, "scores": "each"},
    "value-mask-causal": {"masks": ("value_mask",), "causal": True},
    "mask-causal": {"masking": True, "causal": True},
    "window": {"window": 3},
    "window-causal": {"window": 2, "causal": True},
    "window-mask": {"window": 3, "masking": True},
    "gate": {"gate": True},
    "gate-scores-causal": {"gate": True, "scores": "each", "causal": True},
    "further-key": {"further": True},
    "further-key-scores": {"further": True, "scores": "each"},
    "further-key-mask": {"further": True, "masking": True},
    "zero-key": {"zero": True},
    "zero-key-causal": {"zero": True, "causal": True},
    "both-keys": {"further": True, "zero": True},
    "both-keys-mask-scores": {"further": True, "zero": True, "masking": True, "scores": "averaged"},
    "normed": {"normed": True},
    "normed-causal": {"normed": True, "causal": True},
}


def inputs(
    rng, *, batch, heads, time, keys, width, cross=False, apart=False, masks=(), masking=False, gate=False,
    further=False, normed=False, **option,
):  # fmt: skip
    c = heads * width
    W = draw_heads(rng, c, heads, width)
    if gate:
        W |= {"W_G": rng.normal(size=(c, heads, width)) / c**0.5, "b_G": rng.normal(size=(heads, width))}
    if further:
        W |= {"k": rng.normal(size=(heads, width)), "v": rng.normal(size=(heads, width))}
    if normed:
        W |= {f"norm_{name}": 1 + 0.3 * rng.normal(size=width) for name in "QK"}
    data = {"x": rng.normal(size=(batch, time, c))}
    data |= {"z": rng.normal(size=(batch, keys, c))} if cross else {}
    data |= {"r": rng.normal(size=(batch, keys, c))} if apart else {}
    for name in masks:
        data[name] = rng.uniform(size=(batch, time)) < 0.7
        data[name][:, 0] = True
    if masking:
        data["mask"] = (rng.uniform(size=(time, time)) < 0.6) | np.eye(time, dtype=bool)
    return {"heads": W}, data


def in_torch(weights, *, zero=False, causal=False, scores="", **option):
    import torch

    W = weights["heads"]
    c, h, _ = W["W_Q"].shape
    layer = torch.nn.MultiheadAttention(c, h, batch_first=True, add_bias_kv="k" in W, add_zero_attn=zero)
    params = torch_heads(W)
    params |= {f"bias_{name}": W[name].reshape(1, 1, -1) for name in "kv" if name in W}

    def run(params, x, z=None, r=None, mask=None):
        z = x if z is None else z
        mask = None if mask is None else ~mask
        if causal:
            future = ~torch.ones(x.shape[1], z.shape[1], dtype=torch.bool, device=x.device).tril()
            mask = future if mask is None else mask | future
        call = {"attn_mask": mask, "need_weights": bool(scores), "average_attn_weights": scores == "averaged"}
        y, A = torch.func.functional_call(layer, params, (x, z, z if r is None else r), call)
        return {"y": y, "A": A} if scores else {"y": y}

    return params, run


def in_keras(weights, *, causal=False, window=None, gate=False, scores="", late=False, **option):
    """If `late`, its first call builds the layer, as in a model that is called before it has its weights."""
    import keras

    W = weights["heads"]
    c, h, d = W["W_Q"].shape
    layer = keras.layers.MultiHeadAttention(h, d, sliding_window=window, use_gate=gate)
    if not late:
        layer.build((None, None, c), (None, None, c))
    params = [W[f"{kind}_{name}"] for name in ("QKGVO" if gate else "QKVO") for kind in "Wb"]

    def run(params, x, z=None, r=None, mask=None, **masks):
        z = x if z is None else z
        how = {"use_causal_mask": causal, "return_attention_scores": bool(scores), **masks}
        how |= {} if r is None else {"key": z}
        how |= {} if mask is None else {"attention_mask": mask[None]}
        if not layer.built:
            layer(x, z if r is None else r, **how)
        y, _ = layer.stateless_call(params, [], x, z if r is None else r, **how)
        return {"y": y[0], "A": y[1]} if scores else {"y": y}

    return params, run


def in_flax(weights, *, causal=False, normed=False, scores="", **option):
    import flax.linen

    W = weights["heads"]
    layer = flax.linen.MultiHeadDotProductAttention(W["W_Q"].shape[1], normalize_qk=normed)
    norms = {"query_ln": "norm_Q", "key_ln": "norm_K"} if normed else {}
    params = flax_heads(W) | {name: {"scale": W[key]} for name, key in norms.items()}

    def run(params, x, z=None, r=None, mask=None):
        past = flax.linen.make_causal_mask(x[..., 0]) if causal else None
        mask = flax.linen.combine_masks(past, None if mask is None else mask[None, None])
        if not scores:
            return {"y": layer.apply({"params": params}, x, z, r, mask=mask)}
        how = {"sow_weights": True, "mutable": ["intermediates"]}
        y, seen = layer.apply({"params": params}, x, z, r, mask=mask, **how)
        return {"y": y, "A": seen["intermediates"]["attention_weights"][0]}

    return params, run


def lacking(**reasons):
    """Options with one of these keywords, each with its reason."""
    return {name: why for word, why in reasons.items() for name, how in OPTIONS.items() if word in how}


TORCH = {"masks": "takes no such mask", "window": "has no window", "gate": "has no gate"}
ADDED = {"further": "has no further key", "zero": "has no further key"}
NORM = {"normed": "has no norm of queries and keys"}
AVERAGED = {
    name: "returns the weights of each head"
    for name, how in OPTIONS.items()
    if how.get("scores") == "averaged"
}

case = Case(
    name="head-options",
    title="Multi-head attention with further arguments",
    reference=head_options,
    gradient=head_options_vjp,
    inputs=inputs,
    sizes=SIZES,
    options=OPTIONS,
    minor=True,
    contenders=(
        Contender("torch", "torch.nn.MultiheadAttention", in_torch, lacking(**TORCH, **NORM)),
        Contender(
            "tensorflow", "keras.layers.MultiHeadAttention", in_keras, lacking(**ADDED, **NORM) | AVERAGED
        ),
        Contender(
            "tensorflow",
            "keras.layers.MultiHeadAttention",
            partial(in_keras, late=True),
            lacking(**ADDED, **NORM) | AVERAGED,
            modes=("function", "xla"),
            variant="built-by-its-call",
        ),
        Contender(
            "jax",
            "flax.linen.MultiHeadDotProductAttention",
            in_flax,
            lacking(**TORCH, **ADDED) | AVERAGED,
        ),
    ),
    items=lambda *, batch, time, **_: batch * time,
    unit="tokens",
    flops=lambda *, batch, heads, time, width, **_: (
        2 * batch * time * (4 * (heads * width) ** 2 + 2 * time * heads * width)
    ),
)
