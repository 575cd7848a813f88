"""Planted faults of the cross-entropies of pixels."""

from gaugeblock import Mutant

DENSE, SPARSE = "pixel_loss._dense", "pixel_loss._sparse"
TOTAL, PART, DIVISOR, BACK = (
    "pixel_loss._total",
    "pixel_loss._part",
    "pixel_loss._divisor",
    "pixel_loss._back",
)
LOGITS = "pixel_loss._logits"

both = (
    Mutant("sum-for-the-mean", "formula", TOTAL, "/ _divisor(l, pixels, reduction, weights)", "/ 1"),
    Mutant("pixel-weights-left-out", "formula", TOTAL, "(v * l).sum()", "l.sum()", option="pixel-weights"),
    Mutant("pixel-weights-detached", "gradient", PART, "(v * np", "(1 * np", option="pixel-weights"),
    Mutant("gradient-of-the-sum", "gradient", PART, '("none", "sum")', '("none", "sum", "mean")'),
    Mutant("hidden-pixels-counted", "mask", DIVISOR, "int(pixels.sum())", "pixels.size", option="some-pixels"),
    Mutant("logits-in-bfloat16", "precision", LOGITS, "z = np.moveaxis(z, axis, -1)", "z = bfloat16(np.moveaxis(z, axis, -1))"),
    Mutant("logits-in-float32", "dtype", LOGITS, "z = np.moveaxis(z, axis, -1)", "z = float32(np.moveaxis(z, axis, -1))"),
    Mutant("slope-without-the-sum", "gradient", BACK, 'log_softmax_vjp(np.where(masked == -math.inf, 0, dlog), masked)["x"]', "dlog"),
    Mutant("without-its-maximum", "unstable", "pixel_loss._negative", "-log_softmax(z)", "np.log(np.exp(z).sum(axis=-1, keepdims=True)) - z", regime="shifted"),
)  # fmt: skip
mutants = {
    "pixel-cross-entropy": (
        *both,
        Mutant("smoothing-by-the-last-axis", "formula", DENSE, "smoothing / t.shape[-1]", "smoothing / y.shape[-1]", option="smoothing"),
        Mutant("smoothing-left-out", "formula", DENSE, "if smoothing:", "if False:", option="smoothing"),
        Mutant("class-weights-left-out", "formula", DENSE, "cost = w * t", "cost = 1 * t", option="class-weights"),
        Mutant("hidden-classes-in-the-sum", "mask", LOGITS, "z, -math.inf)", "z, z)", option="some-classes"),
        Mutant("hidden-pixels-seen", "mask", DENSE, "np.where(classes, cost, 0)", "cost", option="some-pixels"),
        Mutant("classes-reversed", "layout", DENSE, "cost = w * t", "cost = w * t[..., ::-1]"),
        Mutant("logits-of-the-class-before", "layout", LOGITS, "z = np.moveaxis(z, axis, -1)", "z = np.roll(np.moveaxis(z, axis, -1), 1, axis=-1)", option="last"),
    ),
    "sparse-pixel-cross-entropy": (
        *both,
        Mutant("void-seen", "mask", SPARSE, "np.ones(y.shape, bool) if ignored is None else y != ignored", "np.ones(y.shape, bool)", option="void"),
        Mutant("mask-left-out", "mask", SPARSE, "pixels if seen is None else pixels & seen", "pixels", option="some-pixels"),
        Mutant("class-weights-left-out", "formula", SPARSE, "cost if w is None else w * cost", "cost", option="class-weights"),
        Mutant("plain-mean-of-weighted", "formula", DIVISOR, "return weights.sum()", "return int(pixels.sum())", option="class-weights"),
        Mutant("void-in-the-divisor", "mask", SPARSE, "np.where(pixels, w[target], 0)", "w[target]", option="class-weights-void"),
        Mutant("smoothing-over-the-others", "formula", SPARSE, "smoothing / k.size", "smoothing / (k.size - 1)", option="smoothing"),
        Mutant("class-of-the-pixel-before", "layout", SPARSE, "np.where(pixels, y, 0)", "np.where(pixels, np.roll(y, 1, axis=0), 0)"),
        Mutant("logits-of-the-class-before", "layout", LOGITS, "z = np.moveaxis(z, axis, -1)", "z = np.roll(np.moveaxis(z, axis, -1), 1, axis=-1)", option="last"),
    ),
}  # fmt: skip
