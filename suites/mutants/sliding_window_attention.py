"""Planted faults of attention to a window of keys."""

from gaugeblock import Mutant

BAND, NEAR, NEAR_BACK = (
    "sliding_window.band",
    "sliding_window.sliding_window_attention",
    "sliding_window.sliding_window_attention_vjp",
)
LOGITS, WEIGHTS, BACK = "attention._scores", "attention._weights", "attention.attention_vjp"
AHEAD = "np.arange(keys) - np.arange(queries)[:, None]"
LEFT, RIGHT = "-queries if left is None else -left", "keys if right is None else right"
SCALED = "q @ _T(k) / math.sqrt(q.shape[-1])"
SOFTMAX = "convention[masked_rows], softmax(S)"

mutants = {
    "sliding-window-attention": (
        Mutant("window-of-blocks", "formula", BAND, "    return (", "    return (np.arange(keys) // (1 + (left or 0)) == np.arange(queries)[:, None] // (1 + (left or 0))) & ("),
        Mutant("dilated-unasked", "formula", BAND, "    return (", "    return (ahead % 2 == 0) & ("),
        Mutant("scale-by-d", "formula", LOGITS, "math.sqrt(q.shape[-1])", "q.shape[-1]"),
        Mutant("scale-by-the-window", "formula", NEAR, "attention(q, k, v, band", "attention(q / (1 + (left or 0)) ** 0.5, k, v, band"),
        Mutant("softmax-before-the-window", "formula", "attention.attention", "_weights(S, empty, masked_rows)", "np.where(np.isinf(S), 0.0, softmax(q @ _T(k) / math.sqrt(q.shape[-1])))"),
        Mutant("softmax-without-its-maximum", "unstable", "activation.softmax", "x - x.max(axis=-1, keepdims=True)", "x", regime="shifted-logits"),
        Mutant("softmax-in-bfloat16", "precision", WEIGHTS, SOFTMAX, "convention[masked_rows], bfloat16(softmax(S))"),
        Mutant("logits-in-float32", "precision", LOGITS, SCALED, f"float32({SCALED})"),
        Mutant("weights-promote", "dtype", WEIGHTS, SOFTMAX, f"{SOFTMAX}.astype(np.float64)"),
        Mutant("values-in-float32", "dtype", NEAR, "attention(q, k, v, band", "attention(q, k, float32(v), band"),
        Mutant("gradient-through-a-wider-window", "gradient", NEAR_BACK, "left, right))", "left + 1, right))"),
        Mutant("row-sum-dropped", "gradient", BACK, 'softmax_vjp(dy @ _T(v), S)["x"]', "A * (dy @ _T(v))"),
        Mutant("keys-detached", "gradient", BACK, '"k": _T(dQK) @ q', '"k": 0 * (_T(dQK) @ q)'),
        Mutant("one-key-more", "mask", BAND, LEFT, "-queries if left is None else -left - 1"),
        Mutant("one-key-less", "mask", BAND, "ahead >= (", "ahead > ("),
        Mutant("one-key-less-to-the-right", "mask", BAND, "ahead <= (", "ahead < (", option="both-sides"),
        Mutant("sides-exchanged", "mask", BAND, "    return", "    left, right = right, left\n    return", option="uneven"),
        Mutant("window-without-its-left-end", "mask", BAND, LEFT, "-queries"),
        Mutant("window-centred", "mask", BAND, "    return", "    left, right = left // 2, left - left // 2\n    return"),
        Mutant("right-end-at-the-query", "mask", BAND, RIGHT, "right or 0", option="far-right"),
        Mutant("first-key-always-seen", "mask", BAND, f"({RIGHT}))", f"({RIGHT})) | (np.arange(keys) == 0)"),
        Mutant("places-from-the-lower-right", "mask", BAND, AHEAD, "np.arange(keys) - (keys - queries) - np.arange(queries)[:, None]"),
        Mutant("unseen-keys-at-minus-ten", "mask", LOGITS, "np.where(allowed, S, -math.inf)", "np.where(allowed, S, -10.0)"),
        Mutant("heads-share-keys", "layout", NEAR, "attention(q, k, v, band", "attention(q, k[:, ::-1], v, band"),
        Mutant("values-of-the-key-before", "layout", NEAR, "attention(q, k, v, band", "attention(q, k, np.roll(v, 1, axis=2), band"),
        Mutant("one-logit-off-by-a-thousandth", "local", LOGITS, SCALED, f"{SCALED}\n    S[0, 0, 2, 1] *= 1.001"),
    ),
}  # fmt: skip
