"""Planted faults of skip-gram with negative sampling."""

from gaugeblock import Mutant

LOSS, BACK = "embedding.skip_gram", "embedding.skip_gram_vjp"
FIRST, SCATTER = "embedding._first", "embedding.embedding_vjp"

both = (
    Mutant("mean-over-the-words-too", "formula", LOSS, "(1 / len(center))", "(1 / s.size)"),
    Mutant("tables-exchanged", "formula", LOSS, "V[center], U[words]", "U[center], V[words]"),
    Mutant("negatives-as-targets", "formula", FIRST, "y[:, 0] = 1", "y[:, 1:] = 1"),
    Mutant("last-negative-left-out", "mask", LOSS, "np.concatenate([context[:, None], negatives], axis=1)", "np.concatenate([context[:, None], negatives[:, :-1]], axis=1)"),
    Mutant("negatives-of-the-neighbour", "layout", LOSS, "[context[:, None], negatives]", "[context[:, None], negatives[::-1]]"),
    Mutant("repeated-words-once", "gradient", SCATTER, "np.add.at(dE, ids, dy)", "dE[ids] = dy"),
    Mutant("centre-detached", "gradient", BACK, 'embedding_vjp(dv, center, V)["E"]', '0 * embedding_vjp(dv, center, V)["E"]'),
    Mutant("scores-in-bfloat16", "precision", LOSS, 'np.einsum("nd,nkd->nk", V[center], U[words])', 'bfloat16(np.einsum("nd,nkd->nk", V[center], U[words]))'),
    Mutant("gradient-of-scores-in-float16", "precision", BACK, "dv = np.einsum", "ds = float16(ds)\n    dv = np.einsum"),
)  # fmt: skip
mutants = {"skip-gram": both}
