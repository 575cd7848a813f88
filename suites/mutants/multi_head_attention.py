"""Planted faults of multi-head attention."""

from gaugeblock import Mutant

HEAD, BACK = "multi_head_attention.multi_head_attention", "multi_head_attention.multi_head_attention_vjp"
PROJECT, MATRIX = "multi_head_attention._projections", "multi_head_attention._matrix"
SPLIT, MERGE = "multi_head_attention._split", "multi_head_attention._merge"
LOGITS, SEEN = "attention._scores", "attention._allowed"

mutants = {
    "multi-head-attention": (
        Mutant("scaled-by-the-whole-width", "formula", LOGITS, "math.sqrt(q.shape[-1])", "math.sqrt(q.shape[-1] * q.shape[1])"),
        Mutant("scale-off-by-a-millionth", "formula", LOGITS, "math.sqrt(q.shape[-1])", "(1 + 1e-6) * math.sqrt(q.shape[-1])"),
        Mutant("output-projection-without-its-shift", "formula", HEAD, '*_matrix(heads, "O")', '_matrix(heads, "O")[0], 0 * heads["b_O"]'),
        Mutant("keys-projected-as-values", "formula", PROJECT, '(z, "K")', '(z, "V")'),
        Mutant("width-before-heads", "layout", SPLIT, "np.swapaxes(y.reshape(b, t, h, width // h), 1, 2)", "np.moveaxis(y.reshape(b, t, width // h, h), -1, 1)"),
        Mutant("heads-merged-in-the-other-order", "layout", MERGE, "np.swapaxes(Y, 1, 2)", "np.swapaxes(Y[:, ::-1], 1, 2)"),
        Mutant("shift-of-the-first-head-for-all", "layout", MATRIX, "b.reshape(-1)", "np.concatenate([b[:1]] * len(b)).reshape(-1)"),
        Mutant("causal-by-one", "mask", SEEN, "dtype=bool))", "dtype=bool), k=1)", option="causal"),
        Mutant("last-key-seen-by-none", "mask", LOGITS, "    if allowed is None:", "    S[..., -1] = S[..., -1] - 30\n    if allowed is None:"),
        Mutant("half-the-gradient-of-the-keys", "gradient", BACK, 'back["K"]["x"] + back["V"]["x"]', '0.5 * back["K"]["x"] + back["V"]["x"]'),
        Mutant("values-detached", "gradient", BACK, 'back["K"]["x"] + back["V"]["x"]', 'back["K"]["x"]'),
        Mutant("heads-in-bfloat16", "precision", HEAD, "linear(_merge(Y),", "linear(bfloat16(_merge(Y)),"),
        Mutant("queries-in-float32", "precision", PROJECT, "return [_split(linear(y, *_matrix(heads, name)), h)", "return [_split(float32(linear(y, *_matrix(heads, name))), h)"),
    ),
}  # fmt: skip
