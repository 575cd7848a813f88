"""Planted faults of layer normalisation."""

from gaugeblock import Mutant

NORM, BACK = "normalization.layer_norm", "normalization.layer_norm_vjp"
STATISTICS, STATISTICS_BACK = "normalization.standardize", "normalization.standardize_vjp"
SCALE, SCALE_BACK = "normalization.affine", "normalization.affine_vjp"
VARIANCE = "np.mean(c * c, axis=axes, keepdims=True)"
SQUARES = "np.mean(x * x, axis=axes, keepdims=True) - np.mean(x, axis=axes, keepdims=True) ** 2"

mutants = {
    "layer-norm": (
        Mutant("epsilon-outside-the-root", "formula", STATISTICS, "np.sqrt(np.mean(c * c, axis=axes, keepdims=True) + eps)", "np.sqrt(np.mean(c * c, axis=axes, keepdims=True)) + eps"),
        Mutant("no-epsilon", "formula", STATISTICS, " + eps)", ")"),
        Mutant("epsilon-of-another-library", "formula", NORM, "eps=1e-5)", "eps=1e-6)"),
        Mutant("unbiased-variance", "formula", STATISTICS, VARIANCE, "np.var(x, axis=axes, keepdims=True, ddof=1)"),
        Mutant("mean-kept", "formula", STATISTICS, "c = x - np.mean(x, axis=axes, keepdims=True)", "c = x"),
        Mutant("scale-from-one", "formula", SCALE, "gamma * n", "(1 + gamma) * n"),
        Mutant("shift-before-the-scale", "formula", SCALE, "y + beta", "y + gamma * beta"),
        Mutant("mean-of-squares-minus-square-of-the-mean", "unstable", STATISTICS, VARIANCE, f"np.maximum({SQUARES}, 0)", regime="large-mean"),
        Mutant("square-of-the-mean-and-near-constant-rows", "unstable", STATISTICS, VARIANCE, f"np.maximum({SQUARES}, 0)", regime="near-constant"),
        Mutant("product-uncentred", "unstable", NORM, "standardize(x, _axes(gamma), eps)[0]", "(lambda n, c, s: x / s - (x - c) / s)(*standardize(x, _axes(gamma), eps))", regime="large-mean", equivalent="a mean of 1000 is itself rounded: that moves x − μ as much as the rounding of x / s and μ / s does"),
        Mutant("statistics-in-bfloat16", "precision", STATISTICS, "    return c / s", "    s = bfloat16(s)\n    return c / s"),
        Mutant("mean-in-float32", "precision", STATISTICS, "np.mean(x, axis=axes, keepdims=True)", "float32(np.mean(x, axis=axes, keepdims=True))"),
        Mutant("variance-detached", "gradient", STATISTICS_BACK, "dc = dn / s + ds / m * n", "dc = dn / s"),
        Mutant("mean-detached", "gradient", STATISTICS_BACK, "dc - np.mean(dc, axis=axes, keepdims=True)", "dc"),
        Mutant("scale-left-out", "gradient", SCALE_BACK, "gamma * dy", "dy"),
        Mutant("scale-by-the-centred-input", "gradient", BACK, "affine_vjp(dy, n, gamma, beta)", "affine_vjp(dy, n * s, gamma, beta)"),
        Mutant("scale-of-the-last-row-left-out", "mask", SCALE_BACK, "np.sum(dy * n, axis=", "np.sum((dy * n)[:, :-1], axis="),
        Mutant("last-axis-alone", "layout", NORM, "_axes(gamma)", "(-1,)", option="two-axes"),
        Mutant("statistics-promote", "dtype", STATISTICS, "    return c / s", "    s = s.astype(np.float64)\n    return c / s"),
    ),
}  # fmt: skip
