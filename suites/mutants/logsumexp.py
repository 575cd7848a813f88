"""Planted faults of log-sum-exp."""

from gaugeblock import Mutant

SUM, BACK = "logsumexp.logsumexp", "logsumexp.logsumexp_vjp"
TERMS, COUNTING = "logsumexp._terms", "logsumexp._counting"

mutants = {
    "logsumexp": (
        Mutant("without-its-maximum", "unstable", TERMS, "    powers =", "    most = 0 * most\n    powers =", regime="overflow"),
        Mutant("maximum-of-all-terms", "unstable", TERMS, "np.max(_counting(x, b, seen)", "np.max(_counting(x, None, None)", option="some-terms-hidden"),
        Mutant("weights-left-out", "formula", TERMS, "b * powers", "powers", option="weights"),
        Mutant("weights-in-the-exponent", "formula", TERMS, "b * powers", "np.exp(b) * powers", option="weights"),
        Mutant("mask-left-out", "mask", COUNTING, "np.ones(x.shape, bool) if seen is None else seen", "np.ones(x.shape, bool)", option="some-terms"),
        Mutant("left-out-terms-count-one", "mask", COUNTING, "x, -math.inf)", "x, 0)", option="some-terms"),
        Mutant("mean-for-the-sum", "formula", SUM, "terms.sum(", "terms.mean("),
        Mutant("sign-turned", "formula", SUM, "np.sign(S)", "-np.sign(S)", option="signed"),
        Mutant("sign-left-out", "formula", SUM, "np.abs(S) if signed", "np.abs(S) + 2 * (S < 0) if signed", option="signed"),
        Mutant("terms-in-bfloat16", "precision", TERMS, "return powers if", "powers = bfloat16(powers)\n    return powers if"),
        Mutant("sum-detached", "gradient", BACK, "dy / terms.sum(axis=axis, keepdims=True)", "dy"),
        Mutant("no-slope-of-a-weight-of-zero", "gradient", BACK, "_counting(x, None, seen)", "_counting(x, b, seen)", option="zero-weights"),
        Mutant("weights-detached", "gradient", BACK, '{"x": dS * terms}', '{"x": dS * np.exp(_counting(x, None, seen) - most)}', option="weights"),
        Mutant("weights-turned", "layout", TERMS, "b * powers", "b[::-1] * powers", option="weights"),
    ),
}  # fmt: skip
