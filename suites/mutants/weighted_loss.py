"""Planted faults of losses with weights."""

from gaugeblock import Mutant

TOTAL, PART = "weighted_loss._total", "weighted_loss._part"
WEIGHED = 'reduced(w * l, reduction, w if reduction == "weighted mean" else None)'


def both(first, some):
    return (
        Mutant("weights-left-out", "formula", TOTAL, "reduced(w * l", "reduced(1 * l", option=some),
        Mutant("weights-squared", "formula", TOTAL, "reduced(w * l", "reduced(w * w * l", option=some),
        Mutant("weights-reversed", "layout", TOTAL, "reduced(w * l", "reduced(np.flip(w) * l", option=some),
        Mutant("mean-for-the-sum", "formula", "loss.reduced", 'reduction == "sum"', 'reduction == "total"', option=f"{first}-sum"),
        Mutant("losses-in-bfloat16", "precision", TOTAL, "reduced(w * l", "reduced(w * bfloat16(l)", option=some),
        Mutant("weights-detached", "gradient", PART, 'else None) * w', 'else None) * np.ones_like(w)', option=some),
        Mutant("gradient-of-the-sum", "gradient", PART, "int(np.prod(shape))", "1", option=some),
    )  # fmt: skip


SUM = (
    Mutant("number-for-the-sum-of-weights", "formula", TOTAL, WEIGHED, "reduced(w * l, reduction, np.ones_like(w))", option="weighted-mean"),
    Mutant("number-for-the-sum-backwards", "gradient", PART, 'w if reduction == "weighted mean" else None) * w', "np.ones_like(w)) * w", option="weighted-mean"),
    Mutant("mean-over-the-other-axis", "layout", TOTAL, "over(l, axis=axis)", "np.resize(over(l, axis=0), len(l))", option="examples"),
)  # fmt: skip
mutants = {
    "weighted-squared-error": (*both("weights", "weights"), *SUM),
    "weighted-huber": (*both("weights", "weights"), *SUM),
    "weighted-logistic": (
        *both("weights", "weights"),
        Mutant("positive-weight-of-both", "formula", "weighted_loss.weighted_logistic", "_total(l, w, axis", "_total(v * l, w, axis", option="both-weights"),
        Mutant("smoothing-left-out", "formula", "weighted_loss.weighted_logistic", "smoothing=smoothing", "smoothing=0.0", option="smoothing"),
        Mutant("last-axis-all-the-same", "layout", TOTAL, "over(l, axis=axis)", "np.resize(over(l, axis=-1), l.shape[-1])", option="other-axis"),
    ),
    "weighted-kl": (
        *both("examples", "examples"),
        Mutant("mask-left-out", "mask", "weighted_loss.weighted_kl", "l if seen is None else np.where(seen, l, 0)", "l", option="some"),
        Mutant("mask-left-out-backwards", "mask", "weighted_loss.weighted_kl_vjp", "dl if seen is None else np.where(seen, dl, 0)", "dl", option="some"),
        Mutant("mean-of-the-classes", "formula", "weighted_loss.weighted_kl", "reduction, np.sum)", "reduction)"),
    ),
    "weighted-kl-floored": (
        *both("examples", "examples"),
        Mutant("mean-of-the-classes", "formula", "weighted_loss.weighted_kl_floored", "reduction, np.sum)", "reduction)"),
    ),
}  # fmt: skip
