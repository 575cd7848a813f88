"""Planted faults of simple linear regression."""

from gaugeblock import Mutant

LINE, LINE_BACK = "linear.line", "linear.line_vjp"

mutants = {
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
}  # fmt: skip
