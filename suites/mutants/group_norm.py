"""Planted faults of group normalisation."""

from gaugeblock import Mutant

NORM, BACK, SPLIT = "group_norm.group_norm", "group_norm.group_norm_vjp", "group_norm._split"
STATISTICS, STATISTICS_BACK = "normalization.standardize", "normalization.standardize_vjp"
SCALE, SCALE_BACK = "normalization.affine", "normalization.affine_vjp"
VARIANCE = "np.mean(c * c, axis=axes, keepdims=True)"
SQUARES = "np.mean(x * x, axis=axes, keepdims=True) - np.mean(x, axis=axes, keepdims=True) ** 2"
Y = "affine(n.reshape(x.shape), gamma, beta)"
GROUPS = "groups, x.shape[-1] // groups)"

mutants = {
    "group-norm": (
        Mutant("epsilon-outside-the-root", "formula", STATISTICS, f"np.sqrt({VARIANCE} + eps)", f"np.sqrt({VARIANCE}) + eps"),
        Mutant("no-epsilon", "formula", STATISTICS, " + eps)", ")"),
        Mutant("epsilon-not-passed-on", "formula", NORM, "AXES, eps)", "AXES, 1e-5)", option="epsilon"),
        Mutant("unbiased-variance", "formula", STATISTICS, VARIANCE, "np.var(x, axis=axes, keepdims=True, ddof=1)"),
        Mutant("mean-kept", "formula", STATISTICS, "c = x - np.mean(x, axis=axes, keepdims=True)", "c = x"),
        Mutant("instance-for-group", "formula", NORM, "AXES, eps)", "(1,), eps)"),
        Mutant("places-apart", "formula", NORM, "AXES, eps)", "(3,), eps)"),
        Mutant("whole-batch", "formula", NORM, "AXES, eps)", "(0, 1, 3), eps)"),
        Mutant("scale-from-one", "formula", SCALE, "gamma * n", "(1 + gamma) * n"),
        Mutant("one-group-for-none", "formula", SPLIT, "groups or x.shape[-1]", "groups or 1", option="instance"),
        Mutant("mean-of-squares-minus-square-of-the-mean", "unstable", STATISTICS, VARIANCE, f"np.maximum({SQUARES}, 0)", regime="large-mean"),
        Mutant("statistics-in-bfloat16", "precision", STATISTICS, "    return c / s", "    s = bfloat16(s)\n    return c / s"),
        Mutant("mean-in-float32", "precision", STATISTICS, "np.mean(x, axis=axes, keepdims=True)", "float32(np.mean(x, axis=axes, keepdims=True))"),
        Mutant("variance-detached", "gradient", STATISTICS_BACK, "dc = dn / s + ds / m * n", "dc = dn / s"),
        Mutant("mean-detached", "gradient", STATISTICS_BACK, "dc - np.mean(dc, axis=axes, keepdims=True)", "dc"),
        Mutant("variance-shared-by-the-channels-alone", "gradient", STATISTICS_BACK, "math.prod(n.shape[axis] for axis in axes)", "n.shape[axes[-1]]"),
        Mutant("scale-left-out", "gradient", SCALE_BACK, "gamma * dy", "dy"),
        Mutant("last-image-left-out", "mask", SCALE_BACK, "np.sum(dy * n, axis=", "np.sum((dy * n)[:-1], axis="),
        Mutant("last-place-left-out-of-the-mean", "mask", STATISTICS, "np.mean(x, axis=axes, keepdims=True)", "np.mean(x[:, :-1], axis=axes, keepdims=True)"),
        Mutant("groups-interleaved", "layout", SPLIT, GROUPS, "x.shape[-1] // groups, groups).swapaxes(2, 3)"),
        Mutant("groups-put-back-interleaved", "layout", NORM, "n.reshape(x.shape)", "n.swapaxes(2, 3).reshape(x.shape)"),
        Mutant("scale-of-the-group", "layout", NORM, Y, "affine(n.reshape(x.shape), np.repeat(gamma[: n.shape[2]], n.shape[3]), beta)"),
        Mutant("statistics-promote", "dtype", STATISTICS, "    return c / s", "    s = s.astype(np.float64)\n    return c / s"),
        Mutant("one-scale-off-by-a-thousandth", "local", SCALE, "gamma * n", "gamma * (1 + 0.001 * (np.arange(gamma.size) == 0)).astype(gamma.dtype) * n"),
    ),
}  # fmt: skip
