"""Gradient clipping before a step, by value and by norm, as users of each framework write it.

torch adds 1e-6 to the norm (`epsilon`), the others nothing (`plain`). Keras's optimisers have an argument for
clipping, and its custom loops call TensorFlow's functions: both make the page long. Steps are plain gradient
descent on a linear model with α = 1/8, which is exact in every dtype. The bound is near the median gradient,
so that some gradients are clipped.
"""

from gaugeblock import Case, Contender
from reference.descent import start, value_and_gradient
from reference.gradient import clip_by_column_norm, clip_by_global_norm, clip_by_value
from reference.optimizer import sgd
from suites.gradient_descent import keras_loop, optax_loop, torch_loop
from suites.sgd_momentum import COMMON, SIZES, inputs

LR = 0.125


def value_step(theta, state, x, y, *, most):
    loss, g = value_and_gradient(theta, x, y)
    return *sgd(theta, clip_by_value(g, most=most), state, lr=LR), loss


def norm_step(theta, state, x, y, *, most, eps=0.0, each=False, infinity=False, columns=False):
    loss, g = value_and_gradient(theta, x, y)
    if columns:
        g = clip_by_column_norm(g, most=most)
    else:
        g = clip_by_global_norm(g, most=most, eps=eps, each=each, infinity=infinity)
    return *sgd(theta, g, state, lr=LR), loss


def in_torch(weights, clip):
    import torch

    return torch_loop(weights, lambda parameters: torch.optim.SGD(parameters, lr=LR), clip=clip)


def torch_value(weights, state, *, most):
    import torch

    return in_torch(weights, lambda parameters: torch.nn.utils.clip_grad_value_(parameters, most))


def torch_norm(weights, state, *, most, each=False, infinity=False, **option):
    import torch

    kind = float("inf") if infinity else 2.0

    def clip(parameters):
        for group in parameters if each else [parameters]:
            torch.nn.utils.clip_grad_norm_(group, most, norm_type=kind)

    return in_torch(weights, clip)


def in_keras(weights, clip=None, **argument):
    import keras

    return keras_loop(weights, keras.optimizers.SGD(LR, **argument), clip=clip)


def keras_value(weights, state, *, most):
    return in_keras(weights, clipvalue=most)


def keras_norm(weights, state, *, most, each=False, **option):
    return in_keras(weights, **{"clipnorm" if each else "global_clipnorm": most})


def tf_value(weights, state, *, most):
    import tensorflow as tf

    return in_keras(weights, lambda gradients: [tf.clip_by_value(g, -most, most) for g in gradients])


def tf_norm(weights, state, *, most, **option):
    import tensorflow as tf

    return in_keras(weights, lambda gradients: tf.clip_by_global_norm(gradients, most)[0])


def tf_each_norm(weights, state, *, most, columns=False, **option):
    import tensorflow as tf

    axes = [0] if columns else None
    return in_keras(weights, lambda gradients: [tf.clip_by_norm(g, most, axes=axes) for g in gradients])


def in_optax(weights, clip):
    import optax

    nothing = (optax.EmptyState(), (optax.EmptyState(), optax.EmptyState()))
    return optax_loop(weights, optax.chain(clip, optax.sgd(LR)), state=nothing)


def optax_value(weights, state, *, most):
    import optax

    return in_optax(weights, optax.clip(most))


def optax_norm(weights, state, *, most, **option):
    import optax

    return in_optax(weights, optax.clip_by_global_norm(most))


COLUMNS = {"columns": "takes no norm of a part of a tensor"}
ADDS = dict.fromkeys(("plain", "loose", "each"), "adds 1e-6 to the norm") | COLUMNS
ADDS_NOTHING = dict.fromkeys(("epsilon", "each-epsilon", "infinity"), "adds nothing to the norm")
WHOLE = ADDS_NOTHING | COLUMNS
GLOBAL = dict.fromkeys(("each", "columns"), "takes one norm over all tensors")
NORMS = dict.fromkeys(("plain", "loose"), "takes a norm a tensor")
MINOR = COMMON | {
    "start": start,
    "inputs": inputs,
    "minor": True,
    "sizes": {
        "small": SIZES["small"],
        "one": {"rows": 1, "features": 1, "outputs": 1, "steps": 12},
        "large": SIZES["large"],
    },
}

cases = (
    Case(
        name="clip-by-value",
        title="Descent on gradients clipped by value",
        step=value_step,
        options={"plain": {"most": 0.03}, "loose": {"most": 10.0}},
        contenders=(
            Contender("torch", "torch.nn.utils.clip_grad_value_", torch_value),
            Contender("tensorflow", "keras.optimizers.SGD", keras_value, variant="clipvalue"),
            Contender("tensorflow", "tensorflow.clip_by_value", tf_value),
            Contender("jax", "optax.clip", optax_value),
        ),
        **MINOR,
    ),
    Case(
        name="clip-by-norm",
        title="Descent on gradients clipped by their norm",
        step=norm_step,
        options={
            "plain": {"most": 0.3},
            "epsilon": {"most": 0.3, "eps": 1e-6},
            "loose": {"most": 10.0},
            "infinity": {"most": 0.1, "eps": 1e-6, "infinity": True},
            "each": {"most": 0.1, "each": True},
            "each-epsilon": {"most": 0.1, "each": True, "eps": 1e-6},
            "columns": {"most": 0.1, "columns": True},
        },
        rare=("columns", "large"),
        regimes={
            "typical": "seeded normal draws",
            "large": "a gradient of norm 400, whose square is more than float16 has",
        },
        contenders=(
            Contender("torch", "torch.nn.utils.clip_grad_norm_", torch_norm, ADDS),
            Contender(
                "tensorflow", "keras.optimizers.SGD", keras_norm, ADDS_NOTHING | COLUMNS, variant="clipnorm"
            ),
            Contender("tensorflow", "tensorflow.clip_by_global_norm", tf_norm, ADDS_NOTHING | GLOBAL),
            Contender("tensorflow", "tensorflow.clip_by_norm", tf_each_norm, ADDS_NOTHING | NORMS),
            Contender("jax", "optax.clip_by_global_norm", optax_norm, ADDS_NOTHING | GLOBAL),
        ),
        **MINOR,
    ),
)
