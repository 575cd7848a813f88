"""Attention with a given scale, shared keys, lengths, and the scores of a tanh.

Formula
    grouped    Y = attention(Q, K, V) as in attention.py, with c in place of 1/√d, and each head of K and V
               for several heads of Q in turn;  L = log Σⱼ e^Sᵢⱼ
    scored     S = s Q Kᵀ, or S = w Σ_d tanh(s (Q + K)) over all pairs;  A = softmax(S);  Y = A V
Shapes
    q : (b, h, t, d)    queries; scored has no axis of heads
    k : (b, g, s, d)    keys, g divides h; v the same
    mask : (b, 1, t, s)    boolean, True where attention is allowed; any shape that broadcasts
    asks : (b,)    lengths of the queries; keys : (b,) of the keys
    query_mask : (b, t)    boolean, False for rows of Y that are zero; value_mask : (b, s) for keys not seen
    scale : ()    s, 1 if not given; w alike
Source
    Ainslie et al. 2023, Grouped-query attention, section 2.2. arXiv:2305.13245
    Bahdanau et al. 2015, appendix A.1.2 (the tanh). arXiv:1409.0473
Choices
    Queries beyond their length have results of zero, and keys beyond theirs are not attended to.
    L has no gradient.
    Conditioning of grouped-attention/*, scored-attention/* up to 27: dQ is a sum of keys with weights that
    add up to zero.
"""

import math

import numpy as np

from reference.activation import softmax, softmax_vjp, tanh, tanh_vjp
from reference.attention import attention, attention_vjp


def grouped_attention(q, k, v, mask=None, asks=None, keys=None, *, scale=None, causal=False, sums=False):
    """Y, or {"y", "lse"} with sums."""
    mask = _within(mask, q, k, asks, keys)
    wide = _spread(k, q), _spread(v, q)
    rows = "nan" if asks is None else "zero"
    y = attention(q * _ratio(q, scale), *wide, mask, causal=causal, masked_rows=rows)
    return {"y": y, "lse": _sums(q, wide[0], scale)} if sums else y


def grouped_attention_vjp(
    dy, q, k, v, mask=None, asks=None, keys=None, *, scale=None, causal=False, sums=False
):
    """Each head of K and V gets the gradients of its queries."""
    mask, ratio = _within(mask, q, k, asks, keys), _ratio(q, scale)
    rows = "nan" if asks is None else "zero"
    dy = dy["y"] if isinstance(dy, dict) else dy  # the log-sum has no gradient
    wide = _spread(k, q), _spread(v, q)
    grads = attention_vjp(dy, q * ratio, *wide, mask, causal=causal, masked_rows=rows)
    return {"q": ratio * grads["q"], "k": _gathered(grads["k"], k), "v": _gathered(grads["v"], v)}


def scored_attention(
    q, k, v, scale=None, w=None, query_mask=None, value_mask=None, *, causal=False, concat=False, scores=False
):
    """Y, or {"y", "A"} with scores."""
    A = softmax(_masked(_scores(q, k, scale, w, concat), value_mask, causal))
    y = A @ v
    y = y if query_mask is None else np.where(query_mask[..., None], y, 0)
    return {"y": y, "A": A} if scores else y


def scored_attention_vjp(
    dy, q, k, v, scale=None, w=None, query_mask=None, value_mask=None, *, causal=False, concat=False,
    scores=False,
):  # fmt: skip
    """Back through the softmax and the scores; s and w get the sum over all pairs."""
    S = _masked(_scores(q, k, scale, w, concat), value_mask, causal)
    A, dA = softmax(S), 0
    if scores:
        dy, dA = dy["y"], dy["A"]
    dy = dy if query_mask is None else np.where(query_mask[..., None], dy, 0)
    dS = softmax_vjp(dy @ np.swapaxes(v, -1, -2) + dA, S)["x"]  # (b, t, s)
    s = 1 if scale is None else scale
    if concat:
        pairs = q[:, :, None] + k[:, None]  # (b, t, s, d)
        dpairs = tanh_vjp((dS if w is None else w * dS)[..., None], s * pairs)["x"]
        grads = {"q": (s * dpairs).sum(axis=2), "k": (s * dpairs).sum(axis=1)}
        ds = (dpairs * pairs).sum()
        grads |= {} if w is None else {"w": (dS * tanh(s * pairs).sum(axis=-1)).sum()}
    else:
        grads = {"q": s * (dS @ k), "k": s * (np.swapaxes(dS, -1, -2) @ q)}
        ds = (dS * (q @ np.swapaxes(k, -1, -2))).sum()
    return grads | {"v": np.swapaxes(A, -1, -2) @ dy} | ({} if scale is None else {"scale": ds})


def _ratio(q, scale):
    """What q is multiplied by, so that 1/√d becomes the scale."""
    return 1.0 if scale is None else scale * math.sqrt(q.shape[-1])


def _spread(k, q):
    return np.repeat(k, q.shape[1] // k.shape[1], axis=1)


def _gathered(g, k):
    b, h, s, d = g.shape
    return g.reshape(b, k.shape[1], h // k.shape[1], s, d).sum(axis=2)


def _within(mask, q, k, asks, keys):
    """The mask with the lengths of queries and keys."""
    t, s = np.arange(q.shape[-2])[:, None], np.arange(k.shape[-2])
    if asks is not None:
        lengths = t < asks[:, None, None, None]
        mask = lengths if mask is None else mask & lengths
    if keys is not None:
        lengths = s < keys[:, None, None, None]
        mask = lengths if mask is None else mask & lengths
    if mask is None:
        return None
    return np.broadcast_to(mask, (*mask.shape[:-2], len(t), len(s)))


def _sums(q, k, scale):
    S = (q * _ratio(q, scale)) @ np.swapaxes(k, -1, -2) / math.sqrt(q.shape[-1])
    most = S.max(axis=-1, keepdims=True)
    most = np.where(np.isfinite(most), most, 0)  # an infinite sum has an infinite logarithm
    return (most + np.log(np.exp(S - most).sum(axis=-1, keepdims=True)))[..., 0]  # (b, h, t)


def _scores(q, k, scale, w, concat):
    s = 1 if scale is None else scale
    if not concat:
        return s * (q @ np.swapaxes(k, -1, -2))
    total = tanh(s * (q[:, :, None] + k[:, None])).sum(axis=-1)
    return total if w is None else w * total


def _masked(S, value_mask, causal):
    if value_mask is not None:
        S = np.where(value_mask[:, None], S, -math.inf)
    if causal:
        S = np.where(np.tril(np.ones(S.shape[-2:], dtype=bool)), S, -math.inf)
    return S
