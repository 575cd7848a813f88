"""Known departures of systems of linear equations."""

from gaugeblock import Limit

XLA = {"backend": "tensorflow", "contender": "tensorflow.linalg.solve", "mode": "xla"}
TRANSPOSED = (
    "solves systems of Aᵀ with the factors of A: where one element of a row is far above the others, its "
    "pivots are not those that Aᵀ would have, and smaller elements lose what is rounded away beside them"
)


def by_factors(package, backend, contender, source, **cells):
    where = {"backend": backend, "contender": contender, "regime": "one-far-above", "dtype": "float64"}
    return Limit(package, TRANSPOSED, source, where | cells, always=False)


limits = {
    "factors-of-the-transpose-torch": by_factors(
        "torch",
        "torch",
        "torch.linalg.solve",
        "torchgen/packaged/autograd/derivatives.yaml:1603 (linalg_solve_backward)",
    ),
    "factors-of-the-transpose-jax": by_factors(
        "jax", "jax", "jax.numpy.linalg.solve", "jax/_src/lax/linalg.py:3082", direction="gradient"
    ),
    "inverse-of-a-qr": Limit(
        "tensorflow",
        "under XLA multiplies B by an inverse, which it makes from a QR factorisation: each rounds more than "
        "elimination",
        "tensorflow/compiler/tf2xla/kernels/matrix_solve_op.cc (QrExplicit, BatchDot)",
        XLA,
        always=False,
    ),
    "squares-of-columns-overflow": Limit(
        "tensorflow",
        "under XLA factors A by QR, whose reflections square its elements: an overflow makes all of X NaN",
        "xla/hlo/transforms/expanders/qr_expander.cc (House)",
        XLA | {"regime": ("huge", "near-largest")},
        always=False,
    ),
}
