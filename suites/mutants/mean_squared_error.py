"""Planted faults of the mean squared error."""

from gaugeblock import Mutant

SQUARE, SQUARE_BACK = "loss.mean_squared_error", "loss.mean_squared_error_vjp"

mutants = {
    "mean-squared-error": (
        Mutant("sum-for-the-mean", "formula", SQUARE, "(d * d, reduction)", '(d * d, "sum")'),
        Mutant("sum-over-the-classes", "formula", SQUARE, "(d * d, reduction)", "(d * d * d.shape[-1], reduction)"),
        Mutant("half-the-squared-error", "formula", SQUARE, "(d * d, reduction)", "(0.5 * d * d, reduction)"),
        Mutant("absolute-error", "formula", SQUARE, "(d * d, reduction)", "(np.abs(d), reduction)"),
        Mutant("linear-beyond-one", "formula", SQUARE, "(d * d, reduction)", "(np.where(np.abs(d) < 1, d * d, 2 * np.abs(d) - 1), reduction)"),
        Mutant("residuals-in-bfloat16", "precision", SQUARE, "d = p - y", "d = bfloat16(p - y)"),
        Mutant("residuals-in-float32", "dtype", SQUARE, "d = p - y", "d = float32(p - y)"),
        Mutant("targets-promote", "dtype", SQUARE, "d = p - y", "d = p - y.astype(np.float64)"),
        Mutant("gradient-without-its-two", "gradient", SQUARE_BACK, "(2 * (p - y))", "(p - y)"),
        Mutant("gradient-of-the-targets", "gradient", SQUARE_BACK, "(2 * (p - y))", "(2 * (y - p))"),
        Mutant("gradient-of-the-sum", "gradient", SQUARE_BACK, "p.size", "1"),
        Mutant("gradient-shared-by-the-examples", "gradient", SQUARE_BACK, "p.size", "len(p)"),
        Mutant("last-example-left-out", "mask", SQUARE, "(d * d, reduction)", "((d * d)[:-1], reduction)"),
        Mutant("targets-of-the-example-before", "layout", SQUARE, "d = p - y", "d = p - np.roll(y, 1, axis=0)"),
    ),
}  # fmt: skip
