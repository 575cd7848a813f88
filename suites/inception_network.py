"""A small network of two Inception modules with an auxiliary classifier, as users compose and nest layers.

The convention is reference/inception_network.py. "googlenet" has the first two modules of GoogLeNet (table 1
of the paper), its auxiliary classifier and its thousand classes: ten million weights. In inference the
auxiliary classifier is left out, and batch normalisation has its running statistics.
"""

import numpy as np

from gaugeblock import Case, Contender, Headline
from reference.inception_network import SHARE, inception_network, inception_network_vjp
from suites.layers import inception as layers


def draw(rng, *, image, channels, stem, first, second, auxiliary, hidden, classes, training=True):
    """Weights that keep the variance of what they are multiplied by, and small biases."""

    def affine(*shape):
        return {"W": rng.normal(size=shape) / shape[0] ** 0.5, "b": 0.1 * rng.normal(size=shape[1])}

    after = width(first)
    weights = {
        "stem": layers.unit(rng, 3, channels, stem),
        "first": layers.draw(rng, stem, **branches(first)),
        "second": layers.draw(rng, after, **branches(second)),
        "head": affine(width(second), classes),
    }
    if training:
        side = (image - 5) // 3 + 1
        weights["auxiliary"] = {
            "unit": layers.unit(rng, 1, after, auxiliary),
            "hidden": affine(side * side * auxiliary, hidden),
            "out": affine(hidden, classes),
        }
    return weights


def branches(module):
    """The widths of a module by branch; a size has them in a row, as table 1 of the paper."""
    one, *rest, pool = module
    return {"one": one, "three": rest[:2], "five": rest[2:], "pool": pool}


def width(module):
    """The channels that a module gives."""
    one, _, three, _, five, pool = module
    return one + three + five + pool


def inputs(rng, *, batch, regime="typical", training=True, **size):
    weights = draw(rng, **size, training=training)
    x = rng.normal(size=(batch, size["image"], size["image"], size["channels"]))
    if regime == "pixels":
        x = np.clip(np.round(64 * x + 128), 0, 255) / 255
    data = {"x": x} | layers.statistics(rng, named(weights))
    return weights, data | ({"labels": rng.integers(0, size["classes"], size=batch)} if training else {})


def named(weights):
    """Every unit with its path, in the order of the running statistics."""
    units = [(("stem",), weights["stem"])]
    for module in ("first", "second"):
        units += layers.named(weights[module], (module,))
    side = weights.get("auxiliary")
    return units + ([(("auxiliary", "unit"), side["unit"])] if side else [])


def affines(weights):
    """The layers without batch normalisation, by their paths."""
    yield ("head",), weights["head"]
    for name in ("hidden", "out") if "auxiliary" in weights else ():
        yield ("auxiliary", name), weights["auxiliary"][name]


def torch_network(weights):
    import torch
    from torch import nn

    class Network(nn.Module):
        def __init__(self):
            super().__init__()
            self.stem = layers.torch_unit(weights["stem"])
            self.first = layers.torch_module(weights["first"])
            self.between = nn.MaxPool2d(3, stride=2)
            self.second = layers.torch_module(weights["second"])
            self.head = nn.Linear(*weights["head"]["W"].shape)
            if side := weights.get("auxiliary"):
                more = {name: nn.Linear(*side[name]["W"].shape) for name in ("hidden", "out")}
                self.auxiliary = nn.ModuleDict({"unit": layers.torch_unit(side["unit"])} | more)

        def forward(self, x):
            h = self.first(self.stem(x))
            z = self.head(self.second(self.between(h)).mean(dim=(2, 3)))
            return (z, self.side(h)) if self.training else z

        def side(self, h):
            c = self.auxiliary["unit"](nn.functional.avg_pool2d(h, 5, stride=3)).flatten(1)
            return self.auxiliary["out"](torch.relu(self.auxiliary["hidden"](c)))

    return Network()


def torch_names(weights):
    params = layers.torch_names(named(weights))
    for path, layer in affines(weights):
        W = layer["W"]
        if path[-1] == "hidden":  # torch flattens channel by channel
            o = weights["auxiliary"]["unit"]["W"].shape[3]
            W = W.reshape(-1, o, W.shape[1]).swapaxes(0, 1).reshape(W.shape)
        params |= {f"{'.'.join(path)}.weight": W.T, f"{'.'.join(path)}.bias": layer["b"]}
    return params


def torch_loss(found, labels):
    from torch.nn.functional import cross_entropy

    z, a = found
    return cross_entropy(z, labels) + SHARE * cross_entropy(a, labels)


def in_torch(weights, *, training=True):
    import torch

    units, model = named(weights), torch_network(weights).train(training)

    def run(params, x, mean, variance, labels=None):
        buffers = layers.torch_buffers(units, mean, variance)
        found = torch.func.functional_call(model, params | buffers, (x.permute(0, 3, 1, 2),))
        return {"z": found[0], "loss": torch_loss(found, labels)} if training else {"z": found}

    return torch_names(weights), run


def keras_network(weights):
    import keras

    how = keras.layers
    x = keras.Input((None, None, weights["stem"]["W"].shape[2]))
    h = layers.keras_unit(x, weights["stem"], "stem")
    h = layers.keras_module(h, weights["first"], ("first",))
    u = layers.keras_module(how.MaxPooling2D(3, 2)(h), weights["second"], ("second",))
    z = how.Dense(weights["head"]["W"].shape[1], name="head")(how.GlobalAveragePooling2D()(u))
    if not (side := weights.get("auxiliary")):
        return keras.Model(x, z)
    c = layers.keras_unit(how.AveragePooling2D(5, 3)(h), side["unit"], "auxiliary_unit")
    d, e = side["hidden"]["W"].shape
    b = how.Dense(e, activation="relu", name="auxiliary_hidden")(how.Reshape((d,))(c))
    return keras.Model(x, [z, how.Dense(side["out"]["W"].shape[1], name="auxiliary_out")(b)])


def keras_names(model, weights):
    """The weights in the order of the model's variables."""
    arrays = layers.keras_names(named(weights))
    for path, layer in affines(weights):
        name = layers.joined(path)
        arrays |= {f"{name}/kernel": layer["W"], f"{name}/bias": layer["b"]}
    return [arrays[variable.path] for variable in model.trainable_variables]


def keras_loss():
    import keras

    loss_of = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    return lambda found, labels: loss_of(labels, found[0]) + SHARE * loss_of(labels, found[1])


def in_keras(weights, *, training=True):
    model, units, loss_of = keras_network(weights), named(weights), keras_loss()

    def run(params, x, mean, variance, labels=None):
        state = layers.keras_statistics(model, units, mean, variance)
        found, _ = model.stateless_call(params, state, x, training=training)
        return {"z": found[0], "loss": loss_of(found, labels)} if training else {"z": found}

    return keras_names(model, weights), run


def flax_network(weights, training=True):
    from flax import linen

    class Network(linen.Module):
        @linen.compact
        def __call__(self, x):
            h = layers.flax_unit(x, weights["stem"], "stem", training)
            h = layers.flax_module(h, weights["first"], training, ("first",))
            u = linen.max_pool(h, (3, 3), strides=(2, 2))
            u = layers.flax_module(u, weights["second"], training, ("second",))
            z = linen.Dense(weights["head"]["W"].shape[1], name="head")(u.mean(axis=(1, 2)))
            if not training:
                return z
            side, c = weights["auxiliary"], linen.avg_pool(h, (5, 5), strides=(3, 3))
            c = layers.flax_unit(c, side["unit"], "auxiliary_unit", training)
            b = linen.Dense(side["hidden"]["W"].shape[1], name="auxiliary_hidden")(c.reshape(len(c), -1))
            return z, linen.Dense(side["out"]["W"].shape[1], name="auxiliary_out")(linen.relu(b))

    return Network()


def flax_names(weights):
    params = layers.flax_names(named(weights))
    for path, layer in affines(weights):
        params[layers.joined(path)] = {"kernel": layer["W"], "bias": layer["b"]}
    return params


def flax_loss(found, labels):
    from optax.losses import softmax_cross_entropy_with_integer_labels as loss_of

    z, a = found
    return loss_of(z, labels).mean() + SHARE * loss_of(a, labels).mean()


def in_flax(weights, *, training=True):
    model, units = flax_network(weights, training), named(weights)

    def run(params, x, mean, variance, labels=None):
        variables = {"params": params, "batch_stats": layers.flax_statistics(units, mean, variance)}
        found, _ = model.apply(variables, x, mutable=["batch_stats"])
        return {"z": found[0], "loss": flax_loss(found, labels)} if training else {"z": found}

    return flax_names(weights), run


def flops(*, batch, image, channels, stem, first, second, auxiliary, hidden, classes, training=True, **_):
    """Two flops for each multiply-add of convolutions and dense layers."""

    def module(c, units):
        one, before3, three, before5, five, pool = units
        return c * (one + before3 + before5 + pool) + 9 * before3 * three + 25 * before5 * five

    total = image**2 * (9 * channels * stem + module(stem, first))
    total += ((image - 3) // 2 + 1) ** 2 * module(width(first), second) + width(second) * classes
    if training:
        places = ((image - 5) // 3 + 1) ** 2
        total += places * auxiliary * (width(first) + hidden) + hidden * classes
    return 2 * batch * total


SMALL = {
    "image": 8,
    "channels": 1,
    "stem": 4,
    "first": (2, 3, 4, 2, 3, 2),
    "second": (3, 4, 5, 2, 3, 4),
    "auxiliary": 3,
    "hidden": 6,
    "classes": 10,
}
GOOGLENET = {
    "image": 28,
    "channels": 3,
    "stem": 192,
    "first": (64, 96, 128, 16, 32, 32),
    "second": (128, 128, 192, 32, 96, 64),
    "auxiliary": 128,
    "hidden": 1024,
    "classes": 1000,
}

case = Case(
    name="inception-network",
    title="Inception network with an auxiliary classifier",
    reference=inception_network,
    gradient=inception_network_vjp,
    inputs=inputs,
    sizes={
        "small": SMALL | {"batch": 4},
        "one": SMALL | {"batch": 1, "channels": 2},
        "googlenet": GOOGLENET | {"batch": 8},
    },
    headlines=(
        Headline(
            "googlenet",
            "Inception network of 10 million weights, 8 images of 28 × 28",
            "Szegedy et al. 2014, table 1: modules 3a and 3b, the auxiliary classifier, a thousand classes",
            direction="forward",
            # backward, millions of ReLUs and maxima hang on a rounding error, and each moves every gradient
            directions=("forward",),
            gpu={"batch": 128},
        ),
    ),
    regimes={
        "typical": "seeded normal draws",
        "pixels": "whole numbers of a camera by 255, with a mean above their spread",
    },
    options={"training": {"training": True}, "inference": {"training": False}},
    fixed=("mean", "variance"),
    minor=True,
    contenders=(
        Contender("torch", "torch.nn.MaxPool2d", in_torch),
        Contender("tensorflow", "keras.Model", in_keras),
        Contender("jax", "flax.linen.max_pool", in_flax),
    ),
    items=lambda *, batch, **_: batch,
    unit="images",
    flops=flops,
)
