"""Attention of queries that may be infinite, or NaN.

Formula
    Y = attention(Q, K, V) as in attention.py, and NaN for a query that is infinite, or NaN
Shapes
    q : (b, h, t, d)    queries, some of them infinite
    k : (b, h, s, d)    keys, finite
    v : (b, h, s, e)    values, finite
    mask : (b, 1, t, s)    boolean, True where attention is allowed; any shape that broadcasts
    bias : (h, t, s)    additive mask, any shape that broadcasts
    square : (b, h, t, 1)    its root multiplies a query, which is NaN where it is below zero
Source
    IEEE 754-2019, 7.2: ∞ − ∞ is invalid, and NaN.
Choices
    The largest score of such a query is ∞, and is subtracted from itself before the softmax.
    Gradients are left out: whether a key that the query may not see gets a NaN is for each library to choose.
"""

import math

import numpy as np

from reference.attention import attention


def infinite_attention(q, k, v, mask=None, bias=None, square=None, *, causal=False):
    finite = np.isfinite(q).all(axis=-1, keepdims=True)  # (b, h, t, 1)
    if square is not None:
        finite = finite & (square >= 0)
        q = q * np.sqrt(np.where(square >= 0, square, 1))
    return np.where(finite, attention(np.where(finite, q, 0), k, v, mask, bias, causal=causal), math.nan)
