"""Attention: softmax(Q Kᵀ / √d) V, reference/attention.py against each framework's fused kernel.

Convention: heads before time; a boolean mask is True where attention is allowed; causal counts from the upper
left. torch and JAX have the same masks. Keras and JAX have time before heads, so their runs swap two axes.
For a query without keys torch returns zeros, the others the mean of the values: two named conventions.
Where one key has nearly all the weight of a query, the gradient of the softmax cancels in every framework,
which is a known departure, on typical inputs too.
"""

import math

from gaugeblock import Case, Contender, Headline
from reference.attention import attention, attention_vjp

SIZES = {
    "small": {"batch": 2, "heads": 3, "time": 9, "keys": 11, "width": 8},
    "blocks": {"batch": 1, "heads": 1, "time": 67, "keys": 523, "width": 24},
    "gpt2": {"batch": 1, "heads": 12, "time": 1024, "keys": 1024, "width": 64},
    "long": {"batch": 1, "heads": 1, "time": 4096, "keys": 4096, "width": 64},
    "7b": {"batch": 1, "heads": 32, "time": 2048, "keys": 2048, "width": 128},
}
OPTIONS = {
    "plain": {},
    "causal": {"causal": True},
    "boolean-mask": {"masking": "boolean"},
    "additive-mask": {"masking": "additive"},
    "masked-rows-zero": {"masking": "rows", "masked_rows": "zero"},
    "masked-rows-mean": {"masking": "rows", "masked_rows": "mean"},
}
REGIMES = {
    "typical": "seeded normal draws",
    "large-logits": "queries × 20: rows near one-hot, where a softmax recomputed from its log-sum loses bits",
    "shifted-logits": "a coordinate in common: logits 1000 and a few, whose e^S overflows, in float64 too",
}


def inputs(rng, *, batch, heads, time, keys, width, masking=None, regime="typical", **option):
    scale = 20.0 if regime == "large-logits" else 1.0
    data = {"q": scale * rng.normal(size=(batch, heads, time, width))}
    data |= {name: rng.normal(size=(batch, heads, keys, width)) for name in ("k", "v")}
    if regime == "shifted-logits":
        data["q"][..., 0] = data["k"][..., 0] = math.sqrt(1000 * math.sqrt(width))
    if masking == "additive":  # like a relative position bias, the same for the whole batch
        data["bias"] = rng.normal(size=(heads, time, keys))
    elif masking:
        mask = rng.uniform(size=(batch, 1, time, keys)) < 0.6
        mask[..., 0] = True
        if masking == "rows":
            mask[..., 1::4, :] = False
        data["mask"] = mask
    return {}, data


def in_torch(weights, *, causal=False, **option):
    import torch

    def run(params, q, k, v, mask=None, bias=None):
        seen = mask if bias is None else bias
        y = torch.nn.functional.scaled_dot_product_attention(q, k, v, attn_mask=seen, is_causal=causal)
        return {"y": y}

    return {}, run


def in_keras(weights, *, causal=False, **option):
    import keras

    def run(params, q, k, v, mask=None, bias=None):
        q, k, v = (keras.ops.swapaxes(x, 1, 2) for x in (q, k, v))
        y = keras.ops.dot_product_attention(q, k, v, bias=bias, mask=mask, is_causal=causal)
        return {"y": keras.ops.swapaxes(y, 1, 2)}

    return {}, run


def in_keras_layer(weights, *, causal=False, **option):
    import keras

    layer = keras.layers.Attention(use_scale=True)
    layer.build([(None, None, 1)] * 3)

    def run(params, q, k, v):
        b, h, t, d = q.shape
        q, k, v = (keras.ops.reshape(x, (b * h, -1, d)) for x in (q, k, v))  # the layer has no head axis
        scale = keras.ops.convert_to_tensor(1 / math.sqrt(d), q.dtype)
        y, _ = layer.stateless_call([scale], [], [q, v, k], use_causal_mask=causal)
        return {"y": keras.ops.reshape(y, (b, h, t, d))}

    return {}, run


def in_jax(weights, *, causal=False, **option):
    import jax

    def run(params, q, k, v, mask=None, bias=None):
        q, k, v = (x.swapaxes(1, 2) for x in (q, k, v))
        y = jax.nn.dot_product_attention(q, k, v, bias=bias, mask=mask, is_causal=causal)
        return {"y": y.swapaxes(1, 2)}

    return {}, run


def in_flax(weights, *, causal=False, **option):
    import flax.linen
    import jax.numpy as jnp

    def run(params, q, k, v, mask=None, bias=None):
        if causal:
            mask = jnp.tril(jnp.ones((q.shape[-2], k.shape[-2]), bool))
        q, k, v = (x.swapaxes(1, 2) for x in (q, k, v))
        y = flax.linen.dot_product_attention(q, k, v, bias=bias, mask=mask)
        return {"y": y.swapaxes(1, 2)}

    return {}, run


MEAN = {"masked-rows-zero": "gives the mean of the values in a row without keys (see masked-rows-mean)"}
ZERO = {"masked-rows-mean": "gives zeros in a row without keys (see masked-rows-zero)"}
UNMASKED = dict.fromkeys(
    ("boolean-mask", "additive-mask", "masked-rows-zero", "masked-rows-mean"),
    "the layer takes a mask of keys only, not of pairs",
)


case = Case(
    name="attention",
    title="Scaled dot-product attention",
    reference=attention,
    gradient=attention_vjp,
    inputs=inputs,
    sizes=SIZES,
    options=OPTIONS,
    regimes=REGIMES,
    variants={
        "attention's rows without keys": {
            "zeros": ("masked-rows-zero",),
            "the mean of the values": ("masked-rows-mean",),
        }
    },
    rare=("shifted-logits",),
    headlines=(
        Headline(
            "gpt2",
            "causal attention of GPT-2 small, 1,024 tokens",
            "Radford et al. 2019: 12 heads of width 64, context 1,024",
            option="causal",
            direction="forward",
            growth=({"time": 128, "keys": 128}, {"time": 256, "keys": 256}, {"time": 512, "keys": 512}),
            gpu={"batch": 16},
        ),
    ),
    contenders=(
        Contender("torch", "torch.nn.functional.scaled_dot_product_attention", in_torch, without=ZERO),
        Contender("tensorflow", "keras.ops.dot_product_attention", in_keras, without=MEAN),
        Contender("tensorflow", "keras.layers.Attention", in_keras_layer, without=UNMASKED),
        Contender("jax", "jax.nn.dot_product_attention", in_jax, without=MEAN),
        Contender("jax", "flax.linen.dot_product_attention", in_flax, without=MEAN),
    ),
    items=lambda *, batch, time, **size: batch * time,
    unit="tokens",
    flops=lambda *, batch, heads, time, keys, width, **size: 4 * batch * heads * time * keys * width,
)
