"""Planted faults of the classifier of sequences."""

from gaugeblock import Mutant

WALK, BACK, WHOLE = (
    f"recurrent_classifier.{n}" for n in ("_forward", "recurrent_classifier_vjp", "recurrent_classifier")
)
SEEN = "np.arange(ids.shape[1]) < lengths[:, None]"
SIDES = "recurrent(h, **cell, **how, back=k == 1)"
RUN = "recurrent_options._run"

mutants = {
    "recurrent-classifier": (
        Mutant("reads-behind-the-end", "mask", WALK, SEEN, "np.arange(ids.shape[1]) <= lengths[:, None]"),
        Mutant("reads-everything", "mask", WALK, SEEN, "lengths[:, None] > 0 * ids"),
        Mutant("last-word-not-read", "mask", WALK, SEEN, "np.arange(ids.shape[1]) < np.maximum(lengths - 1, 1)[:, None]"),
        Mutant("backwards-from-the-padded-end", "mask", WALK, SIDES, 'recurrent(h, **cell, **how | {"seen": None if k else seen}, back=k == 1)'),
        Mutant("both-forwards", "formula", WALK, SIDES, "recurrent(h, **cell, **how)"),
        Mutant("directions-exchanged", "layout", WALK, "for k, side in enumerate(sides)], axis=-1)", "for k, side in enumerate(sides)][::-1], axis=-1)"),
        Mutant("backwards-left-in-its-own-order", "layout", "recurrent_classifier._turned", "k == 1 and y.ndim == 3", "False"),
        Mutant("first-direction-in-both", "formula", WALK, SIDES, "recurrent(h, **layer[0], **how, back=k == 1)"),
        Mutant("last-states-zero-behind-the-end", "state", WALK, '"last": n == len(layers), "zero": n < len(layers)', '"last": n == len(layers), "zero": True'),
        Mutant("state-goes-on-behind-the-end", "state", RUN, "np.where(now, one, other) for one, other in zip(new", "one for one, other in zip(new"),
        Mutant("state-begins-at-a-tenth", "state", RUN, "np.zeros_like(x, shape=(len(x), width))", "np.full_like(x, 0.1, shape=(len(x), width))"),
        Mutant("words-of-the-next-row", "layout", WALK, "embedding(ids, E)", "embedding(ids - 1, E)"),
        Mutant("head-without-its-bias", "formula", WALK, "linear(h, **head)", 'linear(h, head["W"])'),
        Mutant("labels-of-another-sequence", "layout", WHOLE, "sparse_cross_entropy(z, labels)", "sparse_cross_entropy(z, labels[::-1])"),
        Mutant("loss-summed", "formula", WHOLE, "sparse_cross_entropy(z, labels)", 'sparse_cross_entropy(z, labels, reduction="sum")'),
        Mutant("states-in-bfloat16", "precision", WALK, "    return seen, given, h, linear", "    h = bfloat16(h)\n    return seen, given, h, linear"),
        Mutant("words-in-float32", "dtype", WALK, "embedding(ids, E)", "embedding(ids, float32(E))"),
        Mutant("words-promote", "dtype", WALK, "embedding(ids, E)", "embedding(ids, E.astype(np.float64))"),
        Mutant("one-state-off-by-a-thousandth", "local", WALK, "    return seen, given, h, linear", "    h = h * np.where(np.arange(h.shape[1]) == 1, 1.001, 1).astype(h.dtype)\n    return seen, given, h, linear"),
        Mutant("forget-gate-detached", "gradient", "recurrent_options._lstm_vjp", "dc * gate(f)]", "0 * dc * gate(f)]"),
        Mutant("reset-detached", "gradient", "recurrent_options._gru_vjp", "gate_vjp(dn * q, r)", "gate_vjp(0 * dn * q, r)", option="gru"),
        Mutant("only-one-direction-passed-back", "gradient", BACK, 'sum(side.pop("x") for side in sides)', '[side.pop("x") for side in sides][0]'),
        Mutant("cotangents-of-directions-exchanged", "gradient", BACK, "zip(layer, parts, strict=True)", "zip(layer, parts[::-1], strict=True)"),
        Mutant("repeated-words-counted-once", "gradient", "embedding.embedding_vjp", "np.add.at(dE, ids, dy)", "dE[ids] = dy"),
        Mutant("loss-detached", "gradient", BACK, 'dy["z"] + sparse_cross_entropy_vjp(dy["loss"], z, labels)["z"]', 'dy["z"]'),
        Mutant("gradient-behind-the-end", "mask", "recurrent_options.recurrent_vjp", "[np.where(now, d, 0) for d in dnew]", "dnew"),
    ),
}  # fmt: skip
