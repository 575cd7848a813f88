"""Linear regression: the line, the hyperplane, the least-squares loss and its closed form.

Formula
    y = β₀ + β₁ x                                  line
    y = x W + b = [1 x] [b; W]                     linear
    J(W, b) = 1/(n m) Σ (x W + b − y)²             least_squares
    [b; W] = (XᵀX)⁻¹ Xᵀ y = R⁻¹ Qᵀ y,  X = [1 x] = Q R    normal_equations
Shapes
    x : (..., d)    inputs (line: (n,); least_squares, normal_equations: (n, d))
    W : (d, m)    slopes
    b : (m,)    intercepts
    y : (..., m)    predictions; in least_squares and normal_equations the targets, (n, m)
Source
    Legendre 1805, Nouvelles méthodes; Hastie, Tibshirani, Friedman 2009, The Elements of Statistical
    Learning, eqs. (3.1) to (3.6).
Choices
    W is stored (inputs, outputs); torch stores the transpose.
    x W + b is one sum of d + 1 terms, in any order: libraries add the intercept first or last.
    The loss is the mean over all elements, rows and outputs alike, without a factor 1/2.
    The closed form is computed by a QR factorisation. The limit is what the problem forces, an error of
    cond(X) and, for the part of y that the model leaves, cond(X)²; XᵀX as printed squares all of it.
    The matrix XᵀX must be invertible; no pseudo-inverse.
    Conditioning of least-squares/*/forward.y up to 6: the loss is a sum over all elements, in any order.
    Conditioning of normal-equations/* up to 50: each of the d + 1 reflections of a QR factorisation
    rounds all rows, and sums over them, in any order.
"""

import numpy as np

from reference.loss import mean_squared_error, mean_squared_error_vjp


def line(x, beta0, beta1):
    """y = β₀ + β₁ x for x : (n,) and scalars β₀, β₁ : ()."""
    return beta0 + beta1 * x  # (n,)


def line_vjp(dy, x, beta0, beta1):
    """∂y/∂β₀ = 1, ∂y/∂β₁ = x, ∂y/∂x = β₁."""
    return {"x": dy * beta1, "beta0": np.sum(dy), "beta1": np.sum(dy * x)}


def linear(x, W, b=None):
    """y = x W + b over the last axis of x; without b, y = x W."""
    return x @ W if b is None else _design(x) @ np.concatenate([b[None], W])  # (..., m)


def linear_vjp(dy, x, W, b=None):
    """y_j = Σ_i x_i W_ij + b_j: ∂x_i = Σ_j dy_j W_ij, ∂W_ij = Σ_rows x_i dy_j, ∂b_j = Σ_rows dy_j."""
    d, m = W.shape
    rows = dy.reshape(-1, m)  # (n, m)
    grads = {"x": dy @ W.T, "W": x.reshape(-1, d).T @ rows}  # (..., d), (d, m)
    if b is not None:
        grads["b"] = np.sum(rows, axis=0)  # (m,)
    return grads


def least_squares(x, y, W, b):
    """The mean squared residual of the linear model."""
    return mean_squared_error(linear(x, W, b), y)


def least_squares_vjp(dy, x, y, W, b):
    """The targets y are not differentiated."""
    dp = mean_squared_error_vjp(dy, linear(x, W, b), y)["p"]  # (n, m)
    return linear_vjp(dp, x, W, b)


def normal_equations(x, y):
    """The minimum of least_squares: {"W": (d, m), "b": (m,)}. XᵀX = RᵀR, so that R B = Qᵀy."""
    Q, R = np.linalg.qr(_design(x))  # (n, d+1), (d+1, d+1)
    B = np.linalg.solve(R, Q.T @ y)  # (d+1, m)
    return {"W": B[1:], "b": B[0]}


def normal_equations_vjp(dy, x, y):
    """XᵀX dB = dXᵀ r − Xᵀ dX B + Xᵀ dy with r = y − X B. For V = (XᵀX)⁻¹ ∂B: ∂X = r Vᵀ − X V Bᵀ, ∂y = X V.

    As XᵀX = RᵀR, X V = Q U and V = R⁻¹ U with U = R⁻ᵀ ∂B.
    """
    X = _design(x)  # (n, d+1)
    Q, R = np.linalg.qr(X)
    B = np.linalg.solve(R, Q.T @ y)  # (d+1, m)
    dB = np.concatenate([dy["b"][None, :], dy["W"]])  # (d+1, m)
    U = np.linalg.solve(R.T[::-1, ::-1], dB[::-1])[::-1]  # Rᵀ turned round is an upper triangle like R
    V = np.linalg.solve(R, U)  # (d+1, m)
    dX = (y - X @ B) @ V.T - Q @ U @ B.T  # (n, d+1)
    return {"x": dX[:, 1:], "y": Q @ U}


def _design(x):
    """[1 x]: the column of ones is for the intercepts."""
    X = np.empty_like(x, shape=(*x.shape[:-1], x.shape[-1] + 1))
    X[..., 0] = 1.0
    X[..., 1:] = x
    return X
