"""Flatten and the dense layer after it, as they follow the convolutions of a network.

Images are channels last and flattened row by row, with their channels together. A torch model with channels
first flattens in another order, so its weights must be permuted: see suites/cnn.py.
"""

from functools import partial

import numpy as np

from gaugeblock import Case, Contender
from reference.cnn import dense, dense_vjp, flatten, flatten_vjp
from reference.columns import flatten_columns, flatten_columns_vjp


def images(rng, *, batch, height, width, channels, **option):
    return {}, {"x": rng.normal(size=(batch, height, width, channels))}


def inputs(rng, *, units, bias=True, **size):
    _, data = images(rng, **size)
    flat = data["x"][0].size
    weights = {"W": rng.normal(size=(flat, units)) / np.sqrt(flat)}
    return weights | ({"b": rng.normal(size=units)} if bias else {}), data


def flatten_in_torch(weights):
    import torch

    layer = torch.nn.Flatten()
    return {}, lambda params, x: {"y": layer(x)}


def flatten_in_keras(weights):
    import keras

    layer = keras.layers.Flatten()
    return {}, lambda params, x: {"y": layer(x)}


def flatten_in_jax(weights):
    import jax

    return {}, lambda params, x: {"y": jax.numpy.reshape(x, (len(x), -1))}


def columns_in_jax(weights):
    import jax

    return {}, lambda params, x: {"y": jax.numpy.reshape(x, (len(x), -1), order="F")}


def torch_names(weights):
    return {"weight": weights["W"].T} | ({"bias": weights["b"]} if "b" in weights else {})


def in_torch(weights, **option):
    import torch

    def run(params, x):
        y = torch.nn.functional.linear(torch.flatten(x, 1), params["weight"], params.get("bias"))
        return {"y": y}

    return torch_names(weights), run


def in_torch_layer(weights, **option):
    import torch

    layer = torch.nn.Linear(*weights["W"].shape, bias="b" in weights)
    flat = torch.nn.Flatten()

    def run(params, x):
        return {"y": torch.func.functional_call(layer, params, (flat(x),))}

    return torch_names(weights), run


def in_keras(weights, *, late=False, **option):
    """If `late`, its first call builds the layer, as in a model that is called before it has its weights."""
    import keras

    flat, units = weights["W"].shape
    layer = keras.layers.Dense(units, use_bias="b" in weights)
    flatten = keras.layers.Flatten()
    if not late:
        layer.build((None, flat))

    def run(params, x):
        rows = flatten(x)
        if not layer.built:
            layer(rows)
        return {"y": layer.stateless_call(params, [], rows)[0]}

    return list(weights.values()), run


def in_flax(weights, **option):
    import flax.linen

    layer = flax.linen.Dense(weights["W"].shape[1], use_bias="b" in weights)
    params = {"kernel": weights["W"]} | ({"bias": weights["b"]} if "b" in weights else {})

    def run(params, x):
        return {"y": layer.apply({"params": params}, x.reshape(len(x), -1))}

    return params, run


MISSION = {"batch": 32, "height": 5, "width": 5, "channels": 64}
SMALL = {"batch": 3, "height": 5, "width": 2, "channels": 7}
THIN = {"batch": 1, "height": 1, "width": 1, "channels": 1}

cases = (
    Case(
        name="flatten",
        title="Flatten images",
        reference=flatten,
        gradient=flatten_vjp,
        inputs=images,
        sizes={"small": SMALL, "mission": MISSION, "thin": THIN},
        integers={"plain": 20},
        contenders=(
            Contender("torch", "torch.nn.Flatten", flatten_in_torch),
            Contender("tensorflow", "keras.layers.Flatten", flatten_in_keras),
            Contender("jax", "jax.numpy.reshape", flatten_in_jax),
        ),
        items=lambda *, batch, **_: batch,
        unit="images",
        flops=lambda **_: 0,
    ),
    Case(
        name="column-order",
        title="Flatten images column by column",
        reference=flatten_columns,
        gradient=flatten_columns_vjp,
        inputs=images,
        sizes={"small": SMALL, "mission": MISSION, "thin": THIN},
        minor=True,
        integers={"plain": 20},
        contenders=(Contender("jax", "jax.numpy.reshape", columns_in_jax),),
        items=lambda *, batch, **_: batch,
        unit="images",
        flops=lambda **_: 0,
    ),
    Case(
        name="dense-flatten",
        title="Dense layer on flattened images",
        reference=dense,
        gradient=dense_vjp,
        inputs=inputs,
        sizes={
            "small": SMALL | {"units": 11},
            "mission": MISSION | {"units": 128},
            "thin": THIN | {"units": 1},
            "large": {"batch": 257, "height": 7, "width": 7, "channels": 64, "units": 256},
        },
        options={"plain": {}, "no-bias": {"bias": False}},
        rare=("no-bias",),
        integers={"plain": 12, "no-bias": 12},
        contenders=(
            Contender("torch", "torch.nn.Linear", in_torch_layer),
            Contender("torch", "torch.nn.functional.linear", in_torch),
            Contender("tensorflow", "keras.layers.Dense", in_keras),
            Contender(
                "tensorflow",
                "keras.layers.Dense",
                partial(in_keras, late=True),
                modes=("function", "xla"),
                variant="built-by-its-call",
            ),
            Contender("jax", "flax.linen.Dense", in_flax),
        ),
        items=lambda *, batch, **_: batch,
        unit="images",
        flops=lambda *, batch, height, width, channels, units, **_: (
            2 * batch * height * width * channels * units
        ),
    ),
)
