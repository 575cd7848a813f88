"""Planted faults of the closed form of linear regression."""

from gaugeblock import Mutant

SOLVE, BACK = "linear.normal_equations", "linear.normal_equations_vjp"
FIT = "X = _design(x)"

mutants = {
    "normal-equations": (
        Mutant("ridge", "formula", SOLVE, "X.T @ X,", "X.T @ X + 1e-4 * np.eye(X.shape[1], dtype=X.dtype),"),
        Mutant("mean-of-the-products", "formula", SOLVE, "X.T @ X,", "X.T @ X / len(X),"),
        Mutant("targets-centred", "formula", SOLVE, "X.T @ y)", "X.T @ (y - y.mean()))"),
        Mutant("products-in-bfloat16", "precision", SOLVE, "X.T @ X,", "bfloat16(X.T @ X),"),
        Mutant("products-in-float32", "precision", SOLVE, "X.T @ X,", "float32(X.T @ X),"),
        Mutant("inputs-in-float32", "dtype", SOLVE, FIT, "X = _design(float32(x))"),
        Mutant("targets-promote", "dtype", SOLVE, "X.T @ y)", "X.T @ y.astype(np.float64))"),
        Mutant("half-the-gradient-of-the-products", "gradient", BACK, "(dA + dA.T)", "dA"),
        Mutant("products-taken-for-symmetric", "gradient", BACK, "(dA + dA.T)", "(2 * dA)"),
        Mutant("sign-of-the-inverse", "gradient", BACK, "-(dR @ B.T)", "(dR @ B.T)"),
        Mutant("right-side-detached", "gradient", BACK, " + y @ dR.T", ""),
        Mutant("targets-detached", "gradient", BACK, '"y": X @ dR', '"y": 0 * (X @ dR)'),
        Mutant("column-of-ones-returned", "gradient", BACK, "dX[:, 1:]", "dX[:, :-1]"),
        Mutant("last-row-left-out", "mask", SOLVE, FIT, "y = y[:-1]\n    X = _design(x[:-1])"),
        Mutant("intercept-last", "layout", SOLVE, '{"W": B[1:], "b": B[0]}', '{"W": B[:-1], "b": B[-1]}'),
        Mutant("targets-of-the-row-before", "layout", SOLVE, "X.T @ y)", "X.T @ np.roll(y, 1, axis=0))"),
    ),
}  # fmt: skip
