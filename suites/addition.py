"""Addition with broadcasting: reference/addition.py against each framework's function.

The first size has three equal lengths: which axis of the shorter array is which then follows from its place
alone. torch.add also has a factor.
"""

from gaugeblock import Case, Contender, Option
from reference.addition import addition, addition_vjp

LENGTHS = ("batch", "rows", "columns")
OPTIONS: dict[str, Option] = {  # the axes of both arrays
    "same": {"second": LENGTHS},
    "row": {"second": ("columns",)},
    "row-of-a-matrix": {"second": (1, "columns")},
    "column": {"second": ("rows", 1)},
    "matrix": {"second": ("rows", "columns")},
    "examples": {"second": ("batch", 1, 1)},
    "examples-and-rows": {"second": ("batch", "rows", 1)},
    "number": {"second": ()},
    "row-and-column": {"first": (1, "columns"), "second": ("rows", 1)},
    "vector-to-a-row": {"first": ("columns",), "second": ("rows", 1)},
    "scaled-column": {"second": ("rows", 1), "alpha": -0.7},
}


def inputs(rng, *, first=LENGTHS, second, alpha=1, **size):
    def drawn(axes):
        return rng.normal(size=[size.get(axis, axis) for axis in axes])

    return {}, {"x": drawn(first), "z": drawn(second)}


def in_torch(weights, *, alpha=1, **option):
    import torch

    return {}, lambda params, x, z: {"y": torch.add(x, z, alpha=alpha)}


def in_tensorflow(weights, **option):
    import tensorflow as tf

    return {}, lambda params, x, z: {"y": tf.add(x, z)}


def in_keras(weights, **option):
    import keras

    return {}, lambda params, x, z: {"y": keras.ops.add(x, z)}


def in_jax(weights, **option):
    import jax

    return {}, lambda params, x, z: {"y": jax.numpy.add(x, z)}


FACTOR = {"scaled-column": "takes no factor"}

case = Case(
    name="addition",
    title="Addition with broadcasting",
    reference=addition,
    gradient=addition_vjp,
    inputs=inputs,
    sizes={
        "small": {"batch": 4, "rows": 4, "columns": 4},
        "different": {"batch": 3, "rows": 5, "columns": 7},
        "two-equal": {"batch": 5, "rows": 5, "columns": 3},
        "one": {"batch": 2, "rows": 1, "columns": 1},
        "large": {"batch": 16, "rows": 129, "columns": 257},
    },
    options=OPTIONS,
    minor=True,
    integers=dict.fromkeys(OPTIONS.keys() - FACTOR, 12),
    contenders=(
        Contender("torch", "torch.add", in_torch),
        Contender("tensorflow", "tensorflow.add", in_tensorflow, FACTOR),
        Contender("tensorflow", "keras.ops.add", in_keras, FACTOR),
        Contender("jax", "jax.numpy.add", in_jax, FACTOR),
    ),
    items=lambda *, batch, rows, columns, **_: batch * rows * columns,
    unit="elements",
    flops=lambda *, batch, rows, columns, first=LENGTHS, alpha=1, **_: (
        (batch if first == LENGTHS else 1) * rows * columns + (rows if alpha != 1 else 0)
    ),
)
