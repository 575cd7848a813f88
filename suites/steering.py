"""Steering a car: an image of the road to a command, by the five convolutions of each framework's layers.

The convention is reference/steering.py. "pilotnet" has the paper's images of 66 by 200 pixels, and its
layers. The road is synthesised from a seed: sky, meadow and asphalt with two lines, in whole numbers as a
camera gives them. Images are 66 high and 8 columns + 56 wide, so that so many columns are left at the end.
With these strides no kernel reads the last five rows of an image, nor its last three columns.
`keras.layers.Rescaling` is the normalisation as a layer.
"""

import math
from itertools import pairwise

import numpy as np

from gaugeblock import Case, Contender
from reference.steering import steering, steering_vjp

ROWS = 66
KERNELS = (5, 5, 5, 3, 3)
SKY, MEADOW, ASPHALT, LINE = (160, 190, 230), (70, 140, 60), (80, 80, 85), (230, 230, 220)


def road(rng, *, batch, width):
    """Images of a road that turns to either side, from 0 to 255 : (n, 66, w, 3), and its turns : (n, 1)."""
    turn = rng.uniform(-1, 1, size=(batch, 1, 1))
    near = np.linspace(-0.5, 1, ROWS)[:, None]  # the horizon is at 0
    away = np.abs(np.linspace(-1, 1, width) - turn * (1 - near) ** 2 / 2)  # from the middle of the road
    x = np.where((near < 0)[..., None], SKY, MEADOW)
    x = np.where(((near > 0) & (away < 0.1 + 0.7 * near))[..., None], ASPHALT, x)
    x = np.where(((near > 0) & (np.abs(away - 0.1 - 0.5 * near) < 0.05 * near))[..., None], LINE, x)
    return np.clip(np.round(x + 12 * rng.normal(size=x.shape)), 0, 255), turn[:, 0]


def inputs(rng, *, batch, columns, kernels, widths, regime="typical", bias=True):
    def layer(*shape):
        W = rng.normal(size=shape) * math.sqrt(2 / math.prod(shape[:-1]))  # He et al. 2015
        return {"W": W} | ({"b": 0.1 * rng.normal(size=shape[-1])} if bias else {})

    x, command = road(rng, batch=batch, width=8 * columns + 56)
    if regime == "night":
        x = np.round(x / 16)
    channels, sizes = (3, *kernels), (columns * kernels[-1], *widths, 1)
    each = zip(KERNELS, channels, kernels, strict=False)
    weights = {
        "convolutions": [layer(side, side, c, k) for side, c, k in each],
        "dense": [layer(*shape) for shape in pairwise(sizes)],
    }
    return weights, {"x": x, "command": command}


def in_torch(weights, *, bias=True):
    import torch
    from torch import nn

    layers, params = [], {}
    for layer in weights["convolutions"]:
        side, _, c, k = (W := layer["W"]).shape
        params[f"{len(layers)}.weight"] = W.transpose(3, 2, 0, 1)
        layers += [nn.Conv2d(c, k, side, 2 if side == 5 else 1, bias=bias), nn.ReLU()]
    layers.append(nn.Flatten())
    for at, layer in enumerate(weights["dense"]):
        W = layer["W"]
        if not at:  # torch flattens channel by channel
            W = W.reshape(-1, k, W.shape[1]).swapaxes(0, 1).reshape(W.shape)
        params[f"{len(layers)}.weight"] = W.T
        layers += [nn.Linear(*W.shape, bias=bias), nn.ReLU()]
    if bias:
        both = [*weights["convolutions"], *weights["dense"]]
        params |= {f"{name[:-6]}bias": each["b"] for name, each in zip([*params], both, strict=True)}
    model, loss_of = nn.Sequential(*layers[:-1]), nn.MSELoss()

    def run(params, x, command):
        s = torch.func.functional_call(model, params, (x.permute(0, 3, 1, 2) / 127.5 - 1,))
        return {"s": s, "loss": loss_of(s, command)}

    return params, run


def keras_layers(weights, bias):
    from keras import layers

    *hidden, last = weights["dense"]
    for layer in weights["convolutions"]:
        side, _, _, k = layer["W"].shape
        yield layers.Conv2D(k, side, 2 if side == 5 else 1, activation="relu", use_bias=bias)
    yield layers.Flatten()
    for layer in hidden:
        yield layers.Dense(layer["W"].shape[1], activation="relu", use_bias=bias)
    yield layers.Dense(last["W"].shape[1], use_bias=bias)


def in_keras(weights, *, bias=True, scaled=False):
    import keras

    rescaling = [keras.layers.Rescaling(1 / 127.5, offset=-1)] if scaled else []
    columns = len(weights["dense"][0]["W"]) // weights["convolutions"][-1]["W"].shape[3]
    image = keras.Input((ROWS, 8 * columns + 56, 3))  # Keras needs the image size in advance
    model = keras.Sequential([image, *rescaling, *keras_layers(weights, bias)])
    loss_of = keras.losses.MeanSquaredError()

    def run(params, x, command):
        s = model.stateless_call(params, [], x if scaled else x / 127.5 - 1)[0]
        return {"s": s, "loss": loss_of(command, s)}

    both = [*weights["convolutions"], *weights["dense"]]
    return [layer[letter] for layer in both for letter in ("W", "b")[: 1 + bias]], run


def in_keras_rescaled(weights, **option):
    return in_keras(weights, scaled=True, **option)


def in_flax(weights, *, bias=True):
    import optax
    from flax import linen

    layers, params = [], {}
    for layer in weights["convolutions"]:
        side, _, _, k = layer["W"].shape
        params[f"layers_{len(layers)}"] = layer
        layers += [linen.Conv(k, (side, side), 2 if side == 5 else 1, "VALID", use_bias=bias), linen.relu]
    layers.append(lambda x: x.reshape(len(x), -1))
    for layer in weights["dense"]:
        params[f"layers_{len(layers)}"] = layer
        layers += [linen.Dense(layer["W"].shape[1], use_bias=bias), linen.relu]
    model, names = linen.Sequential(layers[:-1]), {"W": "kernel", "b": "bias"}

    def run(params, x, command):
        s = model.apply({"params": params}, x / 127.5 - 1)
        return {"s": s, "loss": optax.losses.squared_error(s, command).mean()}

    return {at: {names[n]: each for n, each in layer.items()} for at, layer in params.items()}, run


def flops(*, batch, columns, kernels, widths, **_):
    """Two flops for each multiply-add of convolutions and dense layers."""
    c, total = 3, 0
    p, q = ROWS, 8 * columns + 56
    for side, k in zip(KERNELS, kernels, strict=True):
        p, q = ((n - side) // (2 if side == 5 else 1) + 1 for n in (p, q))
        total += p * q * side * side * c * k
        c = k
    sizes = (q * c, *widths, 1)
    return 2 * batch * (total + sum(a * b for a, b in pairwise(sizes)))


SMALL = {"columns": 2, "kernels": (2, 3, 4, 5, 3), "widths": (6, 5)}
PILOTNET = {"columns": 18, "kernels": (24, 36, 48, 64, 64), "widths": (100, 50, 10)}

case = Case(
    name="steering",
    title="Steering network for images of the road",
    reference=steering,
    gradient=steering_vjp,
    inputs=inputs,
    sizes={
        "small": SMALL | {"batch": 2},
        "one": SMALL | {"batch": 1, "columns": 1},
        "pilotnet": PILOTNET | {"batch": 8},
    },
    options={"plain": {}, "no-bias": {"bias": False}},
    regimes={
        "typical": "a road by day",
        "night": "a sixteenth of its light, so that all pixels are near -1 and most neighbours are equal",
    },
    fixed=("command",),
    minor=True,
    contenders=(
        Contender("torch", "torch.nn.Sequential", in_torch),
        Contender("tensorflow", "keras.Sequential", in_keras),
        Contender("tensorflow", "keras.layers.Rescaling", in_keras_rescaled),
        Contender("jax", "flax.linen.Sequential", in_flax),
    ),
    items=lambda *, batch, **_: batch,
    unit="images",
    flops=flops,
)
