"""Planted faults of flattening, and of the dense layer behind it."""

from gaugeblock import Mutant

FLAT, FLAT_BACK = "cnn.flatten", "cnn.flatten_vjp"
COLUMNS, COLUMNS_BACK = "columns.flatten_columns", "columns.flatten_columns_vjp"
LINEAR, BACK = "linear.linear", "linear.linear_vjp"

orders = (
    Mutant("channels-first", "layout", FLAT, "x.reshape(len(x), -1)", "np.moveaxis(x, 3, 1).reshape(len(x), -1)"),
    Mutant("column-by-column", "layout", FLAT, "x.reshape(len(x), -1)", "np.swapaxes(x, 1, 2).reshape(len(x), -1)"),
    Mutant("channels-first-in-the-gradient", "layout", FLAT_BACK, "dy.reshape(x.shape)", "np.moveaxis(dy.reshape(len(x), x.shape[3], *x.shape[1:3]), 1, 3)"),
)  # fmt: skip

mutants = {
    "flatten": (
        *orders,
        Mutant("the-batch-inmost", "layout", FLAT, "x.reshape(len(x), -1)", "x.reshape(-1, len(x)).T"),
        Mutant("rows-upside-down", "layout", FLAT, "x.reshape", "x[:, ::-1].reshape"),
        Mutant("last-image-left-out", "mask", FLAT, "x.reshape", "np.concatenate([x[:-1], 0 * x[-1:]]).reshape"),
        Mutant("gradient-of-the-batch-mean", "gradient", FLAT_BACK, "dy.reshape(x.shape)", "dy.reshape(x.shape) / len(x)"),
        Mutant("gradient-detached", "gradient", FLAT_BACK, "dy.reshape(x.shape)", "0 * dy.reshape(x.shape)"),
        Mutant("through-bfloat16", "precision", FLAT, "x.reshape", "bfloat16(x).reshape"),
        Mutant("through-float32", "dtype", FLAT, "x.reshape", "float32(x).reshape"),
        Mutant("promoted", "dtype", FLAT, "x.reshape", "x.astype(np.float64).reshape"),
    ),
    "column-order": (
        Mutant("row-by-row", "layout", COLUMNS, "np.transpose(x, (0, 3, 2, 1))", "x"),
        Mutant("channels-first", "layout", COLUMNS, "(0, 3, 2, 1)", "(0, 3, 1, 2)"),
        Mutant("batch-among-the-columns", "layout", COLUMNS, "np.transpose(x, (0, 3, 2, 1)).reshape(len(x), -1)", "np.transpose(x, (3, 2, 1, 0)).reshape(len(x), -1)"),
        Mutant("row-by-row-in-the-gradient", "gradient", COLUMNS_BACK, "np.transpose(dy.reshape(n, c, w, h), (0, 3, 2, 1))", "dy.reshape(x.shape)"),
        Mutant("through-bfloat16", "precision", COLUMNS, "np.transpose(x,", "np.transpose(bfloat16(x),"),
    ),
    "dense-flatten": (
        *orders,
        Mutant("no-bias", "formula", LINEAR, "_design(x) @ np.concatenate([b[None], W])", "x @ W"),
        Mutant("weights-off-by-a-millionth", "formula", LINEAR, "[b[None], W]", "[b[None], W * (1 + 1e-6)]"),
        Mutant("inputs-in-bfloat16", "precision", LINEAR, "_design(x) @", "bfloat16(_design(x)) @"),
        Mutant("result-in-float32", "dtype", LINEAR, "_design(x) @ np.concatenate([b[None], W])", "float32(_design(x) @ np.concatenate([b[None], W]))"),
        Mutant("weights-stored-transposed", "layout", LINEAR, "[b[None], W]", "[b[None], W.reshape(W.shape[::-1]).T]"),
        Mutant("weights-not-transposed-back", "gradient", BACK, "dy @ W.T", "dy @ W.reshape(m, d)"),
        Mutant("bias-of-the-batch-mean", "gradient", BACK, "np.sum(rows, axis=0)", "np.mean(rows, axis=0)"),
        Mutant("last-image-left-out", "mask", BACK, "x.reshape(-1, d).T @ rows", "x.reshape(-1, d)[:-1].T @ rows[:-1]"),
    ),
}  # fmt: skip
