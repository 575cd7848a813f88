"""Planted faults of dropout."""

from gaugeblock import Mutant

DROP, BACK, ROWS, ROWS_BACK = (
    "dropout.dropout",
    "dropout.dropout_vjp",
    "dropout.dropped_rows",
    "dropout.dropped_rows_vjp",
)
KEPT, GUARD, AGAIN = (
    "x * mask / (1 - p)",
    "np.zeros_like(x) if p == 1 else ",
    "dropout(dy, mask, p=p, training=training)",
)

mutants = {
    "dropout": (
        Mutant("not-scaled", "formula", DROP, KEPT, "x * mask"),
        Mutant("scaled-by-the-share-dropped", "formula", DROP, KEPT, "x * mask / p", option="few"),
        Mutant("scaled-by-the-root", "formula", DROP, KEPT, "x * mask / (1 - p) ** 0.5"),
        Mutant("scaled-by-what-was-kept", "formula", DROP, KEPT, "x * mask / mask.mean(dtype=x.dtype)"),
        Mutant("scaled-twice", "formula", DROP, KEPT, "x * mask / (1 - p) ** 2"),
        Mutant("keeps-what-should-go", "formula", DROP, KEPT, "x * ~mask / (1 - p)"),
        Mutant("scaled-in-inference", "formula", DROP, "return +x", "return x * (1 - p)", option="inference"),
        Mutant("drops-in-inference", "state", DROP, "not training", "False", option="inference"),
        Mutant("inputs-in-tf32", "precision", DROP, KEPT, "tf32(x) * mask / (1 - p)"),
        Mutant("scale-in-bfloat16", "precision", DROP, KEPT, "x * mask * float(bfloat16(np.float64(1 / (1 - p))))", option="few"),
        Mutant("share-in-float32", "precision", DROP, KEPT, "x * mask / (1 - float(np.float32(p)))", option="few"),
        Mutant("outputs-in-float32", "dtype", DROP, KEPT, f"float32({KEPT})"),
        Mutant("scale-promotes", "dtype", DROP, KEPT, "x * mask / np.float64(1 - p)"),
        Mutant("gradient-of-another-mask", "gradient", BACK, AGAIN, AGAIN.replace("mask", "np.roll(mask, 1, axis=1)")),
        Mutant("gradient-not-scaled", "gradient", BACK, AGAIN, "dropout(dy, mask, p=0, training=training)"),
        Mutant("gradient-through-what-is-dropped", "gradient", BACK, AGAIN, "dropout(dy, mask | True, p=p, training=training)"),
        Mutant("gradient-drops-in-inference", "gradient", BACK, AGAIN, "dropout(dy, mask, p=p)", option="inference"),
        Mutant("all-dropped-over-nothing", "mask", DROP, GUARD, "", option="all"),
        Mutant("first-element-always-kept", "mask", DROP, KEPT, "x * (mask | (np.arange(mask.shape[1]) == 0)) / (1 - p)"),
        Mutant("last-element-never-kept", "mask", DROP, KEPT, "x * (mask & (np.arange(mask.shape[1]) < mask.shape[1] - 1)) / (1 - p)"),
        Mutant("whole-rows-dropped", "mask", DROP, KEPT, "x * mask[:, :1] / (1 - p)"),
        Mutant("mask-of-the-row-before", "layout", DROP, KEPT, "x * np.roll(mask, 1, axis=0) / (1 - p)"),
        Mutant("kept-elements-moved", "layout", DROP, KEPT, "np.roll(x, 1, axis=1) * mask / (1 - p)"),
        Mutant("one-element-off-by-a-thousandth", "local", DROP, KEPT, f"{KEPT} * (1 + 0.001 * (np.arange(x.size) == mask.argmax()).reshape(x.shape)).astype(x.dtype)"),
    ),
}  # fmt: skip
