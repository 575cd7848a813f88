"""Multi-layer perceptron: forward pass and backpropagation through each framework's stack of layers.

Convention: layers {"W": (inputs, outputs), "b"}; one activation after every hidden layer, one after the
last. torch stores W transposed. Each option is an activation, in the usual form of the framework: a module in
torch, an argument in Keras, a function in Flax.
"""

from itertools import pairwise

from gaugeblock import Case, Contender, Headline
from reference.perceptron import perceptron, perceptron_vjp

SIZES = {
    "small": {"batch": 7, "widths": (13, 19, 11, 5)},
    "one": {"batch": 1, "widths": (3, 1, 2)},
    "mnist": {"batch": 128, "widths": (784, 512, 512, 10)},
    "deep": {"batch": 64, "widths": (256,) * 20},
    "digits": {"batch": 256, "widths": (784, 512, 10)},
}
OPTIONS = {
    "relu": {},
    "sigmoid": {"hidden": "sigmoid", "output": "sigmoid"},
    "tanh": {"hidden": "tanh", "output": "softmax"},
    "gelu": {"hidden": "gelu", "output": "log-softmax"},
    "gelu-tanh": {"hidden": "gelu-tanh"},
}


def inputs(rng, *, batch, widths, **option):
    layers = [
        {"W": rng.normal(size=(d, m)) * (2 / d) ** 0.5, "b": 0.1 * rng.normal(size=m)}
        for d, m in pairwise(widths)
    ]
    return {"layers": layers}, {"x": rng.normal(size=(batch, widths[0]))}


def in_torch(weights, *, hidden="relu", output="identity"):
    import torch

    activation = {
        "identity": torch.nn.Identity,
        "sigmoid": torch.nn.Sigmoid,
        "tanh": torch.nn.Tanh,
        "relu": torch.nn.ReLU,
        "gelu": torch.nn.GELU,
        "gelu-tanh": lambda: torch.nn.GELU(approximate="tanh"),
        "softmax": lambda: torch.nn.Softmax(dim=-1),
        "log-softmax": lambda: torch.nn.LogSoftmax(dim=-1),
    }
    layers = weights["layers"]
    modules = []
    for layer in layers:
        modules += [torch.nn.Linear(*layer["W"].shape), activation[hidden]()]
    model = torch.nn.Sequential(*modules[:-1], activation[output]())
    params = {}
    for place, layer in enumerate(layers):
        params |= {f"{2 * place}.weight": layer["W"].T, f"{2 * place}.bias": layer["b"]}
    return params, lambda params, x: {"y": torch.func.functional_call(model, params, (x,))}


def in_keras(weights, *, hidden="relu", output="identity"):
    import keras

    activation = {"identity": "linear", "log-softmax": "log_softmax"} | {
        "gelu": lambda x: keras.activations.gelu(x, approximate=False),
        "gelu-tanh": lambda x: keras.activations.gelu(x, approximate=True),
    }
    layers = weights["layers"]
    names = [hidden] * (len(layers) - 1) + [output]
    model = keras.Sequential([keras.Input((layers[0]["W"].shape[0],))])
    for layer, name in zip(layers, names, strict=True):
        model.add(keras.layers.Dense(layer["W"].shape[1], activation=activation.get(name, name)))
    params = [layer[name] for layer in layers for name in ("W", "b")]
    return params, lambda params, x: {"y": model.stateless_call(params, [], x)[0]}


def in_flax(weights, *, hidden="relu", output="identity"):
    import flax.linen as nn

    activation = {
        "identity": lambda x: x,
        "sigmoid": nn.sigmoid,
        "tanh": nn.tanh,
        "relu": nn.relu,
        "gelu": lambda x: nn.gelu(x, approximate=False),
        "gelu-tanh": lambda x: nn.gelu(x, approximate=True),
        "softmax": nn.softmax,
        "log-softmax": nn.log_softmax,
    }
    layers = weights["layers"]
    modules = []
    for layer in layers:
        modules += [nn.Dense(layer["W"].shape[1], param_dtype=layer["W"].dtype), activation[hidden]]
    model = nn.Sequential([*modules[:-1], activation[output]])
    params = {
        f"layers_{2 * place}": {"kernel": layer["W"], "bias": layer["b"]}
        for place, layer in enumerate(layers)
    }
    return params, lambda params, x: {"y": model.apply({"params": params}, x)}


case = Case(
    name="perceptron",
    title="Multi-layer perceptron",
    reference=perceptron,
    gradient=perceptron_vjp,
    inputs=inputs,
    sizes=SIZES,
    options=OPTIONS,
    rare=("sigmoid", "tanh", "gelu-tanh", "gelu"),
    headlines=(
        Headline(
            "digits",
            "perceptron 784-512-10, batch 256",
            "the first network of most courses, for MNIST",
            growth=({"batch": 4}, {"batch": 16}, {"batch": 64}),
            gpu={"batch": 65_536},
        ),
    ),
    integers={"relu": 4},
    variants={"GELU": {"erf": ("gelu",), "tanh": ("gelu-tanh",)}},
    contenders=(
        Contender("torch", "torch.nn.Sequential", in_torch),
        Contender("tensorflow", "keras.Sequential", in_keras),
        Contender("jax", "flax.linen.Sequential", in_flax),
    ),
    items=lambda *, batch, **_: batch,
    unit="examples",
    flops=lambda *, batch, widths, **_: batch * sum(2 * d * m for d, m in pairwise(widths)),
)
