"""Known departures of the closed form of linear regression."""

from gaugeblock import Limit

LSTSQ = {"backend": "torch", "contender": "torch.linalg.lstsq", "direction": "gradient"}

# the difference between a solver and the normal equations depends on the inputs: some seeds agree
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
        "passes uninitialized memory as initial pivots to LAPACK's gelsy: each call may pivot differently",
        "aten/src/ATen/native/BatchLinearAlgebraKernel.cpp, apply_lstsq: jpvt; pytorch/pytorch#187411",
        LSTSQ | {"device": "cpu"},
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
        {"backend": "tensorflow", "contender": "tensorflow.linalg.lstsq", "direction": "gradient"},
        always=False,
    ),
}
