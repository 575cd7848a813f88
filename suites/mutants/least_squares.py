"""Planted faults of the least-squares loss."""

from gaugeblock import Mutant

LOSS, LOSS_BACK = "loss.mean_squared_error", "loss.mean_squared_error_vjp"

mutants = {
    "least-squares": (
        Mutant("half-the-squared-error", "formula", LOSS, "reduced(d * d, reduction)", "reduced(0.5 * d * d, reduction)"),
        Mutant("absolute-error", "formula", LOSS, "reduced(d * d, reduction)", "reduced(np.abs(d), reduction)"),
        Mutant("divided-by-one-fewer", "formula", LOSS, "reduced(d * d, reduction)", "reduced(d * d, reduction) * (d.size / (d.size - 1))"),
        Mutant("spread-of-the-residuals", "formula", LOSS, "reduced(d * d, reduction)", "reduced((d - d.mean()) ** 2, reduction)"),
        Mutant("square-multiplied-out", "unstable", LOSS, "reduced(d * d, reduction)", "reduced(p * p - 2 * p * y + y * y, reduction)", regime="close-fit"),
        Mutant("residuals-in-bfloat16", "precision", LOSS, "d = p - y", "d = bfloat16(p - y)"),
        Mutant("predictions-in-float32", "dtype", LOSS, "d = p - y", "d = float32(p) - y"),
        Mutant("number-promotes", "dtype", "loss.reduced", "else l.mean()", "else l.sum() / np.float64(l.size)"),
        Mutant("slope-without-its-two", "gradient", LOSS_BACK, "(2 * (p - y))", "(p - y)"),
        Mutant("gradient-of-the-sum", "gradient", LOSS_BACK, "share(dy, p.size, reduction)", "dy"),
        Mutant("targets-of-the-row-before", "layout", LOSS, "p - y", "p - np.roll(y, 1, axis=0)"),
        Mutant("last-row-left-out", "mask", LOSS, "reduced(d * d, reduction)", "reduced((d * d)[:-1], reduction)"),
    ),
}  # fmt: skip
