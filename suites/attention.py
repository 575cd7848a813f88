"""Attention: softmax(Q Kᵀ / √d) V, reference/attention.py against each framework's fused kernel.

Convention: heads before time; a boolean mask is True where a key is seen; causal counts from the upper left.
torch and JAX's mask agree with that. Keras and JAX have time before heads, so their runs swap two axes.
A row that may see no key: torch gives zeros, the others the mean of the values. Both have a name here.
"""

import math

from bench.case import Case, Contender, Limit
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
    data = {
        "q": scale * rng.normal(size=(batch, heads, time, width)),
        "k": rng.normal(size=(batch, heads, keys, width)),
        "v": rng.normal(size=(batch, heads, keys, width)),
    }
    if regime == "shifted-logits":
        data["q"][..., 0] = data["k"][..., 0] = math.sqrt(1000 * math.sqrt(width))
    if masking == "additive":  # as a relative position bias: one for all of the batch
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
        q, k, v = (keras.ops.reshape(x, (b * h, -1, d)) for x in (q, k, v))  # the layer has no axis of heads
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

TORCH = {"device": "cpu", "direction": "gradient"}
SDPA = ("torch.nn.functional.scaled_dot_product_attention", "keras.ops.dot_product_attention")
KERAS = {
    "contender": "keras.ops.dot_product_attention",
    "dtype": "float64",
    "size": ("small", "blocks", "7b"),
}
KERAS_WHY = "scales by 1/√d computed in float32 (exact where √d is a power of two: gpt2, long)"
KERAS_WHERE = "keras/src/backend/tensorflow/nn.py:1774"
JAX = {"contender": "jax.nn.dot_product_attention", "dtype": "float64"}
JAX_WHY = "computes the softmax in float32, of float64 inputs too"
JAX_WHERE = "jax/_src/nn/functions.py:969; jax-ml/jax#21371"
SHIFTED, UNSHIFTED = {"regime": "shifted-logits"}, {"regime": ("typical", "large-logits")}
ONNX_WHY = "has no kernel for float64, and the operator's function takes ⁴√d in float32 for its scale"
ONNX_WHERE = "onnx/defs/nn/old.cc:4484 (1.23.2)"
LARGER = ("blocks", "gpt2", "long", "7b")
LIMITS = (
    *(
        Limit("onnxruntime", "==1.32.*", ONNX_WHY, ONNX_WHERE, z, {"dtype": "float64"} | cells)
        for z, cells in (
            ((3e7, 3e8), {"size": "small", "regime": "typical"}),
            ((4e5, 4e6), {"size": "blocks", "regime": "typical"}),  # ⁴√24 is nearly a float32
            ((8e6, 8e7), {"size": LARGER[1:], "regime": "typical"}),
            ((3e6, 3e7), {"size": "small", "regime": "large-logits"}),
            ((2e4, 2e5), {"size": "blocks", "regime": "large-logits"}),
            ((5e5, 5e6), {"size": LARGER[1:], "regime": "large-logits"}),
        )
    ),
    *(
        Limit("tensorflow", "==2.21.*", KERAS_WHY, KERAS_WHERE, z, KERAS | cells)
        for z, cells in (
            ((1e7, 1e8), {"regime": "typical", "size": "small"}),
            ((2e7, 2e8), {"regime": "typical", "size": LARGER}),
            ((1e6, 1e7), {"regime": "large-logits"}),
        )
    ),
    Limit(
        "tensorflow",
        "==2.21.*",
        KERAS_WHY,
        KERAS_WHERE,
        (5e4, 5e5),
        {**KERAS, **SHIFTED, "size": ("small", "blocks")},
    ),
    Limit("tensorflow", "==2.21.*", KERAS_WHY, KERAS_WHERE, (2e4, 2e5), {**KERAS, **SHIFTED, "size": "7b"}),
    Limit("jax", "==0.10.*", JAX_WHY, JAX_WHERE, (4e7, 4e8), {**JAX, **UNSHIFTED, "size": "small"}),
    Limit("jax", "==0.10.*", JAX_WHY, JAX_WHERE, (2e7, 2e8), {**JAX, **UNSHIFTED, "size": LARGER}),
    Limit("jax", "==0.10.*", JAX_WHY, JAX_WHERE, (2e7, 2e8), {**JAX, **SHIFTED}),
    Limit(
        "torch",
        "==2.13.*",
        "its backward kernel recomputes A as exp(S − log-sum): the rounding of the log-sum shifts a row",
        "aten/src/ATen/native/cpu/FlashAttentionKernel.cpp, cpu_flash_attention_backward: attn <- exp(…)",
        (0.7, 7),
        # with keys whose last axis is no run of memory it takes other kernels
        {
            **TORCH,
            "contender": SDPA,
            "regime": "large-logits",
            "direction": "gradient",
            "mode": ("eager", "compile"),
        },
    ),
    Limit(
        "torch",
        "==2.13.*",
        "its backward kernel recomputes S with 1/√d inside the product, its forward has it behind: A departs "
        "by a few u |S| (exact where √d is a power of two), and rows of dS do not add up to zero",
        "aten/src/ATen/native/cpu/FlashAttentionKernel.cpp, cpu_flash_attention_backward: scale * q @ k.T",
        (4, 40),
        {**TORCH, "contender": SDPA, **SHIFTED, "direction": "gradient", "size": ("blocks", "7b")},
    ),
    Limit(
        "keras-torch",
        "==2.13.*",
        "masks with −2e38, where torch's log-sum loses its log n: the backward takes 1 for each 1/n",
        "keras/src/backend/torch/nn.py:1386 and 1478 (3.15.1)",
        (1e7, 1e8),
        {**TORCH, "option": "masked-rows-mean"},
    ),
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
    limits=LIMITS,
    variants={
        "attention's rows without keys": {
            "zeros": ("masked-rows-zero",),
            "the mean of the values": ("masked-rows-mean",),
        }
    },
    rare=("shifted-logits",),
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
