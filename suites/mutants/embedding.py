"""Planted faults of the lookup of word embeddings."""

from gaugeblock import Mutant

LOOKUP, BACK = "embedding.embedding", "embedding.embedding_vjp"
ADD = "    np.add.at(dE, ids, dy)\n"

mutants = {
    "embedding": (
        Mutant("numbers-from-one", "formula", LOOKUP, "E[ids]", "E[ids - 1]"),
        Mutant("times-the-root-of-the-width", "formula", LOOKUP, "E[ids]", "E[ids] * E.shape[1] ** 0.5"),
        Mutant("rows-cut-to-length-one", "formula", LOOKUP, "E[ids]", "E[ids] / np.maximum(1, np.sqrt((E * E).sum(axis=-1)))[ids][..., None]"),
        Mutant("table-in-bfloat16", "precision", LOOKUP, "E[ids]", "bfloat16(E)[ids]"),
        Mutant("table-in-float32", "dtype", LOOKUP, "E[ids]", "float32(E)[ids]"),
        Mutant("table-promotes", "dtype", LOOKUP, "E[ids]", "E[ids].astype(np.float64)"),
        Mutant("table-stored-transposed", "layout", LOOKUP, "E[ids]", "E.reshape(E.shape[::-1]).T[ids]"),
        Mutant("time-before-batch", "layout", LOOKUP, "E[ids]", "E[ids.T].reshape(*ids.shape, -1)"),
        Mutant("last-row-out-of-reach", "mask", LOOKUP, "E[ids]", "E[np.minimum(ids, len(E) - 2)]"),
        Mutant("padding-read-as-zeros", "mask", LOOKUP, "E[ids]", "np.where((ids == padding)[..., None], 0, E[ids])", option="padding"),
        Mutant("padding-gets-a-gradient", "mask", BACK, "np.where((ids == padding)[..., None], 0, dy)", "dy", option="padding"),
        Mutant("padding-is-the-last-row", "mask", BACK, "ids == padding", "ids == len(E) - 1", option="padding"),
        Mutant("last-use-alone", "gradient", BACK, "np.add.at(dE, ids, dy)", "dE[ids] = dy"),
        Mutant("mean-over-the-uses", "gradient", BACK, ADD, ADD + "    dE = dE / np.maximum(1, np.bincount(ids.ravel(), minlength=len(E)))[:, None].astype(dE.dtype)\n"),
        Mutant("uses-in-bfloat16", "precision", BACK, ADD, "    np.add.at(dE, ids, bfloat16(dy))\n"),
        Mutant("last-place-left-out", "mask", BACK, ADD, "    np.add.at(dE, ids[:, :-1], dy[:, :-1])\n"),
    ),
}  # fmt: skip
