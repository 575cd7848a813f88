"""Planted faults of Kullback-Leibler divergences."""

from gaugeblock import Mutant

PLAIN, PLAIN_BACK = "divergence.kl_divergence", "divergence.kl_divergence_vjp"
LOGS, LOGS_BACK = "divergence.kl_divergence_log_targets", "divergence.kl_divergence_log_targets_vjp"
ZERO, OVER, OF = "divergence._or_one", "divergence._over_batch", "divergence._of_batch"
TERMS, LOG_TERMS = "p * (np.log(_or_one(p)) - z)", "np.exp(t) * (t - z)"
OFF = "(1 + 0.001 * (np.arange(l.size) == 0).reshape(l.shape)).astype(l.dtype)"

shared = (
    Mutant("mean-over-the-elements", "formula", OVER, "l.sum(axis=-1)", "l.mean(axis=-1)"),
    Mutant("sum-for-the-mean", "formula", OVER, 'else "mean"', 'else "sum"'),
    Mutant("gradient-over-the-elements", "gradient", OF, "l[..., 0].size", "l.size"),
    Mutant("gradient-of-each-shared", "gradient", OF, '"none" if reduction == "each" else "mean"', '"mean"', option="each"),
    Mutant("last-class-left-out", "mask", OVER, "l.sum(axis=-1)", "l[..., :-1].sum(axis=-1)"),
    Mutant("last-example-left-out", "mask", OVER, "l.sum(axis=-1)", "l[:-1].sum(axis=-1)"),
    Mutant("classes-summed-down-the-batch", "layout", OVER, "l.sum(axis=-1)", "l.sum(axis=0)"),
    Mutant("one-element-inside-off-by-a-thousandth", "local", OVER, "l.sum(axis=-1)", f"(l * {OFF}).sum(axis=-1)"),
)  # fmt: skip

mutants = {
    "kl-divergence": (
        *shared,
        Mutant("reversed", "formula", PLAIN, TERMS, "np.exp(z) * (z - np.log(_or_one(p)))"),
        Mutant("entropy-left-out", "formula", PLAIN, TERMS, "-p * z"),
        Mutant("bits", "formula", PLAIN, "np.log(", "np.log2("),
        Mutant("weighted-by-the-predictions", "formula", PLAIN, TERMS, "np.exp(z) * (np.log(_or_one(p)) - z)"),
        Mutant("predictions-for-their-logarithms", "formula", PLAIN, TERMS, "p * (np.log(_or_one(p)) - np.log(np.abs(z)))"),
        Mutant("of-measures", "formula", PLAIN, TERMS, f"{TERMS} - p + np.exp(z)", option="elements"),
        Mutant("targets-normalised", "formula", PLAIN, "    return", "    p = p / p.sum(axis=-1, keepdims=True)\n    return", regime="unnormalised"),
        Mutant("predictions-normalised", "formula", PLAIN, "    return", "    z = z - np.log(np.exp(z).sum(axis=-1, keepdims=True))\n    return", regime="unnormalised"),
        Mutant("quotient-of-probabilities", "unstable", PLAIN, "np.log(_or_one(p)) - z", "np.log(_or_one(p) / np.exp(z))", regime="peaked"),
        Mutant("entropy-summed-apart", "unstable", PLAIN, "_over_batch(p * (np.log(_or_one(p)) - z), reduction)", "_over_batch(p * np.log(_or_one(p)), reduction) - _over_batch(p * z, reduction)", regime="close"),
        Mutant("logarithms-in-bfloat16", "precision", PLAIN, "np.log(_or_one(p))", "bfloat16(np.log(_or_one(p)))"),
        Mutant("targets-in-float32", "precision", PLAIN, "    return", "    p = float32(p)\n    return"),
        Mutant("gradient-of-logits", "gradient", PLAIN_BACK, "reduction) * p", "reduction) * (p - np.exp(z))"),
        Mutant("gradient-turned", "gradient", PLAIN_BACK, "-_of_batch", "_of_batch"),
        Mutant("zeros-not-spared", "mask", ZERO, "np.where(p > 0, p, 1)", "p", regime="zeros"),
        Mutant("epsilon-inside-the-logarithm", "mask", ZERO, "np.where(p > 0, p, 1)", "p + 1e-7"),
        Mutant("targets-floored", "mask", ZERO, "np.where(p > 0, p, 1)", "np.maximum(p, 1e-7)", regime="unnormalised"),
        Mutant("small-targets-spared-too", "mask", ZERO, "p > 0,", "p > 1e-8,", regime="unnormalised"),
        Mutant("targets-of-the-example-before", "layout", PLAIN, "    return", "    p = np.roll(p, 1, axis=0)\n    return"),
        Mutant("targets-promote", "dtype", PLAIN, "    return", "    p = p.astype(np.float64)\n    return"),
    ),
    "kl-divergence-log-targets": (
        *shared,
        Mutant("reversed", "formula", LOGS, LOG_TERMS, "np.exp(z) * (z - t)"),
        Mutant("targets-not-exponentiated", "formula", LOGS, LOG_TERMS, "t * (t - z)"),
        Mutant("weighted-by-the-predictions", "formula", LOGS, LOG_TERMS, "np.exp(z) * (t - z)"),
        Mutant("entropy-left-out", "formula", LOGS, LOG_TERMS, "-np.exp(t) * z"),
        Mutant("of-measures", "formula", LOGS, LOG_TERMS, f"{LOG_TERMS} - np.exp(t) + np.exp(z)", option="elements"),
        Mutant("targets-normalised", "formula", LOGS, "    return", "    t = t - np.log(np.exp(t).sum(axis=-1, keepdims=True))\n    return", regime="unnormalised"),
        Mutant("quotient-of-probabilities", "unstable", LOGS, "(t - z)", "np.log(np.exp(t) / np.exp(z))", regime="peaked"),
        Mutant("entropy-summed-apart", "unstable", LOGS, f"_over_batch(_seen({LOG_TERMS}, seen), reduction)", "_over_batch(np.exp(t) * t, reduction) - _over_batch(np.exp(t) * z, reduction)", regime="close"),
        Mutant("mask-left-out", "mask", LOGS, f"_seen({LOG_TERMS}, seen)", LOG_TERMS, option="some"),
        Mutant("what-is-left-out-gets-a-gradient", "gradient", LOGS_BACK, "_seen(_of_batch(dy, z, reduction), seen)", "_of_batch(dy, z, reduction)", option="some"),
        Mutant("targets-in-bfloat16", "precision", LOGS, "np.exp(t)", "bfloat16(np.exp(t))"),
        Mutant("targets-in-float32", "precision", LOGS, "np.exp(t)", "float32(np.exp(t))"),
        Mutant("targets-floored", "mask", LOGS, "    return", "    t = np.maximum(t, np.log(1e-7)).astype(t.dtype)\n    return", regime="unnormalised"),
        Mutant("product-rule-forgotten", "gradient", LOGS_BACK, "(p * (t - z) + p)", "(p * (t - z))"),
        Mutant("targets-held", "gradient", LOGS_BACK, "(p * (t - z) + p)", "(0 * p)"),
        Mutant("gradient-of-logits", "gradient", LOGS_BACK, '"z": -dl * p,', '"z": -dl * (p - np.exp(z)),'),
        Mutant("gradient-of-target-logits", "gradient", LOGS_BACK, "(p * (t - z) + p)", "(p * (t - z) - p * np.sum(p * (t - z), axis=-1, keepdims=True))"),
        Mutant("targets-of-the-example-before", "layout", LOGS, "    return", "    t = np.roll(t, 1, axis=0)\n    return"),
        Mutant("targets-promote", "dtype", LOGS, "np.exp(t)", "np.exp(t.astype(np.float64))"),
    ),
}  # fmt: skip
