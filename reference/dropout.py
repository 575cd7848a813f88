"""Dropout, and statistics of its output on multiples of one value, which do not depend on the mask.

Formula
    Y = X ∘ M / (1 - p)      where each m is 1 with probability 1 - p, else 0                 dropout
    with rows X_ij = v_i c_ij                                                                 dropped_rows
    first_i = Σ_j Y_ij / Σ_j M_ij c_ij, second_i = Σ_j Y²_ij / Σ_j M_ij c²_ij
    These are v_i / (1 - p) and its square for every M, provided that all kept elements are scaled alike.
    Gradient: dX = dY ∘ M / (1 - p), with the same M; dY_ij = dfirst_i / Σ_j M_ij c_ij + …, and
    dv_i = Σ_j dX_ij c_ij. Another mask M' would give Σ M'_ij c_ij over Σ M_ij c_ij.
Shapes
    v : (r,)    a value for each row
    c : (r, n)    its multiples, not zero
    mask : (r, n)    boolean, True where an element is kept
    y : (r, n)    if nothing is random: p = 0, p = 1, or inference
    first : (r,)    otherwise; second has the same shape
Source
    Srivastava et al. 2014, Dropout. JMLR 15, section 10 (scaling in training: inverted dropout)
Choices
    Kept elements are divided by 1 - p in training, so that inference is the identity. p is the share dropped.
    p = 1 gives zeros, not 0/0.
    Conditioning of dropout/*/* up to 8: the moments are sums over all draws, and a sum of n terms in any
    order loses a factor of √(n/6).
"""

import numpy as np


def dropout(x, mask, *, p=0.5, training=True):
    if not training:
        return +x
    return np.zeros_like(x) if p == 1 else x * mask / (1 - p)


def dropout_vjp(dy, x, mask, *, p=0.5, training=True):
    return {"x": dropout(dy, mask, p=p, training=training)}  # linear and self-adjoint


def dropped_rows(v, c, mask, *, p=0.5, training=True):
    y = dropout(v[:, None] * c, mask, p=p, training=training)  # (r, n)
    if certain(p, training):
        return {"y": y}
    kept = c * mask
    return {
        "first": y.sum(axis=1) / kept.sum(axis=1),
        "second": (y * y).sum(axis=1) / (kept * kept).sum(axis=1),
    }


def dropped_rows_vjp(dy, v, c, mask, *, p=0.5, training=True):
    """The gradient of v, through the layer's input; the multiples c belong to the test, not to the layer."""
    x, kept = v[:, None] * c, c * mask
    if certain(p, training):
        back = dy["y"] if isinstance(dy, dict) else dy
    else:
        y = dropout(x, mask, p=p, training=training)
        first = dy["first"] / kept.sum(axis=1)  # (r,)
        second = dy["second"] / (kept * kept).sum(axis=1)
        back = first[:, None] + 2 * y * second[:, None]
    return {"v": (dropout_vjp(back, x, mask, p=p, training=training)["x"] * c).sum(axis=1)}


def certain(p, training):
    """Whether the result is not random."""
    return not training or p in (0, 1)
