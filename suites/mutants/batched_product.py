"""Planted faults of products of matrices."""

from gaugeblock import Mutant

PRODUCT, BACK, SUM = "products.product", "products.product_vjp", "products._sum_to"

mutants = {
    "batched-product": (
        Mutant("examples-in-another-order", "layout", PRODUCT, '_op(B, "B" in turned)', '_op(B[::-1], "B" in turned)'),
        Mutant("last-term-left-out", "mask", PRODUCT, '_op(A, "A" in turned) @ _op(B, "B" in turned)', '_op(A, "A" in turned)[..., :-1] @ _op(B, "B" in turned)[..., :-1, :]'),
        Mutant("added-twice", "formula", PRODUCT, "else y + _times(beta, C)", "else y + 2 * C", option="added"),
        Mutant("added-to-one-example", "formula", PRODUCT, "else y + _times(beta, C)", "else y + C[:1]", option="added"),
        Mutant("first-example-for-all", "formula", PRODUCT, '_op(A, "A" in turned)', '_op(A[:1], "A" in turned)'),
        Mutant("left-in-bfloat16", "precision", PRODUCT, '_op(A, "A" in turned)', '_op(bfloat16(A), "A" in turned)'),
        Mutant("shared-by-a-mean", "gradient", SUM, "g.sum(axis=tuple(range(g.ndim - len(shape))))", "g.mean(axis=tuple(range(g.ndim - len(shape))))", option="right-shared"),
        Mutant("one-of-many-by-a-mean", "gradient", SUM, "g.sum(axis=axes, keepdims=True)", "g.mean(axis=axes, keepdims=True)", option="one-of-many"),
        Mutant("factor-of-the-product-left-out", "formula", PRODUCT, "_times(alpha, ", "_times(1, ", option="factors"),
        Mutant("factor-of-the-sum-left-out", "formula", PRODUCT, "_times(beta, C)", "C", option="factors"),
        Mutant("one-factor-for-both", "formula", PRODUCT, "_times(beta, C)", "_times(alpha, C)", option="factors-row"),
        Mutant("factor-of-zero-as-none", "formula", PRODUCT, "C is None or beta == 0 else y + _times(beta, C)", "C is None else y + _times(beta or 1, C)", option="factor-zero"),
        Mutant("factor-not-in-the-gradient", "gradient", BACK, "_times(alpha, dy)", "dy", option="factors"),
        Mutant("added-without-its-factor-backwards", "gradient", BACK, "_times(beta, dy)", "dy", option="factors-row"),
        Mutant("right-detached", "gradient", BACK, '"B": _sum_to(', '"B": 0 * _sum_to('),
        Mutant("gradient-of-the-example-before", "gradient", BACK, "_op(left, True) @ dy", "np.roll(_op(left, True), 1, axis=0) @ dy"),
    ),
}  # fmt: skip
