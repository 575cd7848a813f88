"""Known departures of RMS normalisation."""

from gaugeblock import Limit


def cubed(package, source, **cells):
    return Limit(
        package,
        "the gradient of 1/s is taken with its cube, which underflows: the part of dx that keeps s is lost",
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
        dtype="float32",  # nobody runs XLA in few bits
    ),
    "cube-underflows-jax": cubed("jax", "jax/_src/lax/lax.py:4728", dtype=("float32", "bfloat16")),
}
