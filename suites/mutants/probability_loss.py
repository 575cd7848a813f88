"""Planted faults of the cross-entropies of probabilities."""

from gaugeblock import Mutant

BINARY, BINARY_BACK = "probability_loss.binary", "probability_loss.binary_vjp"
DENSE, DENSE_BACK = "probability_loss.categorical", "probability_loss.categorical_vjp"
SPARSE, SPARSE_BACK = "probability_loss.sparse", "probability_loss.sparse_vjp"
CLIP, LOG, SLOPE = "probability_loss._clip", "probability_loss._log", "probability_loss._slope"
REST = "probability_loss._log_rest"

ends = (
    Mutant("bounds-of-another-library", "formula", CLIP, "np.maximum(p, EPSILON)", "np.maximum(p, 1e-12)", option="ends"),
    Mutant("probabilities-in-float32", "dtype", CLIP, "np.maximum(p, EPSILON)", "np.maximum(float32(p), EPSILON)"),
    Mutant("probabilities-in-bfloat16", "precision", CLIP, "np.maximum(p, EPSILON)", "np.maximum(bfloat16(p), EPSILON)"),
)  # fmt: skip

mutants = {
    "probability-binary": (
        *ends,
        Mutant("not-clipped-below", "formula", CLIP, "np.maximum(p, EPSILON)", "np.maximum(p, 1e-30)", option="ends-scores"),
        Mutant("negatives-left-out", "formula", BINARY, " - (1 - t) * _log_rest(p, convention)", ""),
        Mutant("rest-in-float32", "precision", REST, "np.log1p(-_clip(p))", "np.log1p(-float32(_clip(p)))"),
        Mutant("rest-floored-early", "formula", REST, "FLOOR), FLOOR)", "-3.0), -3.0)", option="floored-ends"),
        Mutant("slope-outside-the-bounds", "gradient", SLOPE, "_inside(p) if", "(p > 0) if", option="ends"),
        Mutant("slope-bounded", "gradient", SLOPE, "1 / np.where(inside, p, 1)", "1 / np.maximum(np.where(inside, p, 1), 1e-3)", option="floored-ends"),
        Mutant("smoothing-left-out", "formula", BINARY, "_smooth(y, smoothing, 2)", "y", option="smoothing"),
        Mutant("smoothing-left-out-backwards", "gradient", BINARY_BACK, "_smooth(y, smoothing, 2)", "y", option="smoothing"),
        Mutant("weights-left-out", "formula", BINARY, "reduced(w * (", "reduced(1 * (", option="weights"),
        Mutant("weights-left-out-backwards", "gradient", BINARY_BACK, "(w * slope)", "slope", option="weights"),
        Mutant("mean-for-the-sum", "formula", "loss.reduced", 'reduction == "sum"', 'reduction == "total"', option="sum"),
        Mutant("classes-exchanged", "layout", BINARY, "-t * _log(p", "-t[..., ::-1] * _log(p"),
    ),
    "probability-categorical": (
        *ends,
        Mutant("not-scaled-to-one", "formula", DENSE, "q = p / p.sum(axis=-1, keepdims=True)", "q = 1.001 * p"),
        Mutant("smoothing-left-out", "formula", DENSE, "_smooth(y, smoothing, p.shape[-1])", "y", option="smoothing"),
        Mutant("smoothing-left-out-backwards", "gradient", DENSE_BACK, "_smooth(y, smoothing, p.shape[-1])", "y", option="smoothing"),
        Mutant("sum-detached", "gradient", DENSE_BACK, "(dq - (dq * q).sum(axis=-1, keepdims=True))", "dq"),
        Mutant("weights-left-out", "formula", DENSE, "reduced(w * -(", "reduced(1 * -(", option="weights"),
        Mutant("weights-left-out-backwards", "gradient", DENSE_BACK, "(w * np", "(1 * np", option="weights"),
        Mutant("slope-outside-the-bounds", "gradient", SLOPE, "_inside(p) if", "(p > 0) if", option="ends"),
        Mutant("mean-for-the-sum", "formula", "loss.reduced", 'reduction == "sum"', 'reduction == "total"', option="sum"),
        Mutant("last-class-left-out", "mask", DENSE, "-(t * _log(q, \"clipped\")).sum", "-(t * _log(q, \"clipped\"))[..., :-1].sum"),
        Mutant("classes-reversed", "layout", DENSE, "-(t * _log", "-(t[..., ::-1] * _log"),
    ),
    "probability-sparse": (
        *ends,
        Mutant("not-scaled-to-one", "formula", SPARSE, "chosen / q.sum(axis=-1)", "chosen", option="ends"),
        Mutant("sum-detached", "gradient", SPARSE_BACK, "dq = 1 / q.sum(axis=-1, keepdims=True) -", "dq = -"),
        Mutant("target-detached", "gradient", SPARSE_BACK, "1 / q, 0)", "0 * q, 0)"),
        Mutant("slope-outside-the-bounds", "gradient", SPARSE_BACK, "np.where(_inside(p), dl * dq, 0)", "dl * dq", option="ends"),
        Mutant("weights-left-out", "formula", SPARSE, "reduced(w * -(", "reduced(1 * -(", option="weights"),
        Mutant("weights-left-out-backwards", "gradient", SPARSE_BACK, "(w * np", "(1 * np", option="weights"),
        Mutant("mean-for-the-sum", "formula", "loss.reduced", 'reduction == "sum"', 'reduction == "total"', option="sum"),
        Mutant("class-of-the-example-before", "layout", SPARSE, "y[:, None]", "np.roll(y, 1)[:, None]"),
        Mutant("last-class-left-out", "mask", SPARSE, "q.sum(axis=-1)", "q[:, :-1].sum(axis=-1)"),
    ),
}  # fmt: skip
