"""Attention with further arguments: reference/attention_options.py against each framework's.

A scale, heads that share keys, lengths of sequences and the log-sum-exp are arguments of the fused kernels.
Keras's layer has no heads, takes a mask of queries and one of keys, and has two ways to score. See
suites/attention.py for masks and causality alone.
"""

import numpy as np

from gaugeblock import Case, Contender, Option, Refusal
from reference.attention_options import (
    grouped_attention,
    grouped_attention_vjp,
    scored_attention,
    scored_attention_vjp,
)

SIZES = {
    "small": {"batch": 3, "heads": 4, "time": 9, "keys": 11, "width": 16},
    "blocks": {"batch": 1, "heads": 2, "time": 67, "keys": 131, "width": 24},
    "large": {"batch": 2, "heads": 8, "time": 256, "keys": 256, "width": 64},
}
GROUPED: dict[str, Option] = {
    "scale": {"scale": 0.5},
    "grouped": {"groups": 2},
    "one-group": {"groups": 1},
    "grouped-causal": {"groups": 2, "causal": True},
    "grouped-boolean-mask": {"groups": 2, "masking": True},
    "grouped-scale": {"groups": 2, "scale": 0.5},
    "scale-causal": {"scale": 0.5, "causal": True},
    "key-lengths": {"lengths": "keys"},
    "query-lengths": {"lengths": "asks"},
    "both-lengths": {"lengths": "asks, keys"},
    "both-lengths-causal": {"lengths": "asks, keys", "causal": True},
    "sums": {"sums": True},
    "sums-grouped": {"sums": True, "groups": 2},
}
SCORED: dict[str, Option] = {
    "dot": {},
    "dot-masks": {"masks": ("query_mask", "value_mask")},
    "dot-scores": {"scores": True},
    "dot-value-mask-causal": {"masks": ("value_mask",), "causal": True},
    "dot-scale": {"scaled": True},
    "dot-scale-scores-masks": {"scaled": True, "scores": True, "masks": ("query_mask", "value_mask")},
    "concat": {"concat": True},
    "concat-scale": {"concat": True, "scaled": True},
    "concat-masks-causal": {"concat": True, "masks": ("query_mask", "value_mask"), "causal": True},
    "concat-scores": {"concat": True, "scores": True},
}


def lengths(rng, batch, most):
    return np.array([most, *rng.integers(1, most, size=batch - 1)], dtype=np.int32)


def grouped_inputs(rng, *, batch, heads, time, keys, width, groups=None, masking=False, **option):
    if groups and heads % groups:
        raise ValueError(f"{groups} groups do not divide {heads} heads")
    data = {"q": rng.normal(size=(batch, heads, time, width))}
    data |= {name: rng.normal(size=(batch, groups or heads, keys, width)) for name in ("k", "v")}
    if masking:
        data["mask"] = rng.uniform(size=(batch, 1, time, keys)) < 0.6
        data["mask"][..., 0] = True
    of = option.get("lengths", "")
    data |= {"asks": lengths(rng, batch, time)} if "asks" in of else {}
    data |= {"keys": lengths(rng, batch, keys)} if "keys" in of else {}
    return {}, data


def in_torch(weights, *, groups=None, scale=None, causal=False, **option):
    import torch

    call = torch.nn.functional.scaled_dot_product_attention
    how = {"is_causal": causal, "scale": scale, "enable_gqa": groups is not None}
    return {}, lambda params, q, k, v, mask=None: {"y": call(q, k, v, attn_mask=mask, **how)}


def in_keras(weights, *, scale=None, causal=False, **option):
    import keras

    def run(params, q, k, v, mask=None):
        q, k, v = (keras.ops.swapaxes(x, 1, 2) for x in (q, k, v))
        y = keras.ops.dot_product_attention(q, k, v, mask=mask, scale=scale, is_causal=causal)
        return {"y": keras.ops.swapaxes(y, 1, 2)}

    return {}, run


def in_jax(weights, *, scale=None, causal=False, sums=False, **option):
    import jax

    def run(params, q, k, v, mask=None, asks=None, keys=None):
        q, k, v = (x.swapaxes(1, 2) for x in (q, k, v))
        y = jax.nn.dot_product_attention(
            q, k, v, mask=mask, scale=scale, is_causal=causal,
            query_seq_lengths=asks, key_value_seq_lengths=keys, return_residual=sums,
        )  # fmt: skip
        if not sums:
            return {"y": y.swapaxes(1, 2)}
        return {"y": y[0].swapaxes(1, 2), "lse": y[1].swapaxes(1, 2)}

    return {}, run


def scored_inputs(rng, *, batch, heads, time, keys, width, masks=(), scaled=False, concat=False, **option):
    data = {"q": rng.normal(size=(batch, time, width)) / (1 if concat else width**0.5)}
    data |= {name: rng.normal(size=(batch, keys, width)) for name in ("k", "v")}
    found = {"query_mask": time, "value_mask": keys}
    for name in masks:
        data[name] = rng.uniform(size=(batch, found[name])) < 0.7
        data[name][:, 0] = True
    weights = {"scale": rng.uniform(0.5, 1, size=())} if scaled else {}
    return weights | ({"w": rng.uniform(0.5, 1, size=())} if concat else {}), data


def in_layer(weights, *, concat=False, scaled=False, causal=False, scores=False, **option):
    import keras

    layer = keras.layers.Attention(use_scale=scaled, score_mode="concat" if concat else "dot")
    layer.build([(None, None, 1)] * 3)

    def run(params, q, k, v, query_mask=None, value_mask=None):
        masks = [query_mask, value_mask, None]
        how = {"use_causal_mask": causal, "return_attention_scores": scores}
        y, _ = layer.stateless_call(params, [], [q, v, k], mask=masks, **how)
        return {"y": y[0], "A": y[1]} if scores else {"y": y}

    return [weights[name] for name in ("scale", "w") if name in weights], run


def lacking(*names):
    """Options of which the kernel has no argument, with what it lacks."""
    lacks = {"lengths": "takes no lengths", "sums": "does not return the log-sum-exp"}
    return {option: lacks[name] for name in names for option, how in GROUPED.items() if name in how}


COMMON = {
    "sizes": SIZES,
    "minor": True,
    "items": lambda *, batch, time, **_: batch * time,
    "unit": "tokens",
}
cases = (
    Case(
        name="grouped-attention",
        title="Attention with a scale, shared keys and lengths",
        reference=grouped_attention,
        gradient=grouped_attention_vjp,
        inputs=grouped_inputs,
        options=GROUPED,
        fixed=("lse",),
        contenders=(
            Contender(
                "torch",
                "torch.nn.functional.scaled_dot_product_attention",
                in_torch,
                lacking("lengths", "sums"),
            ),
            Contender(
                "tensorflow",
                "keras.ops.dot_product_attention",
                in_keras,
                lacking("lengths", "sums"),
                # it repeats the keys of several heads, but not those of one
                refuses=[
                    Refusal("one-group/eager/*", "but got dimension 1"),
                    Refusal("one-group/*", "Dimensions must be equal"),
                ],
            ),
            Contender("jax", "jax.nn.dot_product_attention", in_jax),
        ),
        flops=lambda *, batch, heads, time, keys, width, **_: 4 * batch * heads * time * keys * width,
        **COMMON,
    ),
    Case(
        name="scored-attention",
        title="Attention of a dot product or a tanh",
        reference=scored_attention,
        gradient=scored_attention_vjp,
        inputs=scored_inputs,
        options=SCORED,
        contenders=(Contender("tensorflow", "keras.layers.Attention", in_layer),),
        flops=lambda *, batch, time, keys, width, **_: 4 * batch * time * keys * width,
        **COMMON,
    ),
)
