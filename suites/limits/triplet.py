"""Known departures of the triplet loss."""

from gaugeblock import Limit

ROOT = "takes the root with the exponent 1/q in float32: that of a sum s is off by log s times its rounding"


def root(package, source):
    cells = {"backend": package, "option": ("cubic", "inside-cubic"), "regime": "offset", "dtype": "float32"}
    return Limit(package, ROOT, source, cells | {"direction": "gradient"}, always=False)


limits = {
    "root-in-float32-numpy": root(
        "numpy", "reference/triplet.py: a Python number becomes one of the array's dtype"
    ),
    "root-in-float32-torch": root("torch", "aten/src/ATen/native/SharedReduceOps.h:261"),
    "odd-power-without-size": Limit(
        "optax",
        "raises differences to an odd power without taking their sizes: a negative sum has no root",
        "optax/losses/_self_supervised.py:174 (0.2.8)",
        {
            "backend": "jax",
            "contender": "optax.losses.triplet_margin_loss",
            "option": "inside-cubic",
            "dtype": ("float64", "float32", "bfloat16", "float16"),
        },
        always=False,  # a few differences may all be positive
    ),
}
