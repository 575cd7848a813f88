"""Sliding-window attention: each query attends to the keys near it.

Formula
    Y = attention(Q, K, V) under the mask  i - left ≤ j ≤ i + right
Shapes
    q : (b, h, t, d)    queries
    k : (b, h, s, d)    keys
    v : (b, h, s, e)    values
    y : (b, h, t, e)
Source
    Beltagy et al. 2020, Longformer, section 3.1 (both sides). arXiv:2004.05150
    Child et al. 2019, section 4. arXiv:1904.10509. Jiang et al. 2023, Mistral 7B (left). arXiv:2310.06825
Choices
    left is the number of keys before the query's own position, which is always included: Mistral's window of
    W is left = W - 1, JAX's local_window_size=w is left = right = w.
    Causal is right = 0. A side that is None is unlimited.
    Positions count from the upper left corner when t ≠ s. A query without keys has no softmax: NaN.
    Conditioning of sliding-window-attention/plain/typical/* up to 11: in a window of two keys, dQ is a
    multiple of their difference.
    Conditioning of sliding-window-attention/plain/shifted-logits/* up to 10: logits of 1000 have rounding
    errors of 1000 u each.
"""

import numpy as np

from reference.attention import attention, attention_vjp


def sliding_window_attention(q, k, v, *, left=None, right=0):
    return attention(q, k, v, band(q.shape[2], k.shape[2], left, right))


def sliding_window_attention_vjp(dy, q, k, v, *, left=None, right=0):
    return attention_vjp(dy, q, k, v, band(q.shape[2], k.shape[2], left, right))


def band(queries, keys, left, right):
    """True where attention is allowed: (t, s)."""
    ahead = np.arange(keys) - np.arange(queries)[:, None]
    return (ahead >= (-queries if left is None else -left)) & (ahead <= (keys if right is None else right))
