"""Planted faults of the closed form of linear regression."""

from gaugeblock import Mutant

SOLVE, BACK = "linear.normal_equations", "linear.normal_equations_vjp"
FIT, SOLVED = "np.linalg.qr(_design(x))", "np.linalg.solve(R, Q.T @ y)"

mutants = {
    "normal-equations": (
        Mutant("ridge", "formula", SOLVE, "solve(R,", "solve(R + 1e-4 * np.eye(len(R), dtype=R.dtype),"),
        Mutant("mean-of-the-products", "formula", SOLVE, "Q.T @ y)", "Q.T @ y / len(y))"),
        Mutant("textbook", "unstable", SOLVE, SOLVED, "np.linalg.solve(_design(x).T @ _design(x), _design(x).T @ y)", regime="collinear"),
        Mutant("targets-centred", "formula", SOLVE, "Q.T @ y)", "Q.T @ (y - y.mean()))"),
        Mutant("products-in-bfloat16", "precision", SOLVE, "solve(R,", "solve(bfloat16(R),"),
        Mutant("products-in-float32", "precision", SOLVE, "solve(R,", "solve(float32(R),"),
        Mutant("inputs-in-float32", "dtype", SOLVE, FIT, "np.linalg.qr(_design(float32(x)))"),
        Mutant("targets-promote", "dtype", SOLVE, "Q.T @ y)", "Q.T @ y.astype(np.float64))"),
        Mutant("residual-left-out", "gradient", BACK, "(y - X @ B) @ V.T - ", "-"),
        Mutant("targets-for-the-residual", "gradient", BACK, "(y - X @ B)", "y"),
        Mutant("sign-of-the-fit", "gradient", BACK, "- Q @ U @ B.T", "+ Q @ U @ B.T"),
        Mutant("fit-detached", "gradient", BACK, " - Q @ U @ B.T", ""),
        Mutant("targets-detached", "gradient", BACK, '"y": Q @ U', '"y": 0 * (Q @ U)'),
        Mutant("column-of-ones-returned", "gradient", BACK, "dX[:, 1:]", "dX[:, :-1]"),
        Mutant("last-row-left-out", "mask", SOLVE, "Q.T @ y)", "Q[:-1].T @ y[:-1])"),
        Mutant("intercept-last", "layout", SOLVE, '{"W": B[1:], "b": B[0]}', '{"W": B[:-1], "b": B[-1]}'),
        Mutant("targets-of-the-row-before", "layout", SOLVE, "Q.T @ y)", "Q.T @ np.roll(y, 1, axis=0))"),
    ),
}  # fmt: skip
