"""Planted faults of the Kullback-Leibler divergence of floored probabilities."""

from gaugeblock import Mutant
from suites.mutants.divergence import shared

FLOORED, FLOORED_BACK = "divergence.kl_divergence_floored", "divergence.kl_divergence_floored_vjp"
FLOORED_TERMS = "p * np.log(p / q)"
BOUNDS = "q, p = (np.minimum(np.maximum(x, floor), 1) for x in (q, p))"

mutants = {
    "kl-divergence-floored": (
        *shared,
        Mutant("reversed", "formula", FLOORED, FLOORED_TERMS, "q * np.log(q / p)"),
        Mutant("entropy-left-out", "formula", FLOORED, FLOORED_TERMS, "-p * np.log(q)"),
        Mutant("floor-of-another-library", "formula", FLOORED, "floor=1e-7", "floor=1e-8", regime="peaked"),
        Mutant("floor-added", "formula", FLOORED, BOUNDS, "q, p = q + floor, p + floor"),
        Mutant("of-measures", "formula", FLOORED, FLOORED_TERMS, f"{FLOORED_TERMS} - p + q", regime="unnormalised"),
        Mutant("targets-normalised", "formula", FLOORED, "    return", "    p = p / p.sum(axis=-1, keepdims=True)\n    return", regime="unnormalised"),
        Mutant("predictions-normalised", "formula", FLOORED, "    return", "    q = q / q.sum(axis=-1, keepdims=True)\n    return", regime="unnormalised"),
        Mutant("entropy-summed-apart", "unstable", FLOORED, "_over_batch(p * np.log(p / q), reduction)", "_over_batch(p * np.log(p), reduction) - _over_batch(p * np.log(q), reduction)", regime="close"),
        Mutant("logarithms-in-bfloat16", "precision", FLOORED, "np.log(p / q)", "bfloat16(np.log(p / q))"),
        Mutant("quotient-in-float32", "precision", FLOORED, "p / q", "float32(p / q)"),
        Mutant("targets-not-floored", "mask", FLOORED, BOUNDS, "q, p = np.minimum(np.maximum(q, floor), 1), np.minimum(np.maximum(p, 1e-30), 1)", regime="zeros"),
        Mutant("predictions-not-floored", "mask", FLOORED, BOUNDS, "q, p = np.minimum(q, 1), np.minimum(np.maximum(p, floor), 1)", regime="peaked"),
        Mutant("zero-targets-cost-nothing", "mask", FLOORED, f"    {BOUNDS}\n    return _over_batch(", f"    given = p > 0\n    {BOUNDS}\n    return _over_batch(given * ", regime="zeros"),
        Mutant("no-bound-above", "mask", FLOORED, "np.minimum(np.maximum(x, floor), 1)", "np.maximum(x, floor)", regime="unnormalised"),
        Mutant("gradient-below-the-floor", "gradient", FLOORED_BACK, "(q >= floor) & (q <= 1)", "q <= 1", regime="peaked"),
        Mutant("gradient-beyond-one", "gradient", FLOORED_BACK, "(q >= floor) & (q <= 1)", "q >= floor", regime="unnormalised"),
        Mutant("no-gradient-at-one", "gradient", FLOORED_BACK, "q <= 1", "q < 1", regime="unnormalised"),
        Mutant("gradient-by-the-bare-target", "gradient", FLOORED_BACK, "p = np.minimum(np.maximum(p, floor), 1)", "p = p + 0", regime="zeros"),
        Mutant("gradient-of-the-logarithm", "gradient", FLOORED_BACK, " / np.maximum(q, floor)", ""),
        Mutant("targets-of-the-example-before", "layout", FLOORED, "    return", "    p = np.roll(p, 1, axis=0)\n    return"),
        Mutant("targets-promote", "dtype", FLOORED, "    return", "    p = p.astype(np.float64)\n    return"),
    ),
}  # fmt: skip
