"""A network for images: two convolutions with ReLU and pooling, two dense layers, softmax.

Each framework uses a sequence of its own layers. torch has images channels first, so its first dense layer
gets its inputs in another order, and its weights are permuted. suites/cnn_training.py trains these models.
The page is long because it has three networks.
"""

import math
from functools import partial

import numpy as np

from gaugeblock import Case, Contender
from reference.cnn import cnn, cnn_vjp

LAYERS = ("conv1", "conv2", "dense1", "dense2")


def digits(image):
    """All 1,797 digits in a fixed random order, resized from 8 by 8 to `image` by `image` pixels, 0 to 1."""
    from sklearn.datasets import load_digits

    found = load_digits()
    order = np.random.default_rng(0).permutation(len(found.target))
    places = np.linspace(0, 7, image)
    A = np.array([np.interp(places, np.arange(8), pixel) for pixel in np.eye(8)])  # (8, image)
    return (A.T @ found.images[order] @ A / 16)[..., None], found.target[order]


def draw(rng, *, image, channels=1, kernels, width):
    """Weights that preserve the variance through a ReLU (He et al. 2015), and small biases."""
    k1, k2 = kernels
    side = ((image - 2) // 2 - 2) // 2
    shapes = ((3, 3, channels, k1), (3, 3, k1, k2), (side * side * k2, width), (width, 10))
    return {
        name: {
            "W": rng.normal(size=shape) * math.sqrt(2 / math.prod(shape[:-1])),
            "b": 0.1 * rng.normal(size=shape[-1]),
        }
        for name, shape in zip(LAYERS, shapes, strict=True)
    }


def inputs(rng, *, batch, image, regime="typical", **size):
    x = digits(image)[0][:batch] if regime == "digits" else rng.normal(size=(batch, image, image, 1))
    return draw(rng, image=image, **size), {"x": x}


def torch_names(weights):
    conv1, conv2, dense1, dense2 = (weights[name] for name in LAYERS)
    (flat, width), c = dense1["W"].shape, conv2["W"].shape[3]
    side = math.isqrt(flat // c)
    first = dense1["W"].reshape(side, side, c, width).transpose(3, 2, 0, 1).reshape(width, flat)
    return {
        "0.weight": conv1["W"].transpose(3, 2, 0, 1),
        "0.bias": conv1["b"],
        "3.weight": conv2["W"].transpose(3, 2, 0, 1),
        "3.bias": conv2["b"],
        "7.weight": first,
        "7.bias": dense1["b"],
        "9.weight": dense2["W"].T,
        "9.bias": dense2["b"],
    }


def torch_model(weights, *end):
    from torch import nn

    _, _, c, k1 = weights["conv1"]["W"].shape
    (flat, width), k2 = weights["dense1"]["W"].shape, weights["conv2"]["W"].shape[3]
    first = (nn.Conv2d(c, k1, 3), nn.ReLU(), nn.MaxPool2d(2))
    second = (nn.Conv2d(k1, k2, 3), nn.ReLU(), nn.MaxPool2d(2))
    dense = (nn.Flatten(), nn.Linear(flat, width), nn.ReLU(), nn.Linear(width, 10))
    return nn.Sequential(*first, *second, *dense, *end)


def in_torch(weights):
    import torch

    model = torch_model(weights, torch.nn.Softmax(dim=-1))

    def run(params, x):
        return {"y": torch.func.functional_call(model, params, (x.permute(0, 3, 1, 2),))}

    return torch_names(weights), run


def keras_names(weights):
    return [weights[name][letter] for name in LAYERS for letter in "Wb"]


def keras_model(weights):
    import keras
    from keras import layers

    _, _, c, k1 = weights["conv1"]["W"].shape
    (flat, width), k2 = weights["dense1"]["W"].shape, weights["conv2"]["W"].shape[3]
    image = 4 * math.isqrt(flat // k2) + 8  # Keras needs the image size in advance
    first = (layers.Conv2D(k1, 3, activation="relu"), layers.MaxPooling2D(2))
    second = (layers.Conv2D(k2, 3, activation="relu"), layers.MaxPooling2D(2))
    dense = (layers.Flatten(), layers.Dense(width, activation="relu"), layers.Dense(10, activation="softmax"))
    return keras.Sequential([keras.Input((image, image, c)), *first, *second, *dense])


def in_keras(weights):
    model = keras_model(weights)
    return keras_names(weights), lambda params, x: {"y": model.stateless_call(params, [], x)[0]}


def flax_names(weights):
    places = dict(zip(LAYERS, ("layers_0", "layers_3", "layers_7", "layers_9"), strict=True))
    return {at: {"kernel": weights[name]["W"], "bias": weights[name]["b"]} for name, at in places.items()}


def flax_model(weights, *end):
    from flax import linen

    k1, k2 = (weights[name]["W"].shape[3] for name in ("conv1", "conv2"))

    pool = partial(linen.max_pool, window_shape=(2, 2), strides=(2, 2))
    first = (linen.Conv(k1, (3, 3), padding="VALID"), linen.relu, pool)
    second = (linen.Conv(k2, (3, 3), padding="VALID"), linen.relu, pool)
    dense = (linen.Dense(weights["dense1"]["W"].shape[1]), linen.relu, linen.Dense(10))
    return linen.Sequential([*first, *second, lambda x: x.reshape(len(x), -1), *dense, *end])


def in_flax(weights):
    from flax import linen

    model = flax_model(weights, linen.softmax)
    return flax_names(weights), lambda params, x: {"y": model.apply({"params": params}, x)}


def flops(*, batch, image, kernels, width, channels=1, **_):
    """Two flops for each multiply-add of convolutions and dense layers."""
    k1, k2 = kernels
    p, q = image - 2, (image - 2) // 2 - 2
    flat = (q // 2) ** 2 * k2
    return 2 * batch * (p * p * 9 * channels * k1 + q * q * 9 * k1 * k2 + flat * width + width * 10)


MISSION = {"image": 28, "kernels": (32, 64), "width": 128}
SMALL = {"image": 16, "kernels": (4, 6), "width": 11}

case = Case(
    name="cnn",
    title="Convolutional network for images",
    reference=cnn,
    gradient=cnn_vjp,
    inputs=inputs,
    sizes={"small": SMALL | {"batch": 3}, "one": SMALL | {"batch": 1}, "mission": MISSION | {"batch": 32}},
    regimes={
        "typical": "seeded normal draws",
        "digits": "real images, whose blank margins tie in every pool and stand near a ReLU's kink",
    },
    contenders=(
        Contender("torch", "torch.nn.Sequential", in_torch),
        Contender("tensorflow", "keras.Sequential", in_keras),
        Contender("jax", "flax.linen.Sequential", in_flax),
    ),
    items=lambda *, batch, **_: batch,
    unit="images",
    flops=flops,
)
