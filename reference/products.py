"""Products of matrices, example by example, where either side may be turned, or shared by examples.

Formula
    Y = α op(A) op(B) + β C    op(X) is X or Xᵀ, of the last two axes; C is optional, α = β = 1 if not given
    Examples stand on leading axes, which broadcast.
Shapes
    A : (..., n, k)    or (..., k, n) if turned
    B : (..., k, m)    or (..., m, k) if turned
    C : (..., n, m)    any shape that broadcasts to that of the product
    y : (..., n, m)
Source
    Golub and Van Loan 2013, Matrix Computations, 1.1 and 1.3.7 (block matrices).
Choices
    The gradient of an argument that examples share is the sum over them.
    Where β is 0, C is not read (BLAS): its NaN do not reach Y, and its gradient is zero.
"""

import numpy as np


def product(A, B, C=None, *, turned=(), alpha=1.0, beta=1.0):
    y = _times(alpha, _op(A, "A" in turned) @ _op(B, "B" in turned))  # (..., n, m)
    return y if C is None or beta == 0 else y + _times(beta, C)


def product_vjp(dy, A, B, C=None, *, turned=(), alpha=1.0, beta=1.0):
    """d op(A) = α dY op(B)ᵀ and d op(B) = α op(A)ᵀ dY, turned back; dC = β dY."""
    dC, dy = _times(beta, dy), _times(alpha, dy)
    left, right = _op(A, "A" in turned), _op(B, "B" in turned)
    grads = {
        "A": _sum_to(_op(dy @ _op(right, True), "A" in turned), A.shape),
        "B": _sum_to(_op(_op(left, True) @ dy, "B" in turned), B.shape),
    }
    return grads if C is None else grads | {"C": _sum_to(dC, C.shape)}


def _times(factor, X):
    return X if factor == 1 else factor * X


def _op(X, turned):
    return np.swapaxes(X, -1, -2) if turned else X


def _sum_to(g, shape):
    """The gradient of broadcasting from `shape`: the sum over the axes that were broadcast."""
    g = g.sum(axis=tuple(range(g.ndim - len(shape)))) if g.ndim > len(shape) else g
    axes = tuple(i for i, n in enumerate(shape) if n == 1 and g.shape[i] != 1)
    return g.sum(axis=axes, keepdims=True) if axes else g
