"""Scaled dot-product attention.

Formula
    S = Q Kᵀ / √d + B               B: an optional additive mask
    Sᵢⱼ = −∞ if query i may not attend to key j
    A = softmax(S)                  over the keys
    Y = A V
Shapes
    q : (b, h, t, d)    queries
    k : (b, h, s, d)    keys
    v : (b, h, s, e)    values
    mask : (b, 1, t, s)    boolean, True where attention is allowed; any shape that broadcasts
    bias : (h, t, s)    additive mask, any shape that broadcasts
    y : (b, h, t, e)
Source
    Vaswani et al. 2017, eq. (1). arXiv:1706.03762
Choices
    A boolean mask is True where attention is allowed.
    Causal means j ≤ i, counted from the upper left corner when t ≠ s.
    A query that may attend to no key has no softmax (0/0). `masked_rows` names three conventions: "nan",
    the literal formula; "zero"; and "mean", equal weights. The last two pass no gradient to S.
    Conditioning of attention/causal/typical/*, attention/masked-rows-zero/typical/*,
    attention/plain/large-logits/* up to 6: dQ is a sum of keys with weights that add up to zero.
    Conditioning of attention/plain/shifted-logits/* up to 16: logits of 1000 have rounding errors of 1000 u
    each.
"""

import math

import numpy as np

from reference.activation import softmax, softmax_vjp


def attention(q, k, v, mask=None, bias=None, *, causal=False, masked_rows="nan"):
    """Y = softmax(Q Kᵀ / √d) V, one head per slice."""
    S, empty = _scores(q, k, mask, bias, causal)
    return _weights(S, empty, masked_rows) @ v  # (b, h, t, e)


def attention_vjp(dy, q, k, v, mask=None, bias=None, *, causal=False, masked_rows="nan"):
    """Gradients of `attention`.

    Y = A V gives dV = Aᵀ dY and dA = dY Vᵀ; the softmax passes dA to S, but for rows without keys.
    S = Q Kᵀ / √d + B gives dQ = dS K / √d, dK = dSᵀ Q / √d, dB = dS.
    """
    S, empty = _scores(q, k, mask, bias, causal)
    A = _weights(S, empty, masked_rows)  # (b, h, t, s)
    dS = softmax_vjp(dy @ _T(v), S)["x"]  # (b, h, t, s)
    if empty is not None:
        dS = np.where(empty, math.nan if masked_rows == "nan" else 0.0, dS)
    dQK = dS / math.sqrt(q.shape[-1])
    grads = {"q": dQK @ k, "k": _T(dQK) @ q, "v": _T(A) @ dy}
    if bias is not None:
        grads["bias"] = _sum_to(dS, bias.shape)
    return grads


def _scores(q, k, mask, bias, causal):
    """S, with zeros in rows without keys, and which rows these are: (b, h, t, s), (b, 1, t, 1) or None."""
    S = q @ _T(k) / math.sqrt(q.shape[-1])
    if bias is not None:
        S = S + bias
    allowed = _allowed(q, k, mask, causal)
    if allowed is None:
        return S, None
    empty = ~np.any(allowed, axis=-1, keepdims=True)
    return np.where(empty, 0.0, np.where(allowed, S, -math.inf)), empty


def _weights(S, empty, masked_rows):
    """A = softmax(S): (b, h, t, s), rows sum to one."""
    if empty is None:
        return softmax(S)
    convention = {"nan": math.nan, "zero": 0.0, "mean": 1 / S.shape[-1]}
    return np.where(empty, convention[masked_rows], softmax(S))


def _allowed(q, k, mask, causal):
    """The keys that each query may attend to, or None if it may attend to all."""
    if not causal:
        return mask
    lower = np.tril(np.ones((q.shape[-2], k.shape[-2]), dtype=bool))  # (t, s)
    return lower if mask is None else lower & mask


def _T(x):
    return np.swapaxes(x, -1, -2)


def _sum_to(g, shape):
    """The gradient of broadcasting from `shape`: the sum over the axes that were broadcast."""
    g = np.sum(g, axis=tuple(range(g.ndim - len(shape)))) if g.ndim > len(shape) else g
    axes = tuple(i for i, n in enumerate(shape) if n == 1 and g.shape[i] != 1)
    return np.sum(g, axis=axes, keepdims=True) if axes else g
