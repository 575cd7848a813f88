"""Known departures of least squares."""

from gaugeblock import Limit
from suites.limits.layer_norm import REFERENCE

SQUARES = "squares errors in float16, which overflows for one above 255, though their mean may be in range"
WHERE = {
    "numpy": ("numpy", f"reference/loss.py: {REFERENCE}"),
    "torch": ("torch", "aten/src/ATen/native/cpu/BinaryOpsKernel.cpp, mse_kernel"),
    "tensorflow": (
        "tensorflow",
        "tensorflow/core/kernels/cwise_op_squared_difference.cc; keras/src/losses/losses.py:1788",
    ),
    "jax": ("optax", "optax/losses/_regression.py:50 (0.2.8)"),
}


def squares_overflow(**cells):
    """The Limits of every framework that has squares of residuals in float16."""
    return {
        f"squares-overflow-{backend}": Limit(
            package,
            SQUARES,
            source,
            {"backend": backend, "regime": "diabetes", "dtype": "float16", **cells},
            always=False,
        )
        for backend, (package, source) in WHERE.items()
    }


limits = squares_overflow(case="least-squares", direction="forward")
