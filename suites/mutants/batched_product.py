"""Planted faults of products of matrices."""

from gaugeblock import Mutant

PRODUCT, BACK, SUM = "products.product", "products.product_vjp", "products._sum_to"

mutants = {
    "batched-product": (
        Mutant("examples-in-another-order", "layout", PRODUCT, '_op(B, "B" in turned)', '_op(B[::-1], "B" in turned)'),
        Mutant("last-term-left-out", "mask", PRODUCT, '_op(A, "A" in turned) @ _op(B, "B" in turned)', '_op(A, "A" in turned)[..., :-1] @ _op(B, "B" in turned)[..., :-1, :]'),
        Mutant("added-twice", "formula", PRODUCT, "else y + C", "else y + 2 * C", option="added"),
        Mutant("added-to-one-example", "formula", PRODUCT, "else y + C", "else y + C[:1]", option="added"),
        Mutant("first-example-for-all", "formula", PRODUCT, '_op(A, "A" in turned)', '_op(A[:1], "A" in turned)'),
        Mutant("left-in-bfloat16", "precision", PRODUCT, '_op(A, "A" in turned)', '_op(bfloat16(A), "A" in turned)'),
        Mutant("shared-by-a-mean", "gradient", SUM, "g.sum(axis=tuple(range(g.ndim - len(shape))))", "g.mean(axis=tuple(range(g.ndim - len(shape))))", option="right-shared"),
        Mutant("one-of-many-by-a-mean", "gradient", SUM, "g.sum(axis=axes, keepdims=True)", "g.mean(axis=axes, keepdims=True)", option="one-of-many"),
        Mutant("right-detached", "gradient", BACK, '"B": _sum_to(', '"B": 0 * _sum_to('),
        Mutant("gradient-of-the-example-before", "gradient", BACK, "_op(left, True) @ dy", "np.roll(_op(left, True), 1, axis=0) @ dy"),
    ),
}  # fmt: skip
