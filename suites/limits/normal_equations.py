"""Known departures of the closed form of linear regression."""

from gaugeblock import Limit

LSTSQ = {"backend": "torch", "contender": "torch.linalg.lstsq", "direction": "gradient"}
LEAST_SQUARES = {"backend": "tensorflow", "contender": "tensorflow.linalg.lstsq"}
SQUARED = "is given XᵀX, as textbooks write it, which squares cond(X): no fault of the solver"
BOOK = "Golub and Van Loan 2013, Matrix Computations, 5.3.8: normal equations versus QR"

# how far a solver or a gradient is from the factorisation depends on the inputs: some seeds agree
limits = {
    **{
        f"condition-squared-{package}": Limit(
            package, SQUARED, BOOK, {"backend": package, "contender": f"{api}.solve"}, always=False
        )
        for package, api in {
            "torch": "torch.linalg",
            "tensorflow": "tensorflow.linalg",
            "jax": "jax.numpy.linalg",
        }.items()
    },
    "condition-squared-by-cholesky": Limit(
        "tensorflow",
        "solves the normal equations by default (fast=True), which square cond(X)",
        "tensorflow/python/ops/linalg_ops.py:266",
        (LEAST_SQUARES | {"direction": "forward"}, LEAST_SQUARES | {"regime": "collinear"}),
        always=False,
    ),
    "pseudo-inverse": Limit(
        "torch",
        "its gradient passes through the pseudo-inverse of X",
        "torchgen/packaged/autograd/derivatives.yaml:1057 (linalg_lstsq_backward)",
        LSTSQ,
        always=False,
    ),
    "singular-values-of-torch": Limit(
        "torch",
        "its drivers gelsd and gelss solve with an SVD, which has larger rounding errors than elimination",
        "aten/src/ATen/native/BatchLinearAlgebraKernel.cpp, apply_lstsq",
        LSTSQ | {"direction": "forward", "option": ("gelsd", "gelss", "cutoff")},
        always=False,
    ),
    "rank-of-an-infinity": Limit(
        "torch",
        "LAPACK's gelsy divides X by its largest element, ∞, and finds rank 0: all of B is 0",
        "LAPACK, dgelsy.f: ANRM above BIGNUM",
        LSTSQ | {"direction": "forward", "option": ("plain", "gelsy"), "regime": "one-infinity"},
    ),
    "pivots-from-memory": Limit(
        "torch",
        "passes uninitialized memory as initial pivots to LAPACK's gelsy: each call may pivot differently",
        "aten/src/ATen/native/BatchLinearAlgebraKernel.cpp, apply_lstsq: jpvt; pytorch/pytorch#187411",
        {"backend": "torch", "contender": "torch.linalg.lstsq", "device": "cpu"},
        always=False,
        varies=True,
    ),
    "singular-values": Limit(
        "jax",
        "solves with an SVD, which has larger rounding errors than elimination, and differentiates it",
        "jax/_src/numpy/linalg.py:1469 and its TODO at :1445",
        {"backend": "jax", "contender": "jax.numpy.linalg.lstsq"},
        always=False,
    ),
    "cholesky-factor": Limit(
        "tensorflow",
        "its gradient passes through the Cholesky factor of XᵀX and its inverse",
        "tensorflow/python/ops/linalg_grad.py:581",
        LEAST_SQUARES | {"direction": "gradient", "regime": ("typical", "diabetes", "one-far-above")},
        always=False,
    ),
}
