"""Planted faults of categorical cross-entropy."""

from gaugeblock import Mutant

DENSE, DENSE_BACK = "loss.cross_entropy", "loss.cross_entropy_vjp"
SOFTMAX, SOFTMAX_BACK = "activation.log_softmax", "activation.log_softmax_vjp"
SHIFT = "s = x - np.take_along_axis(x, m, axis=-1)"
SUM = "s - np.log1p(others.sum(axis=-1, keepdims=True))"
SLOPE = "np.where(near, some, dy - p * dy.sum(axis=-1, keepdims=True))"

shared = (
    Mutant("without-its-maximum", "unstable", SOFTMAX, SUM, "x - np.log(np.exp(x).sum(axis=-1, keepdims=True))", regime="shifted"),
    Mutant("maximum-added-to-the-log-sum", "unstable", SOFTMAX, SUM, "x - (np.log1p(others.sum(axis=-1, keepdims=True)) + (x - s))", regime="shifted"),
    Mutant("epsilon-in-the-log", "formula", SOFTMAX, "others.sum(axis=-1, keepdims=True)", "others.sum(axis=-1, keepdims=True) + 1e-7"),
    Mutant("last-class-outside-the-sum", "mask", SOFTMAX, "others.sum(", "others[..., :-1].sum("),
    Mutant("log-of-one-and-little", "unstable", SOFTMAX, "np.log1p(", "np.log(1 + ", regime="confident"),
    Mutant("logits-in-float32", "dtype", SOFTMAX, SHIFT, "s = float32(x - np.take_along_axis(x, m, axis=-1))"),
    Mutant("logits-in-bfloat16", "precision", SOFTMAX, SHIFT, "s = bfloat16(x - np.take_along_axis(x, m, axis=-1))"),
    Mutant("number-promotes", "dtype", "loss.reduced", "else l.mean()", "else l.sum() / np.float64(l.size)"),
    Mutant("sum-for-the-mean", "formula", "loss.reduced", 'reduction == "sum"', 'reduction in ("sum", "mean")'),
    Mutant("log-sum-detached", "gradient", SOFTMAX_BACK, SLOPE, "dy"),
    Mutant("gradient-cancels-near-one", "unstable", SOFTMAX_BACK, SLOPE, "dy - p * dy.sum(axis=-1, keepdims=True)", regime="confident"),
)  # fmt: skip

mutants = {
    "cross-entropy": (
        *shared,
        Mutant("log-of-the-softmax", "unstable", DENSE, "log_softmax(z)", "np.log(np.exp(log_softmax(z)))", regime="confident"),
        Mutant("probabilities-kept-off-the-ends", "formula", DENSE, "log_softmax(z)", "np.log(np.clip(np.exp(log_softmax(z)), 1e-7, 1 - 1e-7))"),
        Mutant("smoothing-over-the-others", "formula", DENSE, "z.shape[-1]", "z.shape[-1] - 1", option="smoothing"),
        Mutant("smoothing-adds-up", "formula", "loss._smooth", "y * (1 - smoothing) + smoothing / classes", "y + smoothing / classes", option="smoothing"),
        Mutant("weights-after-the-softmax", "gradient", DENSE_BACK, 'log_softmax_vjp(-dl * (w * t), z)["x"]', 'w * log_softmax_vjp(-dl * t, z)["x"]', option="weights"),
        Mutant("mean-over-the-classes-too", "gradient", DENSE_BACK, "z[..., 0].size", "z.size"),
        Mutant("smoothing-forgotten", "gradient", DENSE_BACK, "_smooth(y, smoothing, z.shape[-1])", "y", option="smoothing"),
        Mutant("classes-reversed", "layout", DENSE, "(w * t *", "(w * t[..., ::-1] *"),
    ),
}  # fmt: skip
