"""Planted faults of the softmaxes."""

from gaugeblock import Mutant
from suites.mutants.activation import reading

SOFT, SOFT_BACK = "activation.softmax", "activation.softmax_vjp"
LOG, LOG_BACK = "activation.log_softmax", "activation.log_softmax_vjp"
SLOPE = "np.where(near, some, dy - (dy * y).sum(axis=-1, keepdims=True))"
LOG_SLOPE = "np.where(near, some, dy - p * dy.sum(axis=-1, keepdims=True))"
SUM = "s - np.log1p(others.sum(axis=-1, keepdims=True))"

mutants = {
    "softmax": (
        *reading("softmax"),
        Mutant("without-its-maximum", "unstable", SOFT, "x - x.max(axis=-1, keepdims=True)", "x", regime="overflow"),
        Mutant("maximum-of-the-whole-array", "unstable", SOFT, "x.max(axis=-1, keepdims=True)", "x.max()", regime="overflow"),
        Mutant("over-the-first-axis", "formula", SOFT, "e.sum(axis=-1", "e.sum(axis=0"),
        Mutant("epsilon-in-the-sum", "formula", SOFT, "e.sum(axis=-1, keepdims=True)", "(e.sum(axis=-1, keepdims=True) + 1e-7)"),
        Mutant("powers-of-two", "formula", SOFT, "np.exp(", "np.exp2("),
        Mutant("last-class-outside-the-sum", "mask", SOFT, "e.sum(", "e[..., :-1].sum("),
        Mutant("row-sum-dropped", "gradient", SOFT_BACK, SLOPE, "dy"),
        Mutant("diagonal-alone", "gradient", SOFT_BACK, SLOPE, "(dy - dy * y)"),
        Mutant("mean-for-the-row-sum", "gradient", SOFT_BACK, "(dy * y).sum(", "(dy * y).mean("),
        Mutant("gradient-cancels-near-one", "unstable", SOFT_BACK, SLOPE, "(dy - (dy * y).sum(axis=-1, keepdims=True))"),
    ),
    "log-softmax": (
        *reading("log_softmax"),
        Mutant("without-its-maximum", "unstable", LOG, SUM, "x - np.log(np.exp(x).sum(axis=-1, keepdims=True))", regime="overflow"),
        Mutant("log-of-the-softmax", "unstable", LOG, SUM, "np.log(softmax(x))", regime="overflow"),
        Mutant("maximum-added-to-the-log-sum", "unstable", LOG, SUM, "x - (np.log1p(others.sum(axis=-1, keepdims=True)) + (x - s))", regime="overflow"),
        Mutant("epsilon-in-the-log", "formula", LOG, "others.sum(axis=-1, keepdims=True)", "others.sum(axis=-1, keepdims=True) + 1e-7"),
        Mutant("log-of-base-two", "formula", LOG, "np.log1p(", "np.log2(1 + "),
        Mutant("log-of-one-and-little", "unstable", LOG, "np.log1p(", "np.log(1 + "),
        Mutant("last-class-outside-the-sum", "mask", LOG, "others.sum(", "others[..., :-1].sum("),
        Mutant("log-sum-detached", "gradient", LOG_BACK, LOG_SLOPE, "dy"),
        Mutant("gradient-of-the-softmax", "gradient", LOG_BACK, "dy - p * dy.sum(", "dy - p * (dy * p).sum("),
        Mutant("sum-over-the-rows", "gradient", LOG_BACK, "dy.sum(axis=-1", "dy.sum(axis=0"),
    ),
}  # fmt: skip
