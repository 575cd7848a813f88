"""Sliding-window attention: each query attends to a window of keys, to its left or on both sides.

JAX has an option for it: the number of keys on each side of the query's own. Users of torch, Keras and Flax
build the window as a boolean mask from positions; it is True where attention is allowed.
"""

import math
from functools import partial

from gaugeblock import Case, Contender
from reference.sliding_window import sliding_window_attention, sliding_window_attention_vjp


def inputs(rng, *, batch, heads, time, keys, width, regime="typical", **option):
    data = {"q": rng.normal(size=(batch, heads, time, width))}
    data |= {name: rng.normal(size=(batch, heads, keys, width)) for name in ("k", "v")}
    if regime == "shifted-logits":
        data["q"][..., 0] = data["k"][..., 0] = math.sqrt(1000 * math.sqrt(width))
    return {}, data


def seen(arange, queries, keys, left, right):
    """The mask that users build, with the framework's `arange`."""
    ahead = arange(keys) - arange(queries)[:, None]
    right = keys if right is None else right
    return (ahead >= -left) & (ahead <= right)


def in_torch(weights, *, left, right=0):
    import torch

    def run(params, q, k, v):
        arange = partial(torch.arange, device=q.device)
        mask = seen(arange, q.shape[2], k.shape[2], left, right)
        return {"y": torch.nn.functional.scaled_dot_product_attention(q, k, v, attn_mask=mask)}

    return {}, run


def in_keras(weights, *, left, right=0):
    import keras

    def run(params, q, k, v):
        mask = seen(keras.ops.arange, q.shape[2], k.shape[2], left, right)
        q, k, v = (keras.ops.swapaxes(x, 1, 2) for x in (q, k, v))
        y = keras.ops.dot_product_attention(q, k, v, mask=mask[None, None])
        return {"y": keras.ops.swapaxes(y, 1, 2)}

    return {}, run


def in_jax(weights, *, left, right=0):
    import jax

    def run(params, q, k, v):
        ends = (left, k.shape[2] if right is None else right)
        q, k, v = (x.swapaxes(1, 2) for x in (q, k, v))
        y = jax.nn.dot_product_attention(q, k, v, is_causal=right == 0, local_window_size=ends)
        return {"y": y.swapaxes(1, 2)}

    return {}, run


def in_flax(weights, *, left, right=0):
    import flax.linen
    import jax.numpy as jnp

    def run(params, q, k, v):
        mask = seen(jnp.arange, q.shape[2], k.shape[2], left, right)
        q, k, v = (x.swapaxes(1, 2) for x in (q, k, v))
        return {"y": flax.linen.dot_product_attention(q, k, v, mask=mask).swapaxes(1, 2)}

    return {}, run


OPTIONS = {
    "plain": {"left": 3},
    "both-sides": {"left": 2, "right": 2},
    "uneven": {"left": 1, "right": 4},
    "far-right": {"left": 3, "right": None},
    "wide": {"left": 127},
    "own-place": {"left": 0},
}
REGIMES = {
    "typical": "seeded normal draws",
    "shifted-logits": "a coordinate in common: logits 1000 and a few, whose e^S overflows, in float64 too",
}

case = Case(
    name="sliding-window-attention",
    title="Sliding-window attention",
    reference=sliding_window_attention,
    gradient=sliding_window_attention_vjp,
    inputs=inputs,
    sizes={
        "small": {"batch": 2, "heads": 2, "time": 9, "keys": 11, "width": 6},
        "one": {"batch": 1, "heads": 1, "time": 1, "keys": 1, "width": 3},
        "blocks": {"batch": 1, "heads": 1, "time": 131, "keys": 257, "width": 24},
        "mistral": {"batch": 1, "heads": 2, "time": 520, "keys": 520, "width": 64},
    },
    options=OPTIONS,
    regimes=REGIMES,
    rare=("shifted-logits",),
    minor=True,
    contenders=(
        Contender("torch", "torch.nn.functional.scaled_dot_product_attention", in_torch),
        Contender("tensorflow", "keras.ops.dot_product_attention", in_keras),
        Contender("jax", "jax.nn.dot_product_attention", in_jax),
        Contender("jax", "flax.linen.dot_product_attention", in_flax),
    ),
    items=lambda *, batch, time, **size: batch * time,
    unit="tokens",
    flops=lambda *, batch, heads, time, keys, width, **size: 4 * batch * heads * time * keys * width,
)
