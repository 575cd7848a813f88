"""Planted faults of layer normalisation."""

from bench.mutant import Mutant

NORM, BACK = "normalization.layer_norm", "normalization.layer_norm_vjp"
STATISTICS = "normalization._standardize"
VARIANCE = "np.mean(c * c, axis=axes, keepdims=True)"
SQUARES = "np.mean(x * x, axis=axes, keepdims=True) - np.mean(x, axis=axes, keepdims=True) ** 2"

mutants = {
    "layer-norm": (
        Mutant("epsilon-outside-the-root", "formula", STATISTICS, "np.sqrt(np.mean(c * c, axis=axes, keepdims=True) + eps)", "np.sqrt(np.mean(c * c, axis=axes, keepdims=True)) + eps"),
        Mutant("no-epsilon", "formula", STATISTICS, " + eps)", ")"),
        Mutant("epsilon-of-another-library", "formula", NORM, "eps=1e-5)", "eps=1e-6)"),
        Mutant("unbiased-variance", "formula", STATISTICS, VARIANCE, "np.var(x, axis=axes, keepdims=True, ddof=1)"),
        Mutant("mean-kept", "formula", STATISTICS, "c = x - np.mean(x, axis=axes, keepdims=True)", "c = x"),
        Mutant("scale-from-one", "formula", NORM, "gamma * n", "(1 + gamma) * n"),
        Mutant("shift-before-the-scale", "formula", NORM, "y + beta", "y + gamma * beta"),
        Mutant("mean-of-squares-minus-square-of-the-mean", "unstable", STATISTICS, VARIANCE, f"np.maximum({SQUARES}, 0)", regime="large-mean"),
        Mutant("square-of-the-mean-and-near-constant-rows", "unstable", STATISTICS, VARIANCE, f"np.maximum({SQUARES}, 0)", regime="near-constant"),
        Mutant("product-uncentred", "unstable", NORM, "    n = _standardize(x, _axes(gamma), eps)[0]", "    _, c, s = _standardize(x, _axes(gamma), eps)\n    n = x / s - (x - c) / s", regime="large-mean", equivalent="a mean of 1000 is itself rounded: that moves x − μ as much as the rounding of x / s and μ / s does"),
        Mutant("statistics-in-bfloat16", "precision", STATISTICS, "    return c / s", "    s = bfloat16(s)\n    return c / s"),
        Mutant("mean-in-float32", "precision", STATISTICS, "np.mean(x, axis=axes, keepdims=True)", "float32(np.mean(x, axis=axes, keepdims=True))"),
        Mutant("variance-detached", "gradient", BACK, "dc = dn / s + ds / (2 * s) * (2 / m) * c", "dc = dn / s"),
        Mutant("mean-detached", "gradient", BACK, "dc - np.mean(dc, axis=axes, keepdims=True)", "dc"),
        Mutant("scale-left-out", "gradient", BACK, "gamma * dy", "dy"),
        Mutant("scale-by-the-centred-input", "gradient", BACK, "np.sum(dy * n, axis=rows)", "np.sum(dy * c, axis=rows)"),
        Mutant("scale-of-the-last-row-left-out", "mask", BACK, "np.sum(dy * n, axis=rows)", "np.sum((dy * n)[:, :-1], axis=rows)"),
        Mutant("last-axis-alone", "layout", NORM, "_axes(gamma)", "(-1,)", option="two-axes"),
        Mutant("statistics-promote", "dtype", STATISTICS, "    return c / s", "    s = s.astype(np.float64)\n    return c / s"),
    ),
}  # fmt: skip
