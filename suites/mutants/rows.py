"""Planted faults of lookups and updates of rows."""

from gaugeblock import Mutant

LOOK, LOOK_BACK, ROWS = "rows.lookup", "rows.lookup_vjp", "rows._rows"
ADD, ADD_BACK, SET, SET_BACK = "rows.add_rows", "rows.add_rows_vjp", "rows.set_rows", "rows.set_rows_vjp"

mutants = {
    "lookup-options": (
        Mutant("fill-of-zero", "formula", LOOK, "fill, E[rows]", "0.0, E[rows]", option="fill"),
        Mutant("filled-rows-get-a-gradient", "gradient", LOOK_BACK, 'if mode == "fill":', "if False:", option="fill"),
        Mutant("by-frequency-ignored", "gradient", LOOK_BACK, "if by_frequency:", "if False:", option="by-frequency"),
        Mutant("clipped-to-the-first", "formula", ROWS, "np.clip(ids, 0, n - 1)", "np.where((ids < 0) | (ids >= n), 0, ids)", option="clip"),
        Mutant("wrapped-by-one-more", "layout", ROWS, "ids % n", "ids % (n + 1) % n", option="wrap"),
        Mutant("negative-counts-from-one", "layout", ROWS, "ids + n, ids)", "ids + n - 1, ids)", option="negative"),
        Mutant("last-use-counts", "gradient", LOOK_BACK, "np.add.at(dE, rows, dy)", "dE[rows] = dy"),
    ),
    "row-add": (
        Mutant("last-of-equal-rows-counts", "formula", ADD, "np.add.at(y, rows, np.where(out[:, None], 0, new))", "y[rows] = y[rows] + np.where(out[:, None], 0, new)"),
        Mutant("beyond-goes-to-the-first", "mask", ADD, "np.where(out[:, None], 0, new)", "new", option="beyond"),
        Mutant("negative-left-out", "mask", ROWS, "rows = np.where(ids < 0, ids + n, ids)", "rows = ids", option="negative"),
        Mutant("added-detached", "gradient", ADD_BACK, "dy[rows])", "0 * dy[rows])"),
        Mutant("factor-left-out", "formula", ADD, "new if alpha == 1 else alpha * new", "new", option="scaled"),
        Mutant("factor-not-in-the-gradient", "gradient", ADD_BACK, "dnew if alpha == 1 else alpha * dnew", "dnew", option="scaled"),
        Mutant("added-in-bfloat16", "precision", ADD, "0, new)", "0, bfloat16(new))"),
    ),
    "row-set": (
        Mutant("added-not-set", "formula", SET, "y[rows[~out]] = new[~out]", "y[rows[~out]] += new[~out]"),
        Mutant("beyond-goes-to-the-last", "mask", SET, "y[rows[~out]] = new[~out]", "y[np.where(out, -1, rows)] = new", option="beyond"),
        Mutant("set-row-passes-a-gradient", "gradient", SET_BACK, "dx[rows[~out]] = 0", "pass"),
        Mutant("set-detached", "gradient", SET_BACK, "dy[rows])", "0 * dy[rows])"),
        Mutant("set-in-bfloat16", "precision", SET, "= new[~out]", "= bfloat16(new)[~out]"),
        Mutant("rows-in-another-order", "layout", SET, "= new[~out]", "= new[~out][::-1]"),
    ),
}  # fmt: skip
