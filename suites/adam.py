"""Adam and AdamW, each convention under its own name.

Judged like suites/sgd_momentum.py. torch and optax add ε to the bias-corrected root, Keras adds ε̂ to the
uncorrected one (`hat`). Both are correct, so each is an option that some frameworks do not have. The rare
options combine in pairs what users change: betas and epsilon, AMSGrad, Nesterov's momentum, the sign, weight
decay, clipping, and for Keras what else its optimisers do around a step (suites/loops/around.py).
"""

import numpy as np

from gaugeblock import Case, Contender, Headline, pairs
from reference.adam_variants import adam_variant, variant_start
from reference.descent import value_and_gradient
from reference.optimizer import adam, adamw
from reference.update import update, update_start
from suites.gradient_descent import flax_names, torch_names
from suites.loops.around import around, in_keras, in_optax, in_torch, keras_words, lacking, torch_words
from suites.sgd_momentum import COMMON, SIZES, inputs


def start(theta, *, amsgrad=False, around=None):
    return variant_start(theta, amsgrad=amsgrad) | update_start(theta, **around or {})


def adam_step(
    theta, state, x, y, *, lr, eps, beta1=0.9, beta2=0.999, hat=False, amsgrad=False, nesterov=False,
    root=0.0, around=None,
):  # fmt: skip
    option = {"lr": lr, "beta1": beta1, "beta2": beta2, "eps": eps, "hat": hat}
    if not (amsgrad or nesterov or root or around):
        loss, g = value_and_gradient(theta, x, y)
        return *adam(theta, g, state, **option), loss
    option |= {"amsgrad": amsgrad, "nesterov": nesterov, "root": root}

    def step(theta, g, state):
        return adam_variant(theta, g, state, **option)

    return update(step, theta, state, x, y, lr=lr, **around or {})


def adamw_step(
    theta, state, x, y, *, lr, eps, decay, beta1=0.9, beta2=0.999, hat=False, amsgrad=False, nesterov=False,
    root=0.0, around=None,
):  # fmt: skip
    option = {"lr": lr, "beta1": beta1, "beta2": beta2, "eps": eps, "hat": hat}
    if not (amsgrad or nesterov or root or around):
        loss, g = value_and_gradient(theta, x, y)
        return *adamw(theta, g, state, **option, decay=decay), loss
    option |= {"amsgrad": amsgrad, "nesterov": nesterov, "root": root}
    return adam_step(theta, state, x, y, **option, around={"decay": decay} | (around or {}))


def torch_moments(state):
    names = {"m": "exp_avg", "v": "exp_avg_sq", "u": "max_exp_avg_sq"}
    return {names[slot]: torch_names(state[slot]) for slot in names if slot in state} | {"step": state["t"]}


def torch_adam(weights, state, *, lr, eps, beta1=0.9, beta2=0.999, amsgrad=False, around=None):
    import torch

    betas, words = (beta1, beta2), torch_words(**around or {})

    def optimizer(parameters):
        return torch.optim.Adam(parameters, lr=lr, betas=betas, eps=eps, amsgrad=amsgrad, **words)

    return in_torch(weights, optimizer, torch_moments(state), **around or {})


def torch_adamw(weights, state, *, lr, eps, decay, beta1=0.9, beta2=0.999, amsgrad=False, around=None):
    import torch

    betas, words = (beta1, beta2), torch_words(**around or {}) | {"weight_decay": decay}
    matrices = (around or {}).get("matrices")

    def optimizer(parameters):
        weight, bias = parameters
        groups = [{"params": [weight]}, {"params": [bias]} | ({"weight_decay": 0.0} if matrices else {})]
        return torch.optim.AdamW(groups, lr=lr, betas=betas, eps=eps, amsgrad=amsgrad, **words)

    return in_torch(weights, optimizer, torch_moments(state), **around or {})


def keras_moments(state):
    slots = [state[moment][name] for name in ("W", "b") for moment in ("m", "v")]
    return slots + [state["u"][name] for name in ("W", "b") if "u" in state]


def keras_adam(weights, state, *, lr, eps, hat, beta1=0.9, beta2=0.999, amsgrad=False, around=None, **_):
    import keras

    option = {"beta_1": beta1, "beta_2": beta2, "epsilon": eps, "amsgrad": amsgrad}
    optimizer = keras.optimizers.Adam(lr, **option, **keras_words(**around or {}))
    return in_keras(weights, optimizer, state, keras_moments(state), **around or {})


def keras_adamw(weights, state, *, lr, eps, hat, decay, beta1=0.9, beta2=0.999, amsgrad=False, around=None):
    import keras

    option = {"beta_1": beta1, "beta_2": beta2, "epsilon": eps, "amsgrad": amsgrad}
    words = keras_words(**around or {}) | {"weight_decay": decay}
    optimizer = keras.optimizers.AdamW(lr, **option, **words)
    if (around or {}).get("matrices"):
        optimizer.exclude_from_weight_decay(var_names=["bias"])
    return in_keras(weights, optimizer, state, keras_moments(state), **around or {})


def optax_moments(state, names=flax_names):
    import optax

    return optax.ScaleByAdamState(np.int32(state["t"]), names(state["m"]), names(state["v"]))


def optax_words(*, eps, beta1=0.9, beta2=0.999, root=0.0, nesterov=False):
    return {"b1": beta1, "b2": beta2, "eps": eps, "eps_root": root, "nesterov": nesterov}


def optax_adam(weights, state, *, lr, around=None, **option):
    import optax

    moments = (optax_moments(state), optax.EmptyState())
    return in_optax(weights, optax.adam(lr, **optax_words(**option)), moments, **around or {})


def optax_adamw(weights, state, *, lr, decay, around=None, **option):
    import optax

    nothing = optax.EmptyState()
    masked = {"kernel": True, "bias": False} if (around or {}).get("matrices") else None
    moments = (optax_moments(state), optax.MaskedState(nothing) if masked else nothing, nothing)
    optimizer = optax.adamw(lr, weight_decay=decay, mask=masked, **optax_words(**option))
    return in_optax(weights, optimizer, moments, **around or {})


NUMBERS = {"lr": 0.002, "beta1": 0.8, "beta2": 0.99, "eps": 1e-5}


def spelled(words):
    """The keywords of an option from its words; `numbers` sets every number of Adam."""
    own = {word: True for word in ("amsgrad", "nesterov") if words.get(word)}
    rest = {word: given for word, given in words.items() if word not in (*own, "numbers", "root")}
    found = own | (NUMBERS if words.get("numbers") else {}) | ({"root": 1e-6} if words.get("root") else {})
    return found | ({"around": around(**rest)} if rest else {})


BOTH = (False, True)
PLAIN, HAT = {"lr": 0.001, "eps": 1e-8}, {"lr": 0.001, "eps": 1e-7, "hat": True}
OF_TORCH = {"amsgrad": BOTH, "maximize": BOTH, "coupled": BOTH, "numbers": BOTH}
COMBINED = pairs(OF_TORCH | {"clip": ("", "value", "epsilon")})
COMBINED |= pairs({"nesterov": BOTH, "root": BOTH, "numbers": BOTH})
# Keras's own, of which suites/sgd_momentum.py has all pairs
AROUND = {
    "hat-value": {"clip": "value", "average": "kept", "decay": True, "amsgrad": True},
    "hat-each": {"clip": "each", "scale": True, "micro": True, "numbers": True},
    "hat-norm": {"clip": "norm", "average": "taken", "scale": True, "amsgrad": True, "numbers": True},
    "hat-all": {"clip": "norm", "average": "kept", "decay": True, "micro": True, "scale": True},
}
ADAM = {name: PLAIN | spelled(words) for name, words in COMBINED.items()}
ADAM |= {name: HAT | spelled(words) for name, words in AROUND.items()}
DECAYING = {
    "amsgrad-maximize-numbers": {"amsgrad": True, "maximize": True, "numbers": True},
    "matrices-numbers": {"matrices": True, "numbers": True},
    "nesterov-root-matrices": {"nesterov": True, "root": True, "matrices": True},
}
ADAMW = {name: PLAIN | {"decay": 0.1} | spelled(words) for name, words in DECAYING.items()}
ADAMW |= {"hat-matrices": HAT | {"decay": 0.1, "around": {"matrices": True}}}
ADAMW |= {
    name: HAT | {"decay": 0.1} | spelled({word: given for word, given in words.items() if word != "decay"})
    for name, words in AROUND.items()
}


ADAM_OPTIONS = {"plain": PLAIN, "hat": HAT, "hat-tiny-gradients": HAT | {"tiny": True}} | ADAM
ADAMW_OPTIONS = {"plain": PLAIN | {"decay": 0.01}, "hat": HAT | {"decay": 0.01}} | ADAMW

# a gradient of few rows, so that the time is that of the optimiser
TEN_MILLION = {"rows": 2, "features": 10_000, "outputs": 1_000, "steps": 2}
CORRECTED = {"hat": "adds epsilon to the bias-corrected root"}
OF_KERAS = {"hat": "adds epsilon to the uncorrected root"}
NO_TORCH = CORRECTED | {
    "nesterov": "has no Nesterov momentum (torch.optim.NAdam has another formula)",
    "root": "has no epsilon inside the root",
}
NO_OPTAX = CORRECTED | {
    "amsgrad": "keeps no largest moment (optax.amsgrad does)",
    "added": "adds nothing to the norm",
}
EPSILON = {"beside the corrected root, √v̂ + ε": ("plain",), "beside the uncorrected root, √v + ε̂": ("hat",)}
REGIMES = {
    "typical": "seeded normal draws",
    "tiny-gradients": "features of 1e-8: gradients near epsilon, where its place in the formula decides",
    "unused-feature": "a feature of zeros: its weights have a gradient of exactly zero, and stay",
}

cases = (
    Case(
        name="adam",
        title="Adam",
        step=adam_step,
        start=start,
        inputs=inputs,
        options=ADAM_OPTIONS,
        rare=("unused-feature", *ADAM),
        regimes=REGIMES,
        variants={"epsilon of Adam": EPSILON},
        contenders=(
            Contender("torch", "torch.optim.Adam", torch_adam, lacking(ADAM_OPTIONS, NO_TORCH)),
            Contender(
                "tensorflow", "keras.optimizers.Adam", keras_adam, lacking(ADAM_OPTIONS, needs=OF_KERAS)
            ),
            Contender("jax", "optax.adam", optax_adam, lacking(ADAM_OPTIONS, NO_OPTAX)),
        ),
        headlines=(
            Headline(
                "ten-million",
                "Adam, 10 million weights",
                "a small model's weights: 40 MB, and 80 MB of moments, past every cache",
                growth=({"features": 156}, {"features": 625}, {"features": 2500}),
                gpu={"features": 100_000},
            ),
        ),
        **COMMON | {"sizes": SIZES | {"ten-million": TEN_MILLION}},
    ),
    Case(
        name="adamw",
        title="Adam with decoupled weight decay",
        step=adamw_step,
        start=start,
        inputs=inputs,
        options=ADAMW_OPTIONS,
        rare=tuple(ADAMW),
        variants={"epsilon of Adam": EPSILON},
        contenders=(
            Contender("torch", "torch.optim.AdamW", torch_adamw, lacking(ADAMW_OPTIONS, NO_TORCH)),
            Contender(
                "tensorflow",
                "keras.optimizers.AdamW",
                keras_adamw,
                lacking(ADAMW_OPTIONS, {}, needs=OF_KERAS),
            ),
            Contender("jax", "optax.adamw", optax_adamw, lacking(ADAMW_OPTIONS, NO_OPTAX)),
        ),
        **COMMON,
    ),
)
