"""Planted faults of linear regression."""

from bench.mutant import Mutant

LINEAR, BACK = "linear.linear", "linear.linear_vjp"
LINE, LINE_BACK = "linear.line", "linear.line_vjp"
LOSS, LOSS_BACK = "loss.mean_squared_error", "loss.mean_squared_error_vjp"

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
    "simple-linear-regression": (
        Mutant("no-intercept", "formula", LINE, "beta0 + beta1 * x", "beta1 * x"),
        Mutant("slope-and-intercept-exchanged", "formula", LINE, "beta0 + beta1 * x", "beta1 + beta0 * x"),
        Mutant("slope-off-by-a-millionth", "formula", LINE, "beta1 * x", "beta1 * (1 + 1e-6) * x"),
        Mutant("inputs-in-bfloat16", "precision", LINE, "beta1 * x", "beta1 * bfloat16(x)"),
        Mutant("result-in-float32", "dtype", LINE, "return beta0 + beta1 * x", "return float32(beta0 + beta1 * x)"),
        Mutant("intercept-promotes", "dtype", LINE, "beta0 + beta1 * x", "np.float64(beta0) + beta1 * x"),
        Mutant("slope-of-the-mean", "gradient", LINE_BACK, "np.sum(dy * x)", "np.mean(dy * x)"),
        Mutant("slope-of-the-centred-inputs", "gradient", LINE_BACK, "np.sum(dy * x)", "np.sum(dy * (x - x.mean()))"),
        Mutant("intercept-detached", "gradient", LINE_BACK, "np.sum(dy),", "0 * np.sum(dy),"),
        Mutant("last-row-left-out", "mask", LINE_BACK, "np.sum(dy * x)", "np.sum((dy * x)[:-1])"),
        Mutant("rows-reversed", "layout", LINE, "beta1 * x", "beta1 * x[::-1]"),
    ),
    "least-squares": (
        Mutant("half-the-squared-error", "formula", LOSS, "reduced(d * d, reduction)", "reduced(0.5 * d * d, reduction)"),
        Mutant("absolute-error", "formula", LOSS, "reduced(d * d, reduction)", "reduced(np.abs(d), reduction)"),
        Mutant("divided-by-one-fewer", "formula", LOSS, "reduced(d * d, reduction)", "reduced(d * d, reduction) * (d.size / (d.size - 1))"),
        Mutant("spread-of-the-residuals", "formula", LOSS, "reduced(d * d, reduction)", "reduced((d - d.mean()) ** 2, reduction)"),
        Mutant("square-multiplied-out", "unstable", LOSS, "reduced(d * d, reduction)", "reduced(p * p - 2 * p * y + y * y, reduction)", regime="close-fit"),
        Mutant("residuals-in-bfloat16", "precision", LOSS, "d = p - y", "d = bfloat16(p - y)"),
        Mutant("predictions-in-float32", "dtype", LOSS, "d = p - y", "d = float32(p) - y"),
        Mutant("number-promotes", "dtype", "loss.reduced", "else l.size)", "else np.float64(l.size))"),
        Mutant("slope-without-its-two", "gradient", LOSS_BACK, "(2 * (p - y))", "(p - y)"),
        Mutant("gradient-of-the-sum", "gradient", LOSS_BACK, "share(dy, p.size, reduction)", "dy"),
        Mutant("targets-of-the-row-before", "layout", LOSS, "p - y", "p - np.roll(y, 1, axis=0)"),
        Mutant("last-row-left-out", "mask", LOSS, "reduced(d * d, reduction)", "reduced((d * d)[:-1], reduction)"),
    ),
}  # fmt: skip
