"""Multi-head attention over some axes of a grid of vectors; along the others each row is one of its own.

Formula
    Y = multi-head attention (multi_head_attention.py) of the sequences along the chosen axes
    axes 2: each row of the grid is a sequence; 1: each column; 1 and 2: all places are one sequence
Shapes
    x : (b, p, q, c)    a grid of vectors; y has the same shape
    heads : the weights, as in multi_head_attention.py
    W_Q : (c, h, d)    projections, head by head; W_K has the same shape
    W_V : (c, h, e)
    W_O : (h, e, c)
    b_Q : (h, d)    biases; b_K has the same shape
    b_V : (h, e)
    b_O : (c,)
    mask : (b, 1, n, n)    boolean, True where attention is allowed, of the n places of a sequence; any shape
        that broadcasts
    y : (b, p, q, c)
Source
    Ho et al. 2019, Axial attention in multidimensional transformers, section 3. arXiv:1912.12180
Choices
    Causal along one axis: a place sees those before it in its own sequence.
    Conditioning of grid-heads/*b_K up to 9e8: the gradient of b_K is zero for all inputs
    (multi_head_attention.py); a sum gives the rounding of its terms.
    Conditioning of grid-heads/* up to 10: the weights of the keys in dQ add up to zero, so that what the keys
    have in common cancels.
"""

import numpy as np

from reference.multi_head_attention import multi_head_attention, multi_head_attention_vjp


def grid_heads(x, heads, mask=None, *, axes=(1, 2), causal=False):
    y = multi_head_attention(_sequences(x, axes), heads, None, mask, causal=causal)
    return _grid(y, x, axes)


def grid_heads_vjp(dy, x, heads, mask=None, *, axes=(1, 2), causal=False):
    """The grid is only rearranged, so is its gradient."""
    rows = _sequences(x, axes)
    grads = multi_head_attention_vjp(_sequences(dy, axes), rows, heads, None, mask, causal=causal)
    return {"x": _grid(grads["x"], x, axes), "heads": grads["heads"]}


def _sequences(x, axes):
    """The sequences one below the other: (b p, q, c), (b q, p, c) or (b, p q, c)."""
    b, p, q, c = x.shape
    if axes == (1, 2):
        return x.reshape(b, p * q, c)
    return (np.swapaxes(x, 1, 2) if axes == (1,) else x).reshape(-1, x.shape[axes[0]], c)


def _grid(y, x, axes):
    """Back to the shape of x."""
    if axes != (1,):
        return y.reshape(x.shape)
    b, p, q, c = x.shape
    return np.swapaxes(y.reshape(b, q, p, c), 1, 2)
