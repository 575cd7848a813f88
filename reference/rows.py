"""Rows of a table by number: looked up where a number may be out of range, and changed in place.

Formula
    lookup       y_i = E[r(ids_i)];  r keeps a number in range, or y_i is filled
    add_rows     Y = X but for Y[r] = X[r] + α Σ_{i: ids_i = r} v_i,  α = 1 if not given
    set_rows     Y = X but for Y[ids_i] = v_i, where no number is there twice
Shapes
    E : (v, d)    the table
    ids : (n,)    row numbers, of any shape in a lookup
    x : (v, d)    a table that is changed
    new : (n, d)    v_i
    y : (n, d)    (v, d) of a changed table
Source
    NumPy 2.3, numpy.take (the modes clip and wrap), numpy.add.at.
Choices
    A negative number counts from the end (JAX, NumPy), once. What is out of range then: "fill" gives the fill
    and no gradient, "clip" the nearest row, "wrap" the number modulo v, from any number; a change of a row
    out of range is left out.
    With by_frequency a row's gradient is divided by the number of its uses (torch's scale_grad_by_freq).
"""

import numpy as np


def lookup(ids, E, *, mode="", fill=0.0, by_frequency=False):
    rows, out = _rows(ids, len(E), mode)
    return np.where(out[..., None], fill, E[rows]).astype(E.dtype) if mode == "fill" else E[rows]


def lookup_vjp(dy, ids, E, *, mode="", fill=0.0, by_frequency=False):
    """Each row collects the cotangents of its uses."""
    rows, out = _rows(ids, len(E), mode)
    if mode == "fill":
        dy = np.where(out[..., None], 0, dy)
    if by_frequency:
        uses = np.bincount(ids.ravel(), minlength=len(E))[ids]
        dy = dy / uses[..., None].astype(np.min_scalar_type(int(uses.max(initial=1))))
    dE = np.zeros_like(E)
    np.add.at(dE, rows, dy)
    return {"E": dE}


def add_rows(x, ids, new, *, alpha=1.0):
    y, (rows, out) = np.copy(x), _rows(ids, len(x), "fill")
    new = new if alpha == 1 else alpha * new
    np.add.at(y, rows, np.where(out[:, None], 0, new))
    return y


def add_rows_vjp(dy, x, ids, new, *, alpha=1.0):
    """∂Y[r]/∂X[r] = 1, and each v_i gets the cotangent of its row, times α."""
    rows, out = _rows(ids, len(x), "fill")
    dnew = np.where(out[:, None], 0, dy[rows])
    return {"x": dy, "new": dnew if alpha == 1 else alpha * dnew}


def set_rows(x, ids, new):
    y, (rows, out) = np.copy(x), _rows(ids, len(x), "fill")
    y[rows[~out]] = new[~out]
    return y


def set_rows_vjp(dy, x, ids, new):
    """A row that is set passes nothing to what was there."""
    rows, out = _rows(ids, len(x), "fill")
    dx = np.copy(dy)
    dx[rows[~out]] = 0
    return {"x": dx, "new": np.where(out[:, None], 0, dy[rows])}


def _rows(ids, n, mode):
    """The rows that are read, and which numbers are out of range."""
    if mode == "wrap":
        return ids % n, np.zeros(ids.shape, bool)
    if mode == "clip":
        return np.clip(ids, 0, n - 1), np.zeros(ids.shape, bool)
    rows = np.where(ids < 0, ids + n, ids)
    out = (rows < 0) | (rows >= n)
    return np.where(out, 0, rows), out
