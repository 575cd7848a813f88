"""Planted faults of root mean square normalisation."""

from gaugeblock import Mutant

NORM, BACK, ROOT = "rms_norm.rms_norm", "rms_norm.rms_norm_vjp", "rms_norm._scale"
SCALE, SCALE_BACK = "normalization.affine", "normalization.affine_vjp"
SQUARES = "np.mean(x * x, axis=_last(axes), keepdims=True)"
THROUGH = "ds / m * n"
CUBED = "-np.sum(dn * x, axis=_last(axes), keepdims=True) * (1 / s) ** 3 / m * x"

mutants = {
    "rms-norm": (
        Mutant("epsilon-outside-the-root", "formula", ROOT, f"np.sqrt({SQUARES} + eps)", f"np.sqrt({SQUARES}) + eps", regime="tiny"),
        Mutant("no-epsilon", "formula", ROOT, " + eps)", ")", regime="tiny"),
        Mutant("epsilon-of-another-library", "formula", NORM, "eps=1e-6)", "eps=1e-5)"),
        Mutant("centred", "formula", ROOT, "    return x / s", "    x = x - np.mean(x, axis=_last(axes), keepdims=True)\n    return x / s"),
        Mutant("variance-for-the-mean-square", "formula", ROOT, SQUARES, "np.var(x, axis=_last(axes), keepdims=True)"),
        Mutant("sum-for-the-mean", "formula", ROOT, "np.mean(", "np.sum("),
        Mutant("largest-for-the-root-mean-square", "formula", ROOT, SQUARES, "np.max(x * x, axis=_last(axes), keepdims=True)"),
        Mutant("scale-from-one", "formula", SCALE, "gamma * n", "(1 + gamma) * n"),
        Mutant("root-by-logarithms", "unstable", ROOT, f"np.sqrt({SQUARES} + eps)", f"np.exp(0.5 * np.log({SQUARES} + eps))", regime="large"),
        Mutant("inverse-root-cubed", "unstable", BACK, THROUGH, CUBED, regime="large"),
        Mutant("root-in-bfloat16", "precision", ROOT, "    return x / s", "    s = bfloat16(s)\n    return x / s"),
        Mutant("squares-in-float32", "precision", ROOT, "np.mean(x * x,", "np.mean(float32(x * x),"),
        Mutant("root-detached", "gradient", BACK, f" + {THROUGH}", ""),
        Mutant("root-of-the-wrong-sign", "gradient", BACK, f" + {THROUGH}", f" - {THROUGH}"),
        Mutant("scale-by-the-input", "gradient", BACK, "affine_vjp(dy, n,", "affine_vjp(dy, x,"),
        Mutant("shared-by-the-last-axis", "gradient", BACK, "math.prod(x.shape[-axes:])", "x.shape[-1]", option="two-axes"),
        Mutant("last-column-left-out", "mask", ROOT, "np.mean(x * x,", "np.mean((x * x)[..., :-1],"),
        Mutant("last-row-left-out", "mask", SCALE_BACK, "np.sum(dy * n, axis=", "np.sum((dy * n)[:, :-1], axis="),
        Mutant("divided-by-the-padded-width", "mask", ROOT, SQUARES, "np.sum(x * x, axis=_last(axes), keepdims=True) / (x.shape[-1] + 1)"),
        Mutant("last-axis-alone", "layout", NORM, "_scale(x, axes,", "_scale(x, 1,", option="two-axes"),
        Mutant("scales-reversed", "layout", SCALE, "gamma * n", "gamma[::-1] * n"),
        Mutant("root-promotes", "dtype", ROOT, "    return x / s", "    s = s.astype(np.float64)\n    return x / s"),
        Mutant("one-scale-off-by-a-thousandth", "local", SCALE, "gamma * n", "gamma * (1 + 0.001 * (np.arange(gamma.size) == 0)).astype(gamma.dtype) * n"),
    ),
}  # fmt: skip
