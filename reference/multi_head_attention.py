"""Multi-head attention: attention between projections of a sequence, or of two sequences.

Formula
    headᵢ = attention(X Wᵢ^Q, Z Wᵢ^K, Z Wᵢ^V)        Z = X in self-attention
    Y = Concat(head₁ … headₕ) W^O
Shapes
    x : (b, t, c)    the sequence of the queries
    z : (b, s, c)    the sequence of keys and values; x if not given
    heads : the weights, a dict
    W_Q : (c, h, d)    projections, head by head; W_K has the same shape
    W_V : (c, h, e)
    W_O : (h, e, c)
    b_Q : (h, d)    biases; b_K has the same shape
    b_V : (h, e)
    b_O : (c,)
    mask : (b, 1, t, s)    boolean, True where attention is allowed; any shape that broadcasts
    bias : (h, t, s)    additive mask, any shape that broadcasts
    y : (b, t, c)
Source
    Vaswani et al. 2017, section 3.2.2. arXiv:1706.03762
Choices
    The projections have biases b, which are not in the paper; b_Q … b_O may be left out.
    Masks, causality and rows without keys are those of attention.py.
    Conditioning of multi-head-attention/*b_K up to 9e8: the gradient of b_K is zero for all inputs, because
    it moves all scores of a query alike; what a sum gives is only the rounding of its terms.
    Conditioning of multi-head-attention/* up to 10: the weights of the keys in dQ add up to zero, so that
    what the keys have in common cancels.
"""

import numpy as np

from reference.attention import attention, attention_vjp
from reference.linear import linear, linear_vjp


def multi_head_attention(x, heads, z=None, mask=None, bias=None, *, causal=False, masked_rows="nan"):
    """Concat(head₁ … headₕ) W^O."""
    Q, K, V = _projections(x, heads, x if z is None else z)
    Y = attention(Q, K, V, mask, bias, causal=causal, masked_rows=masked_rows)  # (b, h, t, e)
    return linear(_merge(Y), *_matrix(heads, "O"))  # (b, t, c)


def multi_head_attention_vjp(dy, x, heads, z=None, mask=None, bias=None, *, causal=False, masked_rows="nan"):
    """Backwards through W^O, the attention, and the three projections; x is used three times, or z twice."""
    asked = x if z is None else z
    Q, K, V = _projections(x, heads, asked)
    option = {"causal": causal, "masked_rows": masked_rows}
    Y = attention(Q, K, V, mask, bias, **option)  # (b, h, t, e)
    back = {"O": linear_vjp(dy, _merge(Y), *_matrix(heads, "O"))}
    grads = attention_vjp(_split(back["O"]["x"], Y.shape[1]), Q, K, V, mask, bias, **option)
    for name, y in (("Q", x), ("K", asked), ("V", asked)):
        back[name] = linear_vjp(_merge(grads[name.lower()]), y, *_matrix(heads, name))
    dx, dz = back["Q"]["x"], back["K"]["x"] + back["V"]["x"]
    found = {"x": dx + dz} if z is None else {"x": dx, "z": dz}
    found["heads"] = {path: back[path[-1]][path[0]].reshape(array.shape) for path, array in heads.items()}
    return found if bias is None else found | {"bias": grads["bias"]}


def _projections(x, heads, z):
    """Q, K, V, head by head: (b, h, t, d), (b, h, s, d), (b, h, s, e)."""
    h = heads["W_Q"].shape[1]
    return [_split(linear(y, *_matrix(heads, name)), h) for y, name in ((x, "Q"), (z, "K"), (z, "V"))]


def _matrix(heads, name):
    """W and b of a projection, with the axes of heads and width merged."""
    W, b = heads[f"W_{name}"], heads.get(f"b_{name}")
    if name == "O":
        return W.reshape(-1, W.shape[-1]), b  # (h e, c), (c,)
    return W.reshape(W.shape[0], -1), None if b is None else b.reshape(-1)  # (c, h d), (h d,)


def _split(y, h):
    b, t, width = y.shape
    return np.swapaxes(y.reshape(b, t, h, width // h), 1, 2)  # (b, h, t, d)


def _merge(Y):
    b, h, t, d = Y.shape
    return np.swapaxes(Y, 1, 2).reshape(b, t, h * d)
