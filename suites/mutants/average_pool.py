"""Planted faults of average pooling."""

from gaugeblock import Mutant
from suites.mutants.max_pool import both

MEAN, MEAN_BACK, COUNT = "pooling.avg_pool", "pooling.avg_pool_vjp", "pooling._count"

mutants = {
    "average-pool": (
        *both,
        Mutant("sum-for-mean", "formula", MEAN, " / _count(x, size, stride, padding, count_margin, divisor)", ""),
        Mutant("divided-by-one-more", "formula", COUNT, "float(divisor or r * s)", "float(divisor or r * s + 1)"),
        Mutant("margin-never-counted", "mask", COUNT, "if count_margin or divisor:", "if divisor:", option="padded"),
        Mutant("gradient-undivided", "gradient", MEAN_BACK, " / _count(x, size, stride, padding, count_margin, divisor)", ""),
        Mutant("sums-in-float16", "precision", MEAN, "u.sum(axis=(3, 4))", "float16(u.sum(axis=(3, 4)))"),
        Mutant("last-row-of-the-window-left-out", "mask", MEAN, "u.sum(axis=(3, 4))", "u[:, :, :, :-1].sum(axis=(3, 4))"),
    ),
}  # fmt: skip
