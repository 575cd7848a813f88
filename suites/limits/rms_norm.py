"""Known departures of RMS normalisation."""

from gaugeblock import Limit


def cubed(package, source, **cells):
    return Limit(
        package,
        "the gradient of 1/s uses its cube, which underflows: the term of dx through s is lost",
        source,
        {"backend": package, "regime": "large", "direction": "gradient", **cells},
    )


limits = {
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
