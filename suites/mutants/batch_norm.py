"""Planted faults of batch normalisation."""

from gaugeblock import Mutant

NORM, BACK = "batch_norm.batch_norm", "batch_norm.batch_norm_vjp"
STATISTICS, STATISTICS_BACK = "normalization.standardize", "normalization.standardize_vjp"
SCALE, SCALE_BACK = "normalization.affine", "normalization.affine_vjp"
Y, MEAN, SQUARE = "affine(n, gamma, beta)", "momentum * np.mean(x, axis=axes)", "np.sum(c * c, axis=axes)"
VARIANCE = "np.mean(c * c, axis=axes, keepdims=True)"
SQUARES = "np.mean(x * x, axis=axes, keepdims=True) - np.mean(x, axis=axes, keepdims=True) ** 2"
OFF = "(1 + 0.001 * (np.arange(x.shape[-1]) == 0)).astype(x.dtype)"

shared = (
    Mutant("epsilon-outside-the-root", "formula", STATISTICS, f"np.sqrt({VARIANCE} + eps)", f"np.sqrt({VARIANCE}) + eps"),
    Mutant("epsilon-of-another-library", "formula", NORM, "eps=1e-5)", "eps=1e-3)"),
    Mutant("unbiased-variance", "formula", STATISTICS, VARIANCE, "np.var(x, axis=axes, keepdims=True, ddof=1)"),
    Mutant("running-variance-with-epsilon", "formula", NORM, "momentum * square", "momentum * (square + eps)"),
    Mutant("running-deviation", "formula", NORM, "momentum * square", "momentum * np.sqrt(square)"),
    Mutant("momentum-of-the-old-value", "formula", NORM, "    axes =", "    momentum = 1 - momentum\n    axes ="),
    Mutant("mean-of-squares-minus-square-of-the-mean", "unstable", STATISTICS, VARIANCE, f"np.maximum({SQUARES}, 0)", regime="large-mean"),
    Mutant("running-variance-by-squares", "unstable", NORM, SQUARE, "(np.sum(x * x, axis=axes) - m * np.mean(x, axis=axes) ** 2)", regime="large-mean"),
    Mutant("statistics-in-bfloat16", "precision", STATISTICS, "    return c / s", "    s = bfloat16(s)\n    return c / s"),
    Mutant("running-mean-in-float32", "precision", NORM, MEAN, f"float32({MEAN})"),
    Mutant("variance-detached", "gradient", STATISTICS_BACK, "dc = dn / s + ds / m * n", "dc = dn / s"),
    Mutant("mean-detached", "gradient", STATISTICS_BACK, "dc - np.mean(dc, axis=axes, keepdims=True)", "dc"),
    Mutant("gradient-of-inference", "gradient", BACK, "standardize_vjp(dn, n, s, _rows(x))", "dn / np.sqrt(variance + eps)"),
    Mutant("scale-by-the-centred-input", "gradient", BACK, "affine_vjp(dy, n,", "affine_vjp(dy, n * s,"),
    Mutant("running-mean-not-moved", "state", NORM, f"(1 - momentum) * mean + {MEAN}", "mean"),
    Mutant("running-statistics-in-training", "state", NORM, Y, "affine((x - mean) / np.sqrt(variance + eps), gamma, beta)"),
    Mutant("variance-about-the-running-mean", "state", NORM, SQUARE, "np.sum((x - mean) ** 2, axis=axes)"),
    Mutant("first-batch-sets-the-mean", "state", NORM, f"(1 - momentum) * mean + {MEAN}", "np.mean(x, axis=axes)"),
    Mutant("last-image-left-out-of-the-mean", "mask", NORM, MEAN, "momentum * np.mean(x[:-1], axis=axes)"),
    Mutant("shift-of-the-last-image-left-out", "mask", SCALE_BACK, "np.sum(dy, axis=", "np.sum(dy[:-1], axis="),
    Mutant("each-image-of-its-own", "layout", NORM, "standardize(x, axes, eps)", "standardize(x, (1, 2), eps)"),
    Mutant("scales-reversed", "layout", NORM, Y, "affine(n, gamma[::-1], beta)"),
    Mutant("running-variance-promotes", "dtype", NORM, "momentum * square", "momentum * square.astype(np.float64)"),
    Mutant("one-channel-off-by-a-thousandth", "local", NORM, Y, f"affine(n, gamma * {OFF}, beta)"),
)  # fmt: skip

mutants = {
    "batch-norm": (
        *shared,
        Mutant("biased-running-variance", "formula", NORM, "(m - 1 if unbiased else m)", "m"),
        Mutant("running-variance-of-the-images-less-one", "formula", NORM, "m - 1 if", "m - m // len(x) if"),
        Mutant("own-scale-left-out", "formula", SCALE, "n if gamma is None else gamma * n", "n"),
        Mutant("shift-of-ones-where-none-is", "formula", SCALE, "y if beta is None else", "y + 1 if beta is None else", option="no-shift"),
        Mutant("momentum-as-given-by-default", "formula", NORM, "    axes =", "    momentum = 0.1\n    axes =", option="bare"),
    ),
    "batch-norm-biased": (
        *shared,
        Mutant("unbiased-running-variance", "formula", NORM, "m - 1 if unbiased else m", "m - 1"),
        Mutant("no-shift-without-a-scale", "formula", SCALE, "beta is None", "beta is None or gamma is None", option="no-scale"),
        Mutant("shift-without-gradient", "gradient", SCALE_BACK, "np.sum(dy, axis=", "0 * np.sum(dy, axis=", option="no-scale"),
    ),
}  # fmt: skip
