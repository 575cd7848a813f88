"""Activations: reference/activation.py against each framework's function.

Each activation is a case; see suites/softmax.py for softmax. The default GELU is the erf form in torch,
TensorFlow and Keras, and the tanh form in JAX; this page has both as cases. suites/perceptron.py tests the
layers (torch.nn.GELU, keras.layers.ReLU, flax.linen.gelu), which call these functions. Every other input row
is 8 times as large, so that sigmoid, tanh and GELU saturate. No input is exactly zero, because relu'(0) is a
convention. Formulas with eˣ have a regime in which it overflows. The slopes of sigmoid and tanh, and most
GELUs, cancel in every framework where they saturate: known departures on typical inputs.
"""

import importlib

from gaugeblock import Case, Contender
from reference.activation import ACTIVATIONS

CALLS = {  # the argument of each call is the package of its API
    "sigmoid": {
        "torch.sigmoid": lambda torch, x: torch.sigmoid(x),
        "tensorflow.math.sigmoid": lambda tf, x: tf.math.sigmoid(x),
        "keras.activations.sigmoid": lambda keras, x: keras.activations.sigmoid(x),
        "jax.nn.sigmoid": lambda jax, x: jax.nn.sigmoid(x),
    },
    "tanh": {
        "torch.tanh": lambda torch, x: torch.tanh(x),
        "tensorflow.math.tanh": lambda tf, x: tf.math.tanh(x),
        "keras.activations.tanh": lambda keras, x: keras.activations.tanh(x),
        "jax.numpy.tanh": lambda jax, x: jax.numpy.tanh(x),
    },
    "relu": {
        "torch.nn.functional.relu": lambda torch, x: torch.nn.functional.relu(x),
        "tensorflow.nn.relu": lambda tf, x: tf.nn.relu(x),
        "keras.activations.relu": lambda keras, x: keras.activations.relu(x),
        "jax.nn.relu": lambda jax, x: jax.nn.relu(x),
    },
    "gelu": {
        "torch.nn.functional.gelu": lambda torch, x: torch.nn.functional.gelu(x),
        "tensorflow.nn.gelu": lambda tf, x: tf.nn.gelu(x),
        "keras.activations.gelu": lambda keras, x: keras.activations.gelu(x),
        "jax.nn.gelu": lambda jax, x: jax.nn.gelu(x, approximate=False),
    },
    "gelu-tanh": {
        "torch.nn.functional.gelu": lambda torch, x: torch.nn.functional.gelu(x, approximate="tanh"),
        "tensorflow.nn.gelu": lambda tf, x: tf.nn.gelu(x, approximate=True),
        "keras.activations.gelu": lambda keras, x: keras.activations.gelu(x, approximate=True),
        "jax.nn.gelu": lambda jax, x: jax.nn.gelu(x, approximate=True),
    },
}
FLOPS = {  # per element; a transcendental function counts as one
    "sigmoid": 4,
    "tanh": 1,
    "relu": 1,
    "gelu": 5,
    "gelu-tanh": 9,
}
SIZES = {
    "small": {"rows": 6, "width": 37},
    "one": {"rows": 1, "width": 2},
    "wide": {"rows": 4, "width": 4099},
    "large": {"rows": 4096, "width": 1000},
}
TYPICAL = {"typical": "seeded normal draws, every other row × 8"}
OVERFLOW = "a row of four 1000 + x, every other row 1000 x: eˣ overflows and e⁻ˣ vanishes, in float64 too"
REGIMES = {name: TYPICAL | {"overflow": OVERFLOW} for name in ("sigmoid", "tanh")}
FORMS = {"gelu": {"GELU": {"erf": ("plain",)}}, "gelu-tanh": {"GELU": {"tanh": ("plain",)}}}


def inputs(rng, *, rows, width, regime="typical"):
    x = rng.normal(size=(rows, width))
    x[1::2] *= 8
    if regime == "overflow":
        x[1::2] *= 125
        x[2::4] += 1000
    return {}, {"x": x}


def contender(api, call):
    """A contender whose build imports the framework and calls its function."""
    name = api.partition(".")[0]

    def build(weights):
        framework = importlib.import_module(name)
        return {}, lambda params, x: {"y": call(framework, x)}

    # Keras calls TensorFlow's functions: one mode is enough
    modes = {"keras": ("function",), "tensorflow": ("function", "xla")}.get(name)
    return Contender("tensorflow" if name == "keras" else name, api, build, modes=modes)


COMMON = {
    "inputs": inputs,
    "sizes": SIZES,
    "items": lambda *, rows, width, **_: rows * width,
    "unit": "elements",
}
cases = tuple(
    Case(
        name=name,
        title=f"Activation: {name}",
        reference=ACTIVATIONS[name][0],
        gradient=ACTIVATIONS[name][1],
        variants=FORMS.get(name, {}),
        regimes=REGIMES.get(name, TYPICAL),
        rare=[regime for regime in REGIMES.get(name, ()) if regime != "typical"],
        contenders=[contender(api, call) for api, call in calls.items()],
        flops=lambda *, rows, width, each=FLOPS[name], **_: rows * width * each,
        integers={"plain": 20} if name == "relu" else {},
        **COMMON,
    )
    for name, calls in CALLS.items()
)
