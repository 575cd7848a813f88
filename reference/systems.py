"""Systems of linear equations, example by example, from either side.

Formula
    solve    A X = B;  Aᵀ X = B if turned;  X A = B from the right
Shapes
    A : (b, n, n)
    B : (b, n, k)    (b, k, n) from the right
    y : (b, n, k)    X, with the shape of B
Source
    Golub and Van Loan 2013, Matrix Computations, 3.1. Giles 2008, 2.3.1 (the gradient).
Choices
    X A = B is Aᵀ Xᵀ = Bᵀ.
"""

import numpy as np


def solve(A, B, *, turned=False, right=False):
    if right:
        return _T(solve(A, _T(B), turned=not turned))
    return _each(_T(A) if turned else A, B)


def solve_vjp(dy, A, B, *, turned=False, right=False):
    """From A X = B: dB = A⁻ᵀ dX and dA = −dB Xᵀ."""
    if right:
        grads = solve_vjp(_T(dy), A, _T(B), turned=not turned)
        return {"A": grads["A"], "B": _T(grads["B"])}
    matrix = _T(A) if turned else A
    X, dB = _each(matrix, B), _each(_T(matrix), dy)
    dA = -dB @ _T(X)
    return {"A": _T(dA) if turned else dA, "B": dB}


def _each(A, B):
    """One system at a time."""
    return np.stack([np.linalg.solve(a, b) for a, b in zip(A, B, strict=True)])


def _T(x):
    return np.swapaxes(x, -1, -2)
