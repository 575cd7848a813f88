"""Known departures of the softmaxes."""

from gaugeblock import Limit
from suites.limits.activation import DECOMPOSED, KERNELS, cancels

LOG_SUM = "log Σ e^(x − max x) is 0 where the other terms are below u: the largest log-probability is lost"
LOG_SUMS = {
    "torch": f"torch/_decomp/decompositions.py:1355, {DECOMPOSED}/SoftMaxKernel.cpp",
    "tensorflow": f"{KERNELS}/softmax_op_functor.h:72",
    "jax": "jax/_src/nn/functions.py:569",
    "onnxruntime": "onnxruntime/core/providers/cpu/math/softmax_shared.cc",
}
SLOPE = "the gradient is y (dy − Σ dy y), which cancels where y is near 1: the error is u dy"
SLOPES = {
    "torch": f"torch/_decomp/decompositions.py:905, {DECOMPOSED}/SoftMaxKernel.cpp",
    "tensorflow": "tensorflow/python/ops/nn_grad.py:303",
    "jax": "jax/_src/nn/functions.py:632",
}
LOG_SLOPE = "the gradient is dy − y Σ dy, which cancels where y is near 1: the error is u dy"
LOG_SLOPES = {
    "torch": f"torch/_decomp/decompositions.py:922, {DECOMPOSED}/SoftMaxKernel.cpp",
    "tensorflow": "tensorflow/python/ops/nn_grad.py:321",
    "jax": "jax/_src/nn/functions.py:569, differentiated",
}

SUM = (
    "the gradient is dy − y Σ dy with Σ dy in float16, which ends at 65,504: a sum of 65,536 ones is infinite"
)
SUMS = {
    "tensorflow": "tensorflow/python/ops/nn_grad.py:321",
    "jax": "jax/_src/nn/functions.py:569, differentiated",
    "numpy": "reference/activation.py, which has the range of float64 where it is the oracle",
}

limits = {
    **{
        f"sum-beyond-float16-{backend}": Limit(
            backend,
            SUM,
            source,
            {
                "backend": backend,
                "case": "log-softmax",
                "size": "vocabulary",
                "regime": "cotangents-of-ones",
                "direction": "gradient",
                "dtype": "float16",
            },
        )
        for backend, source in SUMS.items()
    },
    **{
        f"log-of-one-{package}": cancels(package, LOG_SUM, source, case="log-softmax", direction="forward")
        for package, source in LOG_SUMS.items()
    },
    **{
        f"slope-near-one-{package}": cancels(package, SLOPE, source, case="softmax", direction="gradient")
        for package, source in SLOPES.items()
    },
    **{
        f"log-slope-near-one-{package}": cancels(
            package, LOG_SLOPE, source, case="log-softmax", direction="gradient"
        )
        for package, source in LOG_SLOPES.items()
    },
}
