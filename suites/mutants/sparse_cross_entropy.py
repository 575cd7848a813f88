"""Planted faults of sparse categorical cross-entropy."""

from gaugeblock import Mutant
from suites.mutants.cross_entropy import shared

SPARSE, SPARSE_BACK = "loss.sparse_cross_entropy", "loss.sparse_cross_entropy_vjp"

mutants = {
    "sparse-cross-entropy": (
        *shared,
        Mutant("classes-from-one", "formula", SPARSE, "y[..., None]", "y[..., None] - 1"),
        Mutant("log-of-the-softmax", "unstable", SPARSE, "    l = -log_softmax(z) if", "    l = -np.log(np.exp(log_softmax(z))) if", regime="confident"),
        Mutant("smoothing-over-the-others", "formula", SPARSE, "(smoothing / z.shape[-1])", "(smoothing / (z.shape[-1] - 1))", option="smoothing"),
        Mutant("weights-of-the-class-before", "layout", SPARSE, "else -w *", "else -np.roll(w, 1) *", option="weights"),
        Mutant("weighted-mean-by-number", "formula", "loss.reduced", "l.sum() / weights.sum()", "l.mean()", option="weighted-mean"),
        Mutant("gradient-by-number", "gradient", "loss.share", '(weights.sum() if reduction == "weighted mean" else size)', "size", option="weighted-mean"),
        Mutant("smoothing-forgotten", "gradient", SPARSE_BACK, "    if smoothing:", "    if not smoothing:", option="smoothing"),
        Mutant("target-of-the-class-before", "gradient", SPARSE_BACK, "== y[..., None]", "== y[..., None] - 1"),
        Mutant("last-example-left-out", "mask", SPARSE, "reduced(chosen,", "reduced(chosen * (np.arange(len(chosen)) < len(chosen) - 1),"),
    ),
}  # fmt: skip
