"""Planted faults of weighted bags of word vectors."""

from gaugeblock import Mutant

BAG, BACK = "embedding.embedding_bag", "embedding.embedding_bag_vjp"
SUM = 'np.einsum("nk,nkd->nd", alpha, U[ids])'

mutants = {
    "embedding-bag": (
        Mutant("mean-for-the-sum", "formula", BAG, SUM, f"{SUM} / ids.shape[1]"),
        Mutant("divided-by-the-weights", "formula", BAG, SUM, f"{SUM} / alpha.sum(axis=1, keepdims=True)"),
        Mutant("weights-left-out", "formula", BAG, "alpha, U[ids]", "np.ones_like(alpha), U[ids]"),
        Mutant("weights-squared", "formula", BAG, "alpha, U[ids]", "alpha * alpha, U[ids]"),
        Mutant("weights-in-bfloat16", "precision", BAG, "alpha, U[ids]", "bfloat16(alpha), U[ids]"),
        Mutant("table-in-float32", "dtype", BAG, "U[ids]", "float32(U)[ids]"),
        Mutant("table-promotes", "dtype", BAG, "U[ids]", "U[ids].astype(np.float64)"),
        Mutant("last-word-left-out", "mask", BAG, "alpha, U[ids]", "alpha[:, :-1], U[ids[:, :-1]]"),
        Mutant("words-without-weight-count", "mask", BAG, "alpha, U[ids]", "np.where(alpha > 0, alpha, 1), U[ids]", option="short-bags"),
        Mutant("weights-of-the-bag-before", "layout", BAG, "alpha, U[ids]", "np.roll(alpha, 1, axis=0), U[ids]"),
        Mutant("words-reversed", "layout", BAG, "U[ids]", "U[ids[:, ::-1]]"),
        Mutant("table-gradient-unweighted", "gradient", BACK, "alpha[..., None] * dy[:, None]", "np.ones_like(alpha)[..., None] * dy[:, None]"),
        Mutant("weights-detached", "gradient", BACK, '"alpha": dalpha', '"alpha": 0 * dalpha'),
        Mutant("weights-of-zero-get-no-gradient", "gradient", BACK, '"alpha": dalpha', '"alpha": np.where(alpha > 0, dalpha, 0)', option="short-bags"),
        Mutant("last-use-alone", "gradient", "embedding.embedding_vjp", "np.add.at(dE, ids, dy)", "dE[ids] = dy"),
    ),
}  # fmt: skip
