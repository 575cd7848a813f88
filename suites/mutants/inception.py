"""Planted faults of the Inception module."""

from gaugeblock import Mutant

WALK, BACK, UNIT, UNIT_BACK = (f"inception.{name}" for name in ("forward", "backward", "unit", "unit_vjp"))
STARTS = "starts = (x, x, x, max_pool(x, **POOL))"
NORM, STATISTICS, STATISTICS_BACK = (
    "batch_norm.batch_norm", "normalization.standardize", "normalization.standardize_vjp"
)  # fmt: skip
VARIANCE = "np.mean(c * c, axis=axes, keepdims=True)"
RUNNING, BIASED = "statistics", "statistics-biased"

module = (
    Mutant("pool-left-out", "formula", WALK, STARTS, "starts = (x, x, x, x)"),
    Mutant("average-for-the-maximum", "formula", "pooling.max_pool", "np.take_along_axis(u, first, axis=3)[:, :, :, 0]", "np.where(np.isfinite(u), u, 0).sum(axis=3) / 9"),
    Mutant("pool-padded-with-zeros", "mask", "pooling._choice", "fill=-math.inf", "fill=0.0"),
    Mutant("pool-shifted", "mask", WALK, STARTS, "starts = (x, x, x, max_pool(x, size=3, stride=1, padding='same')[:, ::-1, ::-1])"),
    Mutant("branches-joined-in-another-order", "layout", WALK, "np.concatenate(joined, axis=3)", "np.concatenate([joined[0], *joined[:0:-1]], axis=3)"),
    Mutant("channels-of-the-last-branch-reversed", "layout", WALK, "np.concatenate(joined, axis=3)", "np.concatenate([*joined[:3], joined[3][..., ::-1]], axis=3)"),
    Mutant("relu-missing", "formula", UNIT, "return relu(n), moved", "return n, moved"),
    Mutant("relu-before-the-normalisation", "formula", UNIT, "    if training:\n", "    a = relu(a)\n    if training:\n"),
    Mutant("normalised-without-its-scale", "formula", UNIT, "mean, variance, gamma, beta, **how", "mean, variance, None, beta, **how"),
    Mutant("epsilon-of-another-library", "formula", UNIT, "    a = conv2d", "    eps = 1e-5\n    a = conv2d"),
    Mutant("kernels-flipped", "formula", "convolution.conv2d", "_columns(W,", "_columns(W[::-1, ::-1],"),
    Mutant("unbiased-variance-normalises", "formula", STATISTICS, VARIANCE, "np.var(x, axis=axes, keepdims=True, ddof=1)"),
    Mutant("each-image-of-its-own", "mask", NORM, "standardize(x, axes, eps)", "standardize(x, (1, 2), eps)"),
    Mutant("last-image-left-out-of-the-variance", "mask", STATISTICS, VARIANCE, "np.mean((c * c)[:-1], axis=axes, keepdims=True)"),
    Mutant("activations-in-bfloat16", "precision", UNIT, "return relu(n), moved", "return bfloat16(relu(n)), moved"),
    Mutant("statistics-in-bfloat16", "precision", STATISTICS, "    return c / s", "    s = bfloat16(s)\n    return c / s"),
    Mutant("convolutions-in-float32", "dtype", UNIT, "conv2d(x, W,", "conv2d(float32(x), W,"),
    Mutant("images-promote", "dtype", UNIT, "conv2d(x, W,", "conv2d(x.astype(np.float64), W,"),
    Mutant("one-channel-off-by-a-thousandth", "local", WALK, "    y = np.concatenate(joined, axis=3)", "    joined[2][..., 0] *= 1.001\n    y = np.concatenate(joined, axis=3)"),
    Mutant("gate-open", "gradient", UNIT_BACK, 'relu_vjp(dy, n)["x"]', "dy"),
    Mutant("gate-of-the-convolution", "gradient", UNIT_BACK, "relu_vjp(dy, n)", "relu_vjp(dy, a)"),
    Mutant("variance-detached", "gradient", STATISTICS_BACK, "dc = dn / s + ds / m * n", "dc = dn / s"),
    Mutant("mean-detached", "gradient", STATISTICS_BACK, "dc - np.mean(dc, axis=axes, keepdims=True)", "dc"),
    Mutant("last-branch-detached", "gradient", BACK, '(max_pool_vjp(dh, x, **POOL)["x"] if name == "pool" else dh)', '(0 if name == "pool" else dh)'),
    Mutant("pool-passes-straight-through", "gradient", BACK, '(max_pool_vjp(dh, x, **POOL)["x"] if name == "pool" else dh)', "dh"),
    Mutant("pool-shares-its-gradient", "gradient", "pooling.max_pool_vjp", "    np.put_along_axis(du, first, dy[:, :, :, None], axis=3)", "    du[...] = dy[:, :, :, None] / u.shape[3]"),
    Mutant("cotangent-of-the-branch-before", "layout", BACK, "dy[..., here]", "np.roll(dy, 1, axis=3)[..., here]"),
)  # fmt: skip

mutants = {
    "inception-module": (
        *module,
        Mutant("running-mean-not-moved", "state", NORM, "(1 - momentum) * mean + momentum * np.mean(x, axis=axes)", "mean", option=RUNNING),
        Mutant("biased-running-variance", "state", NORM, "(m - 1 if unbiased else m)", "m", option=RUNNING),
        Mutant("unbiased-running-variance", "state", NORM, "(m - 1 if unbiased else m)", "(m - 1)", option=BIASED),
        Mutant("momentum-of-the-old-value", "state", NORM, "    axes =", "    momentum = 1 - momentum\n    axes =", option=RUNNING),
        Mutant("statistics-after-the-relu", "state", UNIT, "moved = batch_norm(a,", "moved = batch_norm(relu(a),", option=RUNNING),
        Mutant("statistics-of-the-unit-before", "state", WALK, "            at = here.stop", "            at = here.start", option=RUNNING),
        Mutant("batch-normalises-in-inference", "state", UNIT, "    if training:\n", "    if True:\n        unbiased, momentum = True, 0.1\n", option="inference"),
        Mutant("gradient-of-training-in-inference", "gradient", UNIT_BACK, "batch_norm_vjp if training else batch_norm_inference_vjp", "batch_norm_vjp", option="inference"),
    ),
}  # fmt: skip
