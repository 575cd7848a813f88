"""Planted faults of linear regression."""

from gaugeblock import Mutant

LINEAR, BACK = "linear.linear", "linear.linear_vjp"

mutants = {
    "linear-regression": (
        Mutant("no-intercept", "formula", LINEAR, "_design(x) @ np.concatenate([b[None], W])", "x @ W"),
        Mutant("intercept-twice", "formula", LINEAR, "b[None]", "2 * b[None]"),
        Mutant("slopes-off-by-a-millionth", "formula", LINEAR, "_design(x) @ np.concatenate([b[None], W])", "_design(x) @ np.concatenate([b[None], W * (1 + 1e-6)])"),
        Mutant("inputs-in-bfloat16", "precision", LINEAR, "_design(x) @", "bfloat16(_design(x)) @"),
        Mutant("result-in-float32", "dtype", LINEAR, "_design(x) @ np.concatenate([b[None], W])", "float32(_design(x) @ np.concatenate([b[None], W]))"),
        Mutant("slopes-promote", "dtype", LINEAR, "[b[None], W]", "[b[None], W.astype(np.float64)]"),
        Mutant("slopes-stored-transposed", "layout", LINEAR, "[b[None], W]", "[b[None], W.T.reshape(W.shape)]"),
        Mutant("intercept-of-the-batch-mean", "gradient", BACK, "np.sum(rows, axis=0)", "np.mean(rows, axis=0)"),
        Mutant("inputs-detached", "gradient", BACK, "dy @ W.T", "0 * (dy @ W.T)"),
        Mutant("slopes-not-transposed-back", "gradient", BACK, "dy @ W.T", "dy @ W.reshape(m, d)"),
        Mutant("last-row-left-out", "mask", BACK, "x.reshape(-1, d).T @ rows", "x.reshape(-1, d)[:-1].T @ rows[:-1]"),
        Mutant("one-slope-off-by-a-thousandth", "local", LINEAR, "[b[None], W]", "[b[None], W * (1 + 0.001 * (np.arange(W.size) == 0).reshape(W.shape).astype(W.dtype))]"),
    ),
}  # fmt: skip
