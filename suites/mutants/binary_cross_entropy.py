"""Planted faults of binary cross-entropy."""

from gaugeblock import Mutant

BINARY, BINARY_BACK = "loss.binary_cross_entropy", "loss.binary_cross_entropy_vjp"
SOFTPLUS, SMOOTH = "loss._softplus", "loss._smooth"
TERMS = "w * t * _softplus(-z) + (1 - t) * _softplus(z)"

shared = (
    Mutant("sum-for-the-mean", "formula", BINARY, "_softplus(z), reduction)", '_softplus(z), "sum")'),
    Mutant("classes-exchanged", "formula", BINARY, TERMS, "w * t * _softplus(z) + (1 - t) * _softplus(-z)"),
    Mutant("negatives-dropped", "formula", BINARY, " + (1 - t) * _softplus(z)", ""),
    Mutant("logits-in-bfloat16", "precision", BINARY, "    t = ", "    z = bfloat16(z)\n    t = "),
    Mutant("logits-in-float32", "dtype", BINARY, "    t = ", "    z = float32(z)\n    t = "),
    Mutant("targets-promote", "dtype", BINARY, "_smooth(y,", "_smooth(y.astype(np.float64),"),
    Mutant("positives-without-gradient", "gradient", BINARY_BACK, " - w * t * sigmoid(-z)", ""),
    Mutant("gradient-cancels-near-one", "unstable", BINARY_BACK, "sigmoid(-z)", "(1 - sigmoid(z))"),
    Mutant("gradient-of-the-sum", "gradient", BINARY_BACK, "z.size", "1"),
    Mutant("gradient-of-each-shared", "gradient", BINARY_BACK, "z.size, reduction)", 'z.size, "mean")', option="each"),
    Mutant("last-example-left-out", "mask", BINARY, TERMS, f"({TERMS})[:-1]"),
    Mutant("targets-of-the-example-before", "layout", BINARY, "_smooth(y,", "_smooth(np.roll(y, 1, axis=0),"),
)  # fmt: skip

mutants = {
    "binary-cross-entropy": (
        *shared,
        Mutant("log-of-the-sigmoid", "unstable", SOFTPLUS, "np.maximum(z, 0) + np.log1p(np.exp(-np.abs(z)))", "-np.log(sigmoid(-z))", regime="large-logits"),
        Mutant("softplus-as-written", "unstable", SOFTPLUS, "np.maximum(z, 0) + np.log1p(np.exp(-np.abs(z)))", "np.log1p(np.exp(z))", regime="large-logits"),
        Mutant("log-of-one-and-little", "unstable", SOFTPLUS, "np.log1p(np.exp(-np.abs(z)))", "np.log(1 + np.exp(-np.abs(z)))", regime="confident"),
        Mutant("linear-part-taken-out", "unstable", BINARY, TERMS, "(1 - t) * z + _softplus(-z)", regime="confident"),
        Mutant("probability-clipped", "formula", SOFTPLUS, "np.maximum(z, 0) + np.log1p(np.exp(-np.abs(z)))", "np.minimum(np.maximum(z, 0) + np.log1p(np.exp(-np.abs(z))), 16.118)", regime="large-logits"),
        Mutant("logits-taken-for-probabilities", "formula", BINARY, "    t = ", "    z = sigmoid(z)\n    t = "),
        Mutant("smoothed-to-the-wrong-class", "formula", SMOOTH, "smoothing / classes", "smoothing", option="smoothing"),
        Mutant("gradient-unsmoothed", "gradient", BINARY_BACK, "_smooth(y, smoothing, 2)", "y", option="smoothing"),
    ),
    "weighted-binary-cross-entropy": (
        *shared,
        Mutant("weights-left-out", "formula", BINARY, "w * t", "t"),
        Mutant("weights-of-the-negatives", "formula", BINARY, TERMS, "t * _softplus(-z) + w * (1 - t) * _softplus(z)"),
        Mutant("weights-of-both-classes", "formula", BINARY, "(1 - t)", "w * (1 - t)"),
        Mutant("weighted-mean", "formula", BINARY, "w * t", "(w / w.mean()) * t"),
        Mutant("weights-in-bfloat16", "precision", BINARY, "w * t", "bfloat16(w) * t"),
        Mutant("gradient-unweighted", "gradient", BINARY_BACK, "w * t", "t"),
        Mutant("gradient-weighted-in-both-classes", "gradient", BINARY_BACK, "(1 - t) * sigmoid(z)", "w * (1 - t) * sigmoid(z)"),
        Mutant("weights-reversed", "layout", BINARY, "w * t", "w[::-1] * t"),
    ),
}  # fmt: skip
