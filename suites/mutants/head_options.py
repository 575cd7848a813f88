"""Planted faults of multi-head attention with further arguments."""

from gaugeblock import Mutant

HEADS, BACK = "head_options.head_options", "head_options.head_options_vjp"
ROWS, SEEN, GATED, OF = "head_options._rows", "head_options._seen", "head_options._gated", "head_options._of"
SCORES = "head_options._scores"

mutants = {
    "head-options": (
        Mutant("scores-before-the-softmax", "formula", HEADS, "else A}", "else _scores(Q, K, seen)}"),
        Mutant("averaged-by-a-sum", "formula", HEADS, "A.mean(axis=1)", "A.sum(axis=1)", option="scores-averaged"),
        Mutant("scores-detached", "gradient", BACK, " + dA, S)", ", S)"),
        Mutant("averaged-detached", "gradient", BACK, "[:, None] * (1 / h)", "[:, None]", option="scores-averaged"),
        Mutant("values-of-the-keys", "layout", OF, 'return z if name == "K" or r is None else r', "return z", option="values-apart"),
        Mutant("query-mask-left-out", "mask", SEEN, "if query_mask is not None", "if False", option="query-mask"),
        Mutant("key-mask-left-out", "mask", SEEN, "(value_mask, key_mask)", "(value_mask,)", option="key-mask"),
        Mutant("value-mask-left-out", "mask", SEEN, "(value_mask, key_mask)", "(key_mask,)", option="value-mask"),
        Mutant("masked-query-sees-nothing", "formula", SCORES, "np.where(seen, S, -math.inf), 0.0)", "np.where(seen, S, -math.inf), S)", option="query-mask"),
        Mutant("window-one-wider", "mask", SEEN, "< window", "<= window", option="window"),
        Mutant("gate-without-its-sigmoid", "formula", GATED, 'sigmoid(linear(x, *_matrix(heads, "G")))', 'linear(x, *_matrix(heads, "G"))', option="gate"),
        Mutant("gate-detached", "gradient", BACK, 'dx, dY = sums["G"]["x"]', 'dx, dY = 0 * sums["G"]["x"]', option="gate"),
        Mutant("zero-key-left-out", "formula", ROWS, 'if zero and name != "Q" else []', "if False else []", option="zero-key"),
        Mutant("value-of-the-further-key", "layout", ROWS, "heads[name.lower()]", 'heads["k"]', option="further-key"),
        Mutant("further-key-of-one-example", "gradient", BACK, "[:, :, s].sum(axis=0)", "[:, :, s][0]", option="further-key"),
        Mutant("norm-of-another-epsilon", "formula", ROWS, "eps=1e-6", "eps=1e-3", option="normed"),
        Mutant("norm-detached", "gradient", BACK, 'g = normed["gamma"], normed["x"]', 'g = normed["gamma"], g', option="normed"),
        Mutant("scores-in-bfloat16", "precision", SCORES, "/ math.sqrt(Q.shape[-1])", "/ math.sqrt(Q.shape[-1])\n    S = bfloat16(S)"),
    ),
}  # fmt: skip
