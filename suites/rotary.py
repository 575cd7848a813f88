"""Rotary positions: reference/rotary.py against the code of models that use them.

Convention: the exact angle of a whole position, and a table of cosines and sines in the dtype. Frameworks
have no function for it, so what is tested is what their users run: Hugging Face's Llama (halves) and GPT-J
(neighbours), the complex product of Meta's Llama (neighbours), and plain products. Angles are at least of
float32, as in all of these. "long" has the last positions of a context of 131,072 tokens, as of Llama 3: an
angle of so many radians in float32 is known to 0.004.
"""

import numpy as np

from gaugeblock import Case, Contender
from reference.rotary import rotary, rotary_vjp

SIZES = {
    "small": {"batch": 2, "heads": 3, "time": 7, "width": 8},
    "one": {"batch": 1, "heads": 1, "time": 1, "width": 8},
    "primes": {"batch": 2, "heads": 5, "time": 131, "width": 34},
    "llama": {"batch": 1, "heads": 32, "time": 64, "width": 128},
}
OPTIONS = {
    "halves": {},
    "neighbours": {"halves": False},
    "llama-base": {"base": 500000.0},
    "quarter": {"share": 0.25},
    "half-neighbours": {"halves": False, "share": 0.5},
}
REGIMES = {
    "typical": "positions from 0 on, as in a prompt",
    "long": "the last positions of a context of 131,072",
    "apart": "positions in any order and repeated, as of packed or padded sequences",
}
CONTEXT = 2**17


def inputs(rng, *, batch, heads, time, width, regime="typical", **option):
    positions = np.tile(np.arange(time), (batch, 1))
    if regime == "long":
        positions = positions + CONTEXT - time
    elif regime == "apart":
        positions = rng.integers(0, 4096, size=(batch, time))
    return {}, {"x": rng.normal(size=(batch, heads, time, width)), "positions": positions}


def torch_angles(x, positions, r, base):
    import torch

    kind = torch.promote_types(x.dtype, torch.float32)
    f = base ** (-torch.arange(0, r, 2, dtype=kind, device=x.device) / r)
    return positions[:, None, :, None] * f


def in_torch(weights, *, base=10000.0, halves=True, share=1.0, **option):
    import torch

    def run(params, x, positions):
        r = turned(x.shape[-1], share)
        theta = torch_angles(x, positions, r, base)
        c, s = torch.cos(theta).to(x.dtype), torch.sin(theta).to(x.dtype)
        if halves:
            a, b = x[..., :r].chunk(2, dim=-1)
            return {"y": torch.cat([a * c - b * s, a * s + b * c, x[..., r:]], dim=-1)}
        a, b = x[..., 0:r:2], x[..., 1:r:2]
        pairs = torch.stack([a * c - b * s, a * s + b * c], dim=-1)
        return {"y": torch.cat([pairs.flatten(-2), x[..., r:]], dim=-1)}

    return {}, run


def in_torch_complex(weights, *, base=10000.0, share=1.0, **option):
    """As in Meta's Llama: a pair is a complex number, and turning it is one product."""
    import torch

    def run(params, x, positions):
        r = turned(x.shape[-1], share)
        theta = torch_angles(x, positions, r, base)
        pairs = x[..., :r].to(theta.dtype).contiguous().reshape(*x.shape[:-1], r // 2, 2)
        y = torch.view_as_complex(pairs) * torch.polar(torch.ones_like(theta), theta)
        return {"y": torch.cat([torch.view_as_real(y).flatten(-2).to(x.dtype), x[..., r:]], dim=-1)}

    return {}, run


def in_llama(weights, *, base=10000.0, share=1.0, **option):
    import torch
    from transformers import LlamaConfig
    from transformers.models.llama import modeling_llama as llama

    parameters = {"rope_type": "default", "rope_theta": base}

    def run(params, x, positions):
        r = turned(x.shape[-1], share)
        config = LlamaConfig(head_dim=r, rope_parameters=parameters)
        cos, sin = llama.LlamaRotaryEmbedding(config).to(x.device)(x, positions)
        y, _ = llama.apply_rotary_pos_emb(x[..., :r], x[..., :r], cos, sin)
        return {"y": torch.cat([y, x[..., r:]], dim=-1)}

    return {}, run


def in_gptj(weights, *, share=1.0, **option):
    import torch
    from transformers.models.gptj import modeling_gptj as gptj

    def run(params, x, positions):
        r = turned(x.shape[-1], share)
        table = gptj.create_sinusoidal_positions(CONTEXT, r).to(x.device)[positions].to(x.dtype)
        y = gptj.apply_rotary_pos_emb(x[..., :r].transpose(1, 2), *table.chunk(2, dim=-1)).transpose(1, 2)
        return {"y": torch.cat([y, x[..., r:]], dim=-1)}

    return {}, run


def in_tensorflow(weights, *, base=10000.0, halves=True, share=1.0, **option):
    import tensorflow as tf

    def run(params, x, positions):
        r, kind = turned(x.shape[-1], share), tf.float64 if x.dtype == tf.float64 else tf.float32
        theta = tf.cast(positions, kind)[:, None, :, None] * base ** (-tf.range(0, r, 2, dtype=kind) / r)
        c, s = tf.cast(tf.cos(theta), x.dtype), tf.cast(tf.sin(theta), x.dtype)
        if halves:
            a, b = tf.split(x[..., :r], 2, axis=-1)
            return {"y": tf.concat([a * c - b * s, a * s + b * c, x[..., r:]], axis=-1)}
        a, b = x[..., 0:r:2], x[..., 1:r:2]
        pairs = tf.stack([a * c - b * s, a * s + b * c], axis=-1)
        return {"y": tf.concat([tf.reshape(pairs, tf.shape(x[..., :r])), x[..., r:]], axis=-1)}

    return {}, run


def in_jax(weights, *, base=10000.0, halves=True, share=1.0, **option):
    import jax.numpy as jnp

    def run(params, x, positions):
        r, kind = turned(x.shape[-1], share), jnp.promote_types(x.dtype, jnp.float32)
        theta = positions[:, None, :, None] * base ** (-jnp.arange(0, r, 2, dtype=kind) / r)
        c, s = jnp.cos(theta).astype(x.dtype), jnp.sin(theta).astype(x.dtype)
        if halves:
            a, b = jnp.split(x[..., :r], 2, axis=-1)
            return {"y": jnp.concatenate([a * c - b * s, a * s + b * c, x[..., r:]], axis=-1)}
        a, b = x[..., 0:r:2], x[..., 1:r:2]
        pairs = jnp.stack([a * c - b * s, a * s + b * c], axis=-1)
        return {"y": jnp.concatenate([pairs.reshape(*x.shape[:-1], r), x[..., r:]], axis=-1)}

    return {}, run


def turned(width, share):
    """How many components are turned."""
    return int(share * width) // 2 * 2


NEIGHBOURS = dict.fromkeys(("halves", "llama-base", "quarter"), "turns neighbours (see torch.cos)")
HALVES = dict.fromkeys(("neighbours", "half-neighbours"), "turns halves (see its GPT-J)")

case = Case(
    name="rotary",
    title="Rotary positions",
    reference=rotary,
    gradient=rotary_vjp,
    inputs=inputs,
    sizes=SIZES,
    options=OPTIONS,
    regimes=REGIMES,
    minor=True,
    contenders=(
        Contender("torch", "torch.cos", in_torch),
        Contender("torch", "torch.polar", in_torch_complex, without=NEIGHBOURS),
        Contender(
            "torch", "transformers.models.llama.modeling_llama.apply_rotary_pos_emb", in_llama, without=HALVES
        ),
        Contender(
            "torch",
            "transformers.models.gptj.modeling_gptj.apply_rotary_pos_emb",
            in_gptj,
            without=NEIGHBOURS,
        ),
        Contender("tensorflow", "tensorflow.cos", in_tensorflow),
        Contender("jax", "jax.numpy.cos", in_jax),
    ),
    items=lambda *, batch, time, **_: batch * time,
    unit="tokens",
    flops=lambda *, batch, heads, time, width, share=1.0, **_: (
        3 * batch * heads * time * turned(width, share)
    ),
)
