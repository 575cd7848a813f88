"""Planted faults of mean and variance with weights."""

from gaugeblock import Mutant

MOMENTS, BACK = "moments.moments", "moments.moments_vjp"
WEIGHTS, CENTRED = "moments._weights", "moments._centred"

mutants = {
    "moments": (
        Mutant("weights-left-out", "formula", WEIGHTS, "np.broadcast_to(w, x.shape)", "np.ones_like(x)", option="weights"),
        Mutant("weights-turned", "layout", WEIGHTS, "np.broadcast_to(w, x.shape)", "w[::-1]", option="weights"),
        Mutant("mask-left-out", "mask", WEIGHTS, "np.where(seen, x, 0), np.where(seen, w, 0)", "x, w", option="some"),
        Mutant("correction-ignored", "formula", MOMENTS, "(total - correction)", "total", option="unbiased"),
        Mutant("correction-of-the-mean", "formula", CENTRED, "/ total", "/ (total - 1)"),
        Mutant("square-of-the-weights", "formula", MOMENTS, "(w * (c * c))", "(w * w * (c * c))", option="weights"),
        Mutant("mean-of-squares-less-square-of-the-mean", "unstable", MOMENTS, "(w * (c * c)).sum(axis=axis, keepdims=True) / (total - correction)", "(w * (x * x)).sum(axis=axis, keepdims=True) / total - mean * mean", regime="large-mean"),
        Mutant("deviations-in-bfloat16", "precision", MOMENTS, "c * c", "bfloat16(c * c)"),
        Mutant("mean-detached", "gradient", BACK, "(dmean - dc", "(0 * dmean - dc"),
        Mutant("half-the-slope", "gradient", BACK, "2 * (w * c)", "(w * c)"),
        Mutant("weights-detached", "gradient", BACK, "dc + w * (", "dc + (", option="weights"),
    ),
}  # fmt: skip
