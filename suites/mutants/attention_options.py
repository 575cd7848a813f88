"""Planted faults of attention with further arguments."""

from gaugeblock import Mutant

SPREAD, GATHERED, WITHIN = (
    "attention_options._spread",
    "attention_options._gathered",
    "attention_options._within",
)
GROUPED, SCORES = "attention_options.grouped_attention", "attention_options._scores"
SCORED, BACK = "attention_options.scored_attention", "attention_options.scored_attention_vjp"
RATIO, MASKED = "attention_options._ratio", "attention_options._masked"

mutants = {
    "grouped-attention": (
        Mutant("scale-ignored", "formula", RATIO, "if scale is None", "if True"),
        Mutant("scale-of-the-usual-too", "formula", RATIO, "scale * math.sqrt(q.shape[-1])", "scale"),
        Mutant("heads-in-another-order", "layout", SPREAD, "np.repeat(k, q.shape[1] // k.shape[1], axis=1)", "np.tile(k, (1, q.shape[1] // k.shape[1], 1, 1))", option="grouped"),
        Mutant("gradient-of-one-of-the-group", "gradient", GATHERED, ".sum(axis=2)", "[:, :, 0]", option="grouped"),
        Mutant("gradient-by-a-mean", "gradient", GATHERED, ".sum(axis=2)", ".mean(axis=2)", option="grouped"),
        Mutant("keys-one-too-long", "mask", WITHIN, "s < keys[", "s <= keys[", option="key-lengths"),
        Mutant("queries-one-too-short", "mask", WITHIN, "t < asks[", "t + 1 < asks[", option="query-lengths"),
        Mutant("beyond-the-length-a-mean", "formula", GROUPED, '"nan" if asks is None else "zero"', '"mean"', option="query-lengths"),
        Mutant("sums-without-the-scale", "formula", "attention_options._sums", "/ math.sqrt(q.shape[-1])", "/ 1", option="sums"),
        Mutant("keys-in-bfloat16", "precision", SPREAD, "np.repeat(k,", "np.repeat(bfloat16(k),"),
        Mutant("unscaled-backwards", "gradient", "attention_options.grouped_attention_vjp", '"q": ratio * grads', '"q": grads'),
    ),
    "scored-attention": (
        Mutant("scale-ignored", "formula", SCORES, "1 if scale is None else scale", "1", option="dot-scale"),
        Mutant("scaled-by-the-width", "formula", SCORES, "return s * (q @", "return s / math.sqrt(q.shape[-1]) * (q @"),
        Mutant("tanh-of-the-difference", "formula", SCORES, "q[:, :, None] + k[:, None]", "q[:, :, None] - k[:, None]", option="concat"),
        Mutant("weight-of-the-tanh-ignored", "formula", SCORES, "total if w is None else w * total", "total", option="concat"),
        Mutant("queries-not-hidden", "mask", SCORED, "y if query_mask is None else np.where(query_mask[..., None], y, 0)", "y", option="dot-masks"),
        Mutant("queries-not-hidden-backwards", "gradient", BACK, "dy if query_mask is None else np.where(query_mask[..., None], dy, 0)", "dy", option="dot-masks"),
        Mutant("keys-not-hidden", "mask", MASKED, "np.where(value_mask[:, None], S, -math.inf)", "S", option="dot-masks"),
        Mutant("hidden-by-a-little", "mask", MASKED, "np.where(value_mask[:, None], S, -math.inf)", "np.where(value_mask[:, None], S, S - 3)", option="dot-masks"),
        Mutant("future-seen", "mask", MASKED, "if causal:", "if False:", option="dot-value-mask-causal"),
        Mutant("scores-detached", "gradient", BACK, " + dA, S)", ", S)", option="dot-scores"),
        Mutant("scale-detached", "gradient", BACK, '{"scale": ds}', '{"scale": 0 * ds}', option="dot-scale"),
        Mutant("scores-in-bfloat16", "precision", SCORES, "return s * (q @ np.swapaxes(k, -1, -2))", "return bfloat16(s * (q @ np.swapaxes(k, -1, -2)))"),
        Mutant("scores-before-the-softmax", "layout", SCORED, '"A": A}', '"A": A[:, ::-1]}', option="dot-scores"),
    ),
}  # fmt: skip
