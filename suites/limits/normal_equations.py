"""Known departures of the closed form of linear regression."""

from gaugeblock import Limit

LSTSQ = {"backend": "torch", "contender": "torch.linalg.lstsq", "direction": "gradient"}

# the inputs decide how far the solvers' algorithms are from the normal equations: some seeds agree
limits = {
    "pseudo-inverse": Limit(
        "torch",
        "its gradient passes through the pseudo-inverse of X",
        "torchgen/packaged/autograd/derivatives.yaml:1057 (linalg_lstsq_backward)",
        LSTSQ,
        always=False,
    ),
    "pivots-from-memory": Limit(
        "torch",
        "gives LAPACK's gelsy what memory held as the columns to begin with: each call may pivot otherwise",
        "aten/src/ATen/native/BatchLinearAlgebraKernel.cpp, apply_lstsq: jpvt; pytorch/pytorch#187411",
        LSTSQ | {"device": "cpu"},
        always=False,
        varies=True,
    ),
    "singular-values": Limit(
        "jax",
        "solves by an SVD, which rounds more than elimination does, and differentiates through it",
        "jax/_src/numpy/linalg.py:1469 and its TODO at :1445",
        {"backend": "jax", "contender": "jax.numpy.linalg.lstsq"},
        always=False,
    ),
    "cholesky-factor": Limit(
        "tensorflow",
        "its gradient passes through the Cholesky factor of XᵀX and its inverse",
        "tensorflow/python/ops/linalg_grad.py:581",
        {"backend": "tensorflow", "contender": "tensorflow.linalg.lstsq", "direction": "gradient"},
        always=False,
    ),
}
