"""Attention of queries that are infinite or NaN: reference/infinite_attention.py against fused kernels.

A model that went wrong is found by its NaN: of a query that is NaN, such as the root of a number below zero
("root"), and of one that has overflowed, from ∞ − ∞ in its softmax; and of no other query.
jax.nn.dot_product_attention computes float64 in float32, which cannot be measured beside a NaN. See
suites/attention.py for finite queries, and for what the masks mean.
"""

import numpy as np

from gaugeblock import Case, Contender
from reference.infinite_attention import infinite_attention
from suites.attention import in_flax, in_keras, in_torch

# few keys are fewer than a vector holds
SIZES = {
    "small": {"batch": 2, "heads": 3, "time": 9, "keys": 11, "width": 16},
    "few-keys": {"batch": 2, "heads": 3, "time": 9, "keys": 3, "width": 16},
    "blocks": {"batch": 1, "heads": 1, "time": 67, "keys": 523, "width": 16},
}
OPTIONS = {
    "plain": {},
    "root": {"root": True},
    "root-causal": {"root": True, "causal": True},
    "root-boolean-mask": {"root": True, "masking": "boolean"},
    "whole-query": {"whole": True},
    "below": {"below": True},
    "below-causal": {"below": True, "causal": True},
    "below-boolean-mask": {"below": True, "masking": "boolean"},
    "causal": {"causal": True},
    "boolean-mask": {"masking": "boolean"},
    "additive-mask": {"masking": "additive"},
}


def inputs(
    rng, *, batch, heads, time, keys, width, whole=False, root=False, below=False, masking="", **option
):
    data = {"q": rng.normal(size=(batch, heads, time, width))}
    data |= {name: rng.normal(size=(batch, heads, keys, width)) for name in ("k", "v")}
    # of one head of one example: the others are finite
    if root:
        data["square"] = rng.uniform(0.5, 2, size=(batch, heads, time, 1))
        data["square"][0, 0, time // 2] = -1
    else:
        data["q"][0, 0, time // 2, slice(None) if whole else 1] = np.inf
    if masking == "additive":
        data["bias"] = rng.normal(size=(heads, time, keys))
    if masking == "boolean":
        data["mask"] = rng.uniform(size=(batch, 1, time, keys)) < 0.6
        data["mask"][..., 0] = True
    # all scores of the query are of one infinity
    data["k"][0, 0, :, 1] = (-1 if below else 1) * abs(data["k"][0, 0, :, 1])
    return {}, data


def rooted(build, root):
    """The build for queries times the root of a number, if there is one."""

    def of(weights, **option):
        params, run = build(weights, **option)

        def times(params, q, k, v, square=None, **masks):
            return run(params, q if square is None else q * root(square), k, v, **masks)

        return params, times

    return of


def torch_root(x):
    return x.sqrt()


def keras_root(x):
    import keras

    return keras.ops.sqrt(x)


def jax_root(x):
    import jax

    return jax.numpy.sqrt(x)


case = Case(
    name="infinite-attention",
    title="Attention of infinite queries",
    reference=infinite_attention,
    inputs=inputs,
    sizes=SIZES,
    options=OPTIONS,
    minor=True,
    contenders=(
        Contender("torch", "torch.nn.functional.scaled_dot_product_attention", rooted(in_torch, torch_root)),
        Contender("tensorflow", "keras.ops.dot_product_attention", rooted(in_keras, keras_root)),
        Contender("jax", "flax.linen.dot_product_attention", rooted(in_flax, jax_root)),
    ),
    items=lambda *, batch, time, **_: batch * time,
    unit="tokens",
    flops=lambda *, batch, heads, time, keys, width, **_: 4 * batch * heads * time * keys * width,
)
