"""Activations: reference/activation.py against the function that each framework gives for it.

Each activation is a case; softmaxes go over the last axis. GELU is by default the erf form in torch,
TensorFlow and Keras, the tanh form in JAX: here both are named and asked for. The layers (torch.nn.GELU,
keras.layers.ReLU, flax.linen.gelu) call these functions; suites/perceptron.py has them. Every other row of
the inputs is drawn 8 times as large: sigmoid, tanh and GELU saturate, softmax is one-hot. No input is
exactly zero: relu'(0) is a convention, not a matter of rounding. Where eˣ is part of the formula, a regime
goes to where it overflows.
"""

import importlib

from bench.case import Case, Contender, Limit
from reference.activation import ACTIVATIONS

CALLS = {  # the first name of each API is what the call is given
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
    "softmax": {
        "torch.nn.functional.softmax": lambda torch, x: torch.nn.functional.softmax(x, dim=-1),
        "tensorflow.nn.softmax": lambda tf, x: tf.nn.softmax(x),
        "keras.activations.softmax": lambda keras, x: keras.activations.softmax(x),
        "jax.nn.softmax": lambda jax, x: jax.nn.softmax(x),
    },
    "log-softmax": {
        "torch.nn.functional.log_softmax": lambda torch, x: torch.nn.functional.log_softmax(x, dim=-1),
        "tensorflow.nn.log_softmax": lambda tf, x: tf.nn.log_softmax(x),
        "keras.activations.log_softmax": lambda keras, x: keras.activations.log_softmax(x),
        "jax.nn.log_softmax": lambda jax, x: jax.nn.log_softmax(x),
    },
}
FLOPS = {  # per element; a transcendental function counts as one
    "sigmoid": 4,
    "tanh": 1,
    "relu": 1,
    "gelu": 5,
    "gelu-tanh": 9,
    "softmax": 5,
    "log-softmax": 5,
}
SIZES = {
    "small": {"rows": 6, "width": 37},
    "one": {"rows": 1, "width": 2},
    "wide": {"rows": 4, "width": 4099},
    "large": {"rows": 4096, "width": 1000},
}
TYPICAL = {"typical": "seeded normal draws, every other row × 8"}
OVERFLOW = "a row of four 1000 + x, every other row 1000 x: eˣ overflows and e⁻ˣ vanishes, in float64 too"
REGIMES = {name: TYPICAL | {"overflow": OVERFLOW} for name in ("sigmoid", "tanh", "softmax", "log-softmax")}
CAST = "tensorflow/python/ops/nn_ops.py"
CONSTANTS = "its constants are cast from Python through float32: about 28 right bits"
MANY = ("small", "wide", "large")


def through_float32(line, direction, *ranges):
    """One range for tensors of many elements, and those of "one", whose two elements may lie anywhere."""
    gelu = ("tensorflow.nn.gelu", "keras.activations.gelu")
    cells = {"dtype": "float64", "direction": direction, "contender": gelu}
    where = f"{CAST}:{line}; Keras calls it"
    many, *few = ranges
    return (
        Limit("tensorflow", "==2.21.*", CONSTANTS, where, many, cells | {"size": MANY}),
        *(
            Limit("tensorflow", "==2.21.*", CONSTANTS, where, z, cells | {"size": "one"}, always=False)
            for z in few
        ),
    )


def in_onnx(reason, source, z, **cells):
    return Limit("onnxruntime", "==1.32.*", reason, source, z, cells)


SIGMOID = "below zero it is 1/2 + p(x) in float32, 1 − σ(−x) in float64: right to u, not to u σ(x)"
SIGMOID_WHERE = (
    "onnxruntime/core/mlas/lib/logistic.cpp, onnxruntime/core/providers/cpu/activation/activations.h; "
    "microsoft/onnxruntime#26281"
)
GELU = "has no kernel for float64, and the operator's function has its constants in float32"
GELU_WHERE = "onnx/defs/math/defs.cc:477 (1.23.2)"
LIMITS = {
    "sigmoid": (in_onnx(SIGMOID, SIGMOID_WHERE, (0.15, 1.5), size=MANY),),
    "gelu": (
        *through_float32(3756, "forward", (5e5, 5e6), (2e5, 2e6), (2e6, 2e7)),
        *through_float32(3756, "gradient", (4e6, 4e7), (4e5, 4e6), (4e6, 4e7)),
    ),
    "gelu-tanh": (
        *through_float32(3747, "forward", (1e5, 1e6), (2e4, 2e5), (2e5, 2e6), (2e6, 2e7)),
        *through_float32(3747, "gradient", (2e3, 2e4), (2e4, 2e5), (2e5, 2e6), (2e6, 2e7)),
        in_onnx(GELU, GELU_WHERE, (8e5, 8e6), dtype="float64", size=MANY),
        in_onnx(GELU, GELU_WHERE, (5e6, 5e7), dtype="float64", size="one"),
    ),
}
FORMS = {"gelu": {"GELU": {"erf": ("plain",)}}, "gelu-tanh": {"GELU": {"tanh": ("plain",)}}}


def inputs(rng, *, rows, width, regime="typical"):
    x = rng.normal(size=(rows, width))
    x[1::2] *= 8
    if regime == "overflow":
        x[1::2] *= 125
        x[2::4] += 1000
    return {}, {"x": x}


def contender(api, call):
    """The build is the same for all: import the framework, call its function."""
    name = api.partition(".")[0]

    def build(weights):
        framework = importlib.import_module(name)
        return {}, lambda params, x: {"y": call(framework, x)}

    # Keras calls TensorFlow's own functions: one mode is enough to see that
    modes = {"keras": ("function",), "tensorflow": ("function", "xla")}.get(name)
    return Contender("tensorflow" if name == "keras" else name, api, build, modes=modes)


cases = tuple(
    Case(
        name=name,
        title=f"Activation: {name}",
        reference=ACTIVATIONS[name][0],
        gradient=ACTIVATIONS[name][1],
        inputs=inputs,
        sizes=SIZES,
        variants=FORMS.get(name, {}),
        regimes=REGIMES.get(name, TYPICAL),
        rare=[regime for regime in REGIMES.get(name, ()) if regime != "typical"],
        contenders=[contender(api, call) for api, call in calls.items()],
        items=lambda *, rows, width, **_: rows * width,
        unit="elements",
        flops=lambda *, rows, width, each=FLOPS[name], **_: rows * width * each,
        limits=LIMITS.get(name, ()),
        integers={"plain": 20} if name == "relu" else {},
    )
    for name, calls in CALLS.items()
)
