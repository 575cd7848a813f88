"""Gradient descent with momentum or Nesterov momentum, with the learning rate outside or inside the buffer.

Each of twelve steps (four at the large size) is judged from the reference's weights and state, on a linear
model with three outputs and a new mini-batch for each step. torch and optax have the learning rate outside
the momentum buffer, Keras inside (`inside`). Both are correct, so each is an option that some frameworks do
not have. The rare options combine in pairs what users add, and all that Keras's optimisers do around a step.
"""

from gaugeblock import Case, Contender, pairs
from reference.descent import value_and_gradient
from reference.optimizer import sgd, sgd_start
from reference.update import dampened, update, update_start
from suites.gradient_descent import flax_names, torch_names
from suites.loops.around import around, in_keras, in_optax, in_torch, keras_words, lacking, torch_words


def inputs(rng, *, rows, features, outputs, steps, regime="typical", around=None, **option):
    """The inputs of all optimiser pages; tiny gradients are for optimisers with an epsilon."""
    if (micro := (around or {}).get("micro", 1)) > 1:
        weights, data = inputs(
            rng, rows=micro * rows, features=features, outputs=outputs, steps=steps, regime=regime, **option
        )
        return weights, {name: a.reshape(steps, micro, rows, -1) for name, a in data.items()}
    scale = 1e-8 if regime == "tiny-gradients" or option.get("tiny") else 1.0
    x = rng.normal(size=(steps, rows, features))
    y = x @ (0.1 * rng.normal(size=(features, outputs))) + 0.1 * rng.normal(size=(steps, rows, outputs))
    # small weights, so that their rounding does not hide that of a step
    weights = {"W": 0.01 * rng.normal(size=(features, outputs)), "b": 0.01 * rng.normal(size=outputs)}
    if regime == "unused-feature":
        x[..., 0] = 0
    if regime == "large":
        x, y = 30 * x, 20 * y / y.std()
    return weights, {"x": scale * x, "y": y}


def start(theta, *, momentum, around=None):
    return sgd_start(theta, momentum=momentum) | update_start(theta, **around or {})


def sgd_step(
    theta, state, x, y, *, lr, momentum, nesterov=False, inside=False, dampening=0.0, around=None
):  # fmt: skip
    option = {"lr": lr, "momentum": momentum, "nesterov": nesterov, "inside": inside}
    if not (dampening or around):
        loss, g = value_and_gradient(theta, x, y)
        return *sgd(theta, g, state, **option), loss

    def step(theta, g, state):
        return sgd(theta, dampened(g, dampening) if dampening else g, state, **option)

    return update(step, theta, state, x, y, lr=lr, **around or {})


def torch_sgd(weights, state, *, lr, momentum, nesterov=False, dampening=0.0, around=None):
    import torch

    option = {"momentum": momentum, "nesterov": nesterov, "dampening": dampening}

    def optimizer(parameters):
        return torch.optim.SGD(parameters, lr=lr, **option, **torch_words(**around or {}))

    slots = {"momentum_buffer": torch_names(state["v"])} if momentum else {}
    return in_torch(weights, optimizer, slots, **around or {})


def keras_sgd(weights, state, *, lr, momentum, nesterov=False, around=None, **option):
    import keras

    optimizer = keras.optimizers.SGD(lr, momentum=momentum, nesterov=nesterov, **keras_words(**around or {}))
    slots = [state["v"]["W"], state["v"]["b"]] if momentum else []
    return in_keras(weights, optimizer, state, slots, **around or {})


def optax_sgd(weights, state, *, lr, momentum, nesterov=False, around=None, **option):
    import optax

    optimizer = optax.sgd(lr, momentum=momentum or None, nesterov=nesterov)
    buffer = optax.TraceState(flax_names(state["v"])) if momentum else optax.EmptyState()
    return in_optax(weights, optimizer, (buffer, optax.EmptyState()), **around or {})


SIZES = {
    "small": {"rows": 17, "features": 5, "outputs": 3, "steps": 12},
    "odd": {"rows": 31, "features": 67, "outputs": 33, "steps": 12},
    "large": {"rows": 256, "features": 512, "outputs": 512, "steps": 4},
}
COMMON = {
    "sizes": SIZES,
    "curve": {"size": "small", "steps": 120},
    "items": lambda *, features, outputs, **_: (features + 1) * outputs,
    "unit": "weights",
    "flops": lambda *, rows, features, outputs, **_: 4 * rows * features * outputs,
}
BOTH = (False, True)
OUTSIDE, INSIDE = {"lr": 0.1, "momentum": 0.9}, {"lr": 0.1, "momentum": 0.9, "inside": True}
COMBINED = pairs({"nesterov": BOTH, "maximize": BOTH, "coupled": BOTH, "clip": ("", "value", "epsilon")})
AROUND = pairs(
    {"nesterov": BOTH, "clip": ("", "value", "each", "norm"), "average": ("", "kept", "taken")}
    | {"decay": BOTH, "scale": BOTH, "micro": BOTH}
)


def spelled(words):
    """The keywords of an option from its words."""
    rest = {word: given for word, given in words.items() if word != "nesterov"}
    return ({"nesterov": True} if "nesterov" in words else {}) | ({"around": around(**rest)} if rest else {})


RARE = {name: OUTSIDE | spelled(words) for name, words in COMBINED.items() if name != "nesterov"}
RARE |= {
    "dampened": OUTSIDE | {"dampening": 0.3},
    "dampened-maximize-coupled": OUTSIDE | {"dampening": 0.3, "around": around(maximize=True, coupled=True)},
    "coupled-no-momentum": {"lr": 0.1, "momentum": 0.0, "around": around(coupled=True)},
    "micro-clip-value": OUTSIDE | {"around": around(micro=True, clip="value")},
}
RARE |= {f"inside-{name}": INSIDE | spelled(words) for name, words in AROUND.items() if name != "nesterov"}
OPTIONS = {
    "momentum": OUTSIDE,
    "nesterov": OUTSIDE | {"nesterov": True},
    "momentum-inside": INSIDE,
    "nesterov-inside": INSIDE | {"nesterov": True},
} | RARE
NO_TORCH = {"inside": "keeps the learning rate outside the momentum buffer"}
NO_OPTAX = NO_TORCH | {"dampening": "does not dampen", "added": "adds nothing to the norm"}
NO_KERAS = {"inside": "keeps the learning rate inside the momentum buffer"}

case = Case(
    name="sgd-momentum",
    title="Gradient descent with momentum",
    step=sgd_step,
    start=start,
    inputs=inputs,
    options=OPTIONS,
    rare=tuple(RARE),
    variants={
        "learning rate of SGD with momentum": {
            "outside the buffer": ("momentum", "nesterov"),
            "inside the buffer": ("momentum-inside", "nesterov-inside"),
        }
    },
    contenders=(
        Contender("torch", "torch.optim.SGD", torch_sgd, lacking(OPTIONS, NO_TORCH)),
        Contender("tensorflow", "keras.optimizers.SGD", keras_sgd, lacking(OPTIONS, needs=NO_KERAS)),
        Contender("jax", "optax.sgd", optax_sgd, lacking(OPTIONS, NO_OPTAX)),
    ),
    **COMMON,
)
