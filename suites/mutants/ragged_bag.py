"""Planted faults of bags of words of any length."""

from gaugeblock import Mutant

BAG, BACK, MATRIX = "ragged_bag.ragged_bag", "ragged_bag.ragged_bag_vjp", "ragged_bag._matrix"
DIVISOR, WEIGHTS, LARGEST = "ragged_bag._divisor", "ragged_bag._weights", "ragged_bag._maximum"
FILLED = "ragged_bag._filled"
RESCALED, REST = "ragged_bag._rescaled", "ragged_bag._rest"
TAKE, ROWS = "words, V = ids[place], _rescaled(U, max_norm)", "_rescaled(U, max_norm)"
SUM, ROOT = "a.sum(axis=1, keepdims=True)", "np.sqrt((a * a).sum(axis=1, keepdims=True))"
COUNT = "np.maximum(inside.sum(axis=1, keepdims=True), 1)"
RUNNING = 'if mode == "sum" and alpha is None and padding is None:\n        total = np.concatenate([0 * V[:1], np.cumsum(V[ids], axis=0)])\n        ends = offsets[1:] if include_last_offset else np.append(offsets[1:], len(ids))\n        return total[ends] - total[offsets[: len(ends)]]'

mutants = {
    "ragged-bag": (
        Mutant("mean-for-the-sum", "formula", DIVISOR, "        return 1.0", "        return np.maximum(inside.sum(axis=1, keepdims=True), 1).astype(np.int16)"),
        Mutant("mean-over-the-longest-bag", "formula", DIVISOR, "_narrow(count)", "_narrow(0 * count + count.max())", option="mean"),
        Mutant("mean-by-the-words", "formula", DIVISOR, SUM, "inside.sum(axis=1, keepdims=True).astype(np.int16)", option="weighted-mean"),
        Mutant("root-of-the-sum-of-the-weights", "formula", DIVISOR, ROOT, "np.sqrt(a.sum(axis=1, keepdims=True))", option="weighted-sqrtn"),
        Mutant("divided-by-the-words", "formula", DIVISOR, "np.sqrt(root)", "root", option="sqrtn"),
        Mutant("largest-magnitude", "formula", LARGEST, "u.argmax(axis=1)", "np.where(np.isinf(u), -1, np.abs(u)).argmax(axis=1)", option="max"),
        Mutant("short-rows-lengthened", "formula", RESCALED, "norm > max_norm", "norm > 0", option="max-norm"),
        Mutant("largest-element-for-the-norm", "formula", RESCALED, "np.sqrt(np.sum(U * U, axis=1, keepdims=True))", "np.max(np.abs(U), axis=1, keepdims=True)", option="max-norm"),
        Mutant("norm-without-its-shift", "formula", RESCALED, "norm + SHIFT", "norm", option="max-norm"),
        Mutant("running-sums-subtracted", "unstable", BAG, TAKE, f"{TAKE}\n    {RUNNING}", regime="uneven-lengths"),
        Mutant("weights-in-bfloat16", "precision", WEIGHTS, "alpha[place]", "bfloat16(alpha)[place]", option="weighted"),
        Mutant("table-in-tf32", "precision", BAG, ROWS, f"tf32({ROWS})"),
        Mutant("table-in-float32", "dtype", BAG, ROWS, f"float32({ROWS})"),
        Mutant("counts-promote", "dtype", DIVISOR, "_narrow(count)", "count", option="mean"),
        Mutant("last-use-alone", "gradient", "embedding.embedding_vjp", "np.add.at(dE, ids, dy)", "dE[ids] = dy"),
        Mutant("gradient-undivided", "gradient", BACK, "embedding_bag_vjp(dy / Z,", "embedding_bag_vjp(dy,", option="mean"),
        Mutant("divisor-detached", "gradient", REST, "V[words] - (", "V[words] - 0 * (", option="weighted-mean"),
        Mutant("divisor-of-the-mean", "gradient", REST, 'y if mode == "mean" else y * (a / Z)[..., None]', "y", option="weighted-sqrtn"),
        Mutant("frequency-left-out", "gradient", BACK, 'grads["U"] / _narrow(uses)[:, None]', 'grads["U"]', option="by-frequency"),
        Mutant("frequency-of-another-row", "gradient", BACK, 'grads["U"] / _narrow(uses)', 'grads["U"] / _narrow(np.roll(uses, 1))', option="by-frequency"),
        Mutant("through-the-rescaled-rows", "gradient", BACK, "    if alpha is not None:", '    grads["U"] = grads["U"] * (V / U)\n    if alpha is not None:', option="max-norm"),
        Mutant("maximum-to-the-first-word", "gradient", BACK, "(du, first,", "(du, 0 * first,", option="max"),
        Mutant("last-word-left-out", "mask", MATRIX, "place < ends", "place < ends - 1"),
        Mutant("next-word-counts-too", "mask", MATRIX, "place < ends", "place <= np.minimum(ends, len(ids) - 1)"),
        Mutant("last-bag-to-the-end", "mask", MATRIX, "offsets if include_last_offset else", "np.append(offsets[:-1], len(ids)) if include_last_offset else", option="last-offset", equivalent="offsets end with the number of words: frameworks document nothing else, and torch reads what nobody wrote where words follow (pytorch#52851)"),
        Mutant("padding-is-the-last-row", "mask", MATRIX, "ids[place] != padding", "ids[place] != ids.max()", option="padding"),
        Mutant("padding-counts-in-the-mean", "mask", BAG, "_divisor(alpha, a, inside,", "_divisor(alpha, a, _matrix(ids, offsets, None, include_last_offset)[1],", option="padding-mean"),
        Mutant("padding-gets-a-gradient", "mask", BACK, "_matrix(ids, offsets, padding,", "_matrix(ids, offsets, None,", option="padding"),
        Mutant("empty-bag-takes-the-first-word", "mask", MATRIX, "    return place, inside if", "    inside[:, :1] = True\n    return place, inside if", option="empty"),
        Mutant("empty-bag-without-a-mean", "mask", DIVISOR, COUNT, "inside.sum(axis=1, keepdims=True)", option="empty-mean"),
        Mutant("empty-bag-without-a-maximum", "mask", LARGEST, "np.where(_empty(inside), 0.0, np.take_along_axis(u, first, axis=1)[:, 0])", "np.take_along_axis(u, first, axis=1)[:, 0]", option="empty-max"),
        Mutant("default-of-the-first-row", "mask", FILLED, "np.where(lone, default, words)", "np.where(lone, 0, words)", option="default-row"),
        Mutant("default-divided", "formula", FILLED, "np.where(lone, 1.0, a)", "np.where(lone, 0.5, a)", option="default-row-weighted"),
        Mutant("default-detached", "gradient", BACK, "dy / Z, filled, b, V", "dy / Z, words, a, V", option="default-row"),
        Mutant("padding-in-the-maximum", "mask", BAG, "_maximum(V[words], inside)", "_maximum(V[words], _matrix(ids, offsets, None, include_last_offset)[1])", option="padding-max"),
        Mutant("words-reversed", "layout", BAG, "ids[place]", "ids[::-1][place]"),
        Mutant("weights-of-the-word-before", "layout", WEIGHTS, "alpha[place]", "np.roll(alpha, 1)[place]", option="weighted"),
        Mutant("one-row-off-by-a-thousandth", "local", BAG, ROWS, f"{ROWS} * (1 + 0.001 * (np.arange(len(U)) == ids[0])[:, None]).astype(U.dtype)"),
    ),
}  # fmt: skip
