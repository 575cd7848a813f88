"""Planted faults of attention of infinite queries."""

from gaugeblock import Mutant

WHOLE, S, LOGITS = "infinite_attention.infinite_attention", "attention._weights", "attention._scores"
SCORES = "S = q @ _T(k) / math.sqrt(q.shape[-1])"

mutants = {
    "infinite-attention": (
        Mutant("hidden-as-zeros", "formula", WHOLE, "math.nan)", "0.0)"),
        Mutant("hidden-as-infinity", "formula", WHOLE, "math.nan)", "math.inf)"),
        Mutant("hidden-as-a-mean", "formula", WHOLE, "math.nan)", "v.mean(axis=-2, keepdims=True))"),
        Mutant("all-of-the-head-spoiled", "formula", WHOLE, ".all(axis=-1, keepdims=True)", ".all(axis=(-1, -2), keepdims=True)"),
        Mutant("query-before-spoiled", "layout", WHOLE, "    return", "    finite = np.roll(finite, -1, axis=2)\n    return"),
        Mutant("first-key-not-seen", "mask", S, "        return softmax(S)", "        return softmax(np.where(np.arange(S.shape[-1]) > 0, S, -math.inf))"),
        Mutant("causal-by-one", "mask", "attention._allowed", "dtype=bool))", "dtype=bool), k=1)", option="causal"),
        Mutant("logits-in-bfloat16", "precision", LOGITS, SCORES, "S = bfloat16(q @ _T(k) / math.sqrt(q.shape[-1]))"),
        Mutant("heads-share-keys", "layout", LOGITS, "q @ _T(k)", "q @ _T(k[:, ::-1])"),
    ),
}  # fmt: skip
