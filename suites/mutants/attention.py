"""Planted faults of attention."""

from gaugeblock import Mutant

LOGITS, S = "attention._scores", "attention._weights"
BACK = "attention.attention_vjp"
SEEN = "attention._allowed"
SLOPE = 'softmax_vjp(dy @ _T(v), S)["x"]'

mutants = {
    "attention": (
        Mutant("no-scale", "formula", LOGITS, " / math.sqrt(q.shape[-1])", ""),
        Mutant("scale-by-d", "formula", LOGITS, "math.sqrt(q.shape[-1])", "q.shape[-1]"),
        Mutant("scale-off-by-a-millionth", "formula", LOGITS, "math.sqrt(q.shape[-1])", "math.sqrt(q.shape[-1]) * (1 + 1e-6)"),
        Mutant("over-the-queries", "formula", S, "        return softmax(S)", "        return _T(softmax(_T(S)))"),
        Mutant("softmax-without-its-maximum", "unstable", "activation.softmax", "x - x.max(axis=-1, keepdims=True)", "x", regime="shifted-logits"),
        Mutant("softmax-in-bfloat16", "precision", S, "        return softmax(S)", "        return bfloat16(softmax(S))"),
        Mutant("logits-in-float32", "precision", LOGITS, "    S = q @ _T(k) / math.sqrt(q.shape[-1])", "    S = float32(q @ _T(k) / math.sqrt(q.shape[-1]))"),
        Mutant("weights-promote", "dtype", S, "        return softmax(S)", "        return softmax(S).astype(np.float64)"),
        Mutant("row-sum-dropped", "gradient", BACK, SLOPE, "A * (dy @ _T(v))"),
        Mutant("row-sum-cancels", "unstable", BACK, SLOPE, "A * (dy @ _T(v) - np.sum(dy * (A @ v), axis=-1, keepdims=True))", regime="large-logits"),
        Mutant("gradient-unscaled", "gradient", BACK, " / math.sqrt(q.shape[-1])", ""),
        Mutant("keys-detached", "gradient", BACK, '"k": _T(dQK) @ q', '"k": 0 * (_T(dQK) @ q)'),
        Mutant("causal-by-one", "mask", SEEN, "dtype=bool))", "dtype=bool), k=1)", option="causal"),
        Mutant("causal-from-the-lower-right", "mask", SEEN, "dtype=bool))", "dtype=bool), k=k.shape[-2] - q.shape[-2])", option="causal"),
        Mutant("mask-inverted", "mask", LOGITS, "    empty = ~np.any", "    allowed = ~allowed\n    empty = ~np.any", option="boolean-mask"),
        Mutant("mask-added-not-set", "mask", LOGITS, "np.where(allowed, S, -math.inf)", "S + np.where(allowed, 1.0, 0.0)", option="boolean-mask"),
        Mutant("mask-of-minus-ten-thousandth", "mask", LOGITS, "np.where(allowed, S, -math.inf)", "np.where(allowed, S, -10.0)", option="boolean-mask"),
        Mutant("heads-share-keys", "layout", LOGITS, "q @ _T(k)", "q @ _T(k[:, ::-1])"),
    ),
}  # fmt: skip
