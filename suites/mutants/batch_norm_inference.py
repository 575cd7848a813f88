"""Planted faults of batch normalisation in inference."""

from gaugeblock import Mutant
from suites.mutants.batch_norm import OFF

INFER, INFER_BACK, SLOPE = (
    "batch_norm.batch_norm_inference",
    "batch_norm.batch_norm_inference_vjp",
    "batch_norm._slope",
)

mutants = {
    "batch-norm-inference": (
        Mutant("epsilon-outside-the-root", "formula", SLOPE, "np.sqrt(variance + eps)", "(np.sqrt(variance) + eps)"),
        Mutant("no-epsilon", "formula", SLOPE, "variance + eps", "variance"),
        Mutant("variance-taken-for-the-deviation", "formula", SLOPE, "np.sqrt(variance + eps)", "(variance + eps)"),
        Mutant("mean-not-scaled", "formula", INFER, "beta - a * mean", "beta - mean"),
        Mutant("mean-kept-without-a-shift", "formula", INFER, "-(a * mean) if", "0 if", option="bare"),
        Mutant("variance-from-the-second-moment", "unstable", INFER, "    a =", "    variance = (variance + mean * mean) - mean * mean\n    a =", regime="large-mean"),
        Mutant("slope-in-bfloat16", "precision", INFER, "_slope(variance, gamma, eps)", "bfloat16(_slope(variance, gamma, eps))"),
        Mutant("slope-in-float32", "precision", SLOPE, "    return", "    variance = float32(variance)\n    return"),
        Mutant("scale-without-the-mean", "gradient", INFER_BACK, " - mean * db", ""),
        Mutant("scale-by-the-variance", "gradient", INFER_BACK, "da / np.sqrt(variance + eps)", "da / (variance + eps)"),
        Mutant("gradient-of-training", "gradient", INFER_BACK, "_slope(variance, gamma, eps) * dy}", "_slope(variance, gamma, eps) * (dy - np.mean(dy, axis=_rows(x)))}"),
        Mutant("statistics-of-the-batch", "state", INFER, "    a =", "    mean, variance = np.mean(x, axis=_rows(x)), np.var(x, axis=_rows(x))\n    a ="),
        Mutant("mean-moved-first", "state", INFER, "    a =", "    mean = 0.9 * mean + 0.1 * np.mean(x, axis=_rows(x))\n    a ="),
        Mutant("last-image-left-out", "mask", INFER_BACK, "db = np.sum(dy, axis=", "db = np.sum(dy[:-1], axis="),
        Mutant("last-channel-by-the-first-mean", "mask", INFER, "    a =", "    mean = np.append(mean[:-1], mean[0])\n    a ="),
        Mutant("means-reversed", "layout", INFER, "beta - a * mean", "beta - a * mean[::-1]"),
        Mutant("scales-of-the-channel-before", "layout", INFER, "_slope(variance, gamma,", "_slope(variance, np.roll(gamma, 1),"),
        Mutant("variance-promotes", "dtype", SLOPE, "variance + eps", "variance.astype(np.float64) + eps"),
        Mutant("one-channel-off-by-a-thousandth", "local", INFER, "    a =", f"    variance = variance * {OFF}\n    a ="),
    ),
}  # fmt: skip
