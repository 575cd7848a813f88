"""Planted faults of norms of images by running statistics."""

from gaugeblock import Mutant
from suites.mutants.batch_options import shared

RENORM, RENORM_BACK, RIGHT = (
    f"batch_options.{name}" for name in ("renormed_batch", "renormed_batch_vjp", "_corrections")
)
INSTANCE = "batch_options.instance_statistics"

mutants = {
    "renormed-batch": (
        *shared[1:],
        Mutant("not-renormed", "formula", RENORM, "r * ((x - mu) / s) + d", "(x - mu) / s"),
        Mutant("shift-before-the-scale", "formula", RENORM, "r * ((x - mu) / s) + d", "r * ((x - mu) / s + d)"),
        Mutant("shift-not-scaled", "formula", RIGHT, "(mu - known_mean) / t", "mu - known_mean"),
        Mutant("bounds-ignored", "formula", RIGHT, "np.minimum(np.maximum(r, least), most)", "r", option="clipped"),
        Mutant("shift-bounded-above-alone", "formula", RIGHT, "np.maximum(d, -bound)", "d", option="clipped"),
        Mutant("least-ignored", "formula", RIGHT, "np.maximum(r, least)", "r", option="clipped"),
        Mutant("known-deviation-unguarded", "formula", RIGHT, "np.maximum(known_deviation, math.sqrt(eps))", "known_deviation + math.sqrt(eps)"),
        Mutant("corrections-by-inference", "state", RENORM, "(mu, s, known_mean, known_deviation,", "(mu, s, mean, deviation,"),
        Mutant("one-pace", "state", RENORM, "_moved(known_mean, mu, pace)", "_moved(known_mean, mu, momentum)", option="paces"),
        Mutant("known-statistics-of-now", "state", RENORM, "(mu, s, known_mean, known_deviation,", "(mu, s, _moved(known_mean, mu, pace), _moved(known_deviation, s, pace),"),
        Mutant("variance-with-epsilon", "formula", RENORM, "moved * moved - eps", "moved * moved"),
        Mutant("scale-not-in-the-gradient", "gradient", RENORM_BACK, "dn * r, n", "dn, n"),
        Mutant("shift-not-in-the-gradient-of-the-scale", "gradient", RENORM_BACK, "r * n + d, gamma", "r * n, gamma"),
        Mutant("deviation-in-bfloat16", "precision", RENORM, "moved = _moved(deviation, s, momentum)", "moved = bfloat16(_moved(deviation, s, momentum))"),
    ),
    "instance-statistics": (
        *shared[1:],
        Mutant("biased", "formula", INSTANCE, "square * (m / (m - 1))", "square"),
        Mutant("unbiased-over-the-batch", "formula", INSTANCE, "square * (m / (m - 1))", "square * (m * len(x) / (m * len(x) - 1))"),
        Mutant("statistics-of-the-batch", "state", INSTANCE, "unbiased.mean(axis=0)", "_moments(x, None, BATCH)[1]"),
        Mutant("first-instance-alone", "state", INSTANCE, "mu.mean(axis=0)", "mu[0]"),
        Mutant("momentum-ignored", "formula", INSTANCE, "unbiased.mean(axis=0), momentum", "unbiased.mean(axis=0), 0.1", option="momentum"),
        Mutant("instance-in-inference", "state", INSTANCE, "if not training", "if False", option="inference"),
        Mutant("mean-in-bfloat16", "precision", INSTANCE, "_moved(mean, mu.mean(axis=0), momentum)", "_moved(mean, bfloat16(mu.mean(axis=0)), momentum)"),
    ),
}  # fmt: skip
