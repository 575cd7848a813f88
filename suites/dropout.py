"""Dropout: its scaling, its rate and the mask of its gradient, independent of the random numbers.

Each framework draws its own mask. So the rows of the input are multiples of one value each: the sum of the
kept elements of a row, over the sum of their multiples, then depends only on that value, and so do the same
quotient for squares, and both gradients. They are right only if every element is zero or divided by 1 - p,
and if the gradient passes exactly the kept elements. The number of kept elements must match p within
Hoeffding's bound, at the false-alarm rate of all verdicts; otherwise the outputs are NaN. Without randomness
(p = 0, p = 1, inference) every element is compared. The page does not test that elements are independent.
"""

import math

from gaugeblock import Case, Contender, Refusal
from reference.dropout import certain, dropped_rows, dropped_rows_vjp


def inputs(rng, *, rows, copies, p=0.5, training=True):
    v = rng.choice([-1, 1], size=rows) * rng.uniform(0.5, 2, size=rows)  # zero marks dropped elements
    c = rng.uniform(0.5, 2, size=(rows, copies))
    return {}, {"v": v, "c": c, "mask": rng.uniform(size=c.shape) >= p}


def outputs(ops, y, c, p, training):
    return {"y": y} if certain(p, training) else moments(ops, y, c, p)


def moments(ops, y, c, p):
    """The quotients of each row, for values and squares; `ops` is a module with NumPy's interface."""
    from gaugeblock import P  # the probability of a false alarm

    kept = ops.where(y != 0, ops.ones_like(y), ops.zeros_like(y))
    n = y.shape[0] * y.shape[1]
    share = ops.mean(ops.mean(kept, 1))  # a count of all would be beyond float16
    chance = ops.abs(share - (1 - p)) <= math.sqrt(math.log(2 / P) / (2 * n))
    c = ops.where(chance, c * kept, math.nan)
    return {"first": ops.sum(y, 1) / ops.sum(c, 1), "second": ops.sum(y * y, 1) / ops.sum(c * c, 1)}


def in_torch(weights, *, p=0.5, training=True):
    import torch

    def run(params, v, c, mask):
        y = torch.nn.functional.dropout(v[:, None] * c, p, training)
        return outputs(torch, y, c, p, training)

    return {}, run


def in_torch_layer(weights, *, p=0.5, training=True):
    import torch

    layer = torch.nn.Dropout(p).train(training)

    def run(params, v, c, mask):
        return outputs(torch, layer(v[:, None] * c), c, p, training)

    return {}, run


def in_tensorflow(weights, *, p=0.5, training=True):
    import keras
    import tensorflow as tf

    def run(params, v, c, mask):
        return outputs(keras.ops, tf.nn.dropout(v[:, None] * c, p), c, p, training)

    return {}, run


def in_keras(weights, *, p=0.5, training=True):
    import keras

    layer = keras.layers.Dropout(p, seed=1)

    def run(params, v, c, mask):
        return outputs(keras.ops, layer(v[:, None] * c, training=training), c, p, training)

    return {}, run


def in_flax(weights, *, p=0.5, training=True):
    import flax.linen
    import jax
    import jax.numpy as jnp

    layer = flax.linen.Dropout(p, deterministic=not training)

    def run(params, v, c, mask):
        y = layer.apply({}, v[:, None] * c, rngs={"dropout": jax.random.key(1)})
        return outputs(jnp, y, c, p, training)

    return {}, run


case = Case(
    name="dropout",
    title="Dropout",
    reference=dropped_rows,
    gradient=dropped_rows_vjp,
    inputs=inputs,
    sizes={
        "small": {"rows": 33, "copies": 160},
        "one": {"rows": 1, "copies": 3001},
        "gpt2": {"rows": 1024, "copies": 768},
    },
    options={
        "plain": {},
        "few": {"p": 0.1},
        "most": {"p": 0.8},
        "inference": {"training": False},
        "none": {"p": 0.0},
        "all": {"p": 1.0},
    },
    fixed=("c",),
    minor=True,
    random=True,
    contenders=(
        Contender("torch", "torch.nn.functional.dropout", in_torch),
        Contender("torch", "torch.nn.Dropout", in_torch_layer),
        Contender(
            "tensorflow",
            "tensorflow.nn.dropout",
            in_tensorflow,
            without={"inference": "is for training alone"},
            refuses=[Refusal("all/*", "in the range [0, 1)")],
        ),
        Contender("tensorflow", "keras.layers.Dropout", in_keras),
        Contender("jax", "flax.linen.Dropout", in_flax),
    ),
    items=lambda *, rows, copies, **_: rows * copies,
    unit="elements",
    flops=lambda *, rows, copies, **_: rows * copies,
)
