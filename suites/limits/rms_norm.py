"""Known departures of RMS normalisation."""

from gaugeblock import Limit
from suites.limits.activation import FLUSHES
from suites.limits.layer_norm import squares

DIVIDED = "reads subnormal inputs as zero, and the division by √ε would make them normal"
MULTIPLIED = "reads subnormal numbers as zero, whose products with numbers above one are normal"


def cubed(package, source, **cells):
    return Limit(
        package,
        "the gradient of 1/s uses its cube, which underflows: the term of dx through s is lost",
        source,
        {"backend": package, "regime": "large", "direction": "gradient", **cells},
    )


def flushes(package, source, reason=DIVIDED, **cells):
    return Limit(
        package,
        reason,
        source,
        {"backend": package, "regime": "subnormal", "dtype": "float32", **cells},
        always=False,
    )


limits = {
    **squares("aten/src/ATen/native/layer_norm.cpp, rms_norm_composite", keras="keras/src/ops/nn.py:3046"),
    **{f"subnormal-inputs-{package}": flushes(package, source) for package, source in FLUSHES.items()},
    "variance-for-the-mean-square": Limit(
        "keras",
        "rms_scaling=True divides by the standard deviation, which is about the mean, and does not centre",
        "keras/src/ops/nn.py:3172 (3.15.1); its warning says so",
        {
            "backend": ("tensorflow", "keras-torch", "keras-jax"),
            "contender": "keras.layers.LayerNormalization:rms_scaling=True",
            "dtype": ("float64", "float32", "bfloat16", "float16"),
        },
        always=False,  # of a mean near zero, few bits see it
    ),
    "cube-underflows-torch": cubed(
        "torch",
        "torchgen/packaged/autograd/derivatives.yaml:1505",
        dtype=("float32", "bfloat16"),
    ),
    "cube-underflows-tensorflow": cubed(
        "tensorflow",
        "tensorflow/compiler/tf2xla/kernels/binary_ops.cc, RsqrtGrad",
        mode="xla",
        dtype="float32",  # XLA is not run with fewer bits
    ),
    "cube-underflows-jax": cubed("jax", "jax/_src/lax/lax.py:4728", dtype=("float32", "bfloat16")),
}
