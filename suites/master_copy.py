"""Adam on weights in the cell's dtype with gradients of bfloat16 or float16, as mixed precision has them.

A model computes with a copy of its weights in a low precision, and its gradients are in that precision; the
optimiser keeps the weights and moments (the master copy). The objective is ⟨g, θ⟩, whose gradient is g, and
g is drawn with as many bits as the low precision has: so the step is exact but for the rounding of the
master copy's dtype. torch's optimisers take gradients of the weights' dtype alone, so its users convert
them; Keras converts them itself; optax computes with what it is given.
"""

import numpy as np

from gaugeblock import Absent, Case, Contender, Training
from reference.optimizer import adam, adam_start
from suites.adam import CORRECTED, OF_KERAS, keras_moments, optax_moments
from suites.loops.around import lacking
from suites.sgd_momentum import COMMON

BITS = {"bfloat16": 8, "float16": 11}


def inputs(rng, *, features, outputs, steps, low, **option):
    shapes = {"W": (features, outputs), "b": (outputs,)}
    weights = {name: 0.01 * rng.normal(size=shape) for name, shape in shapes.items()}
    # of several sizes: of the smallest, the squares are below what float16 has
    sizes = {name: 10.0 ** -rng.integers(0, 5, size=shape) for name, shape in shapes.items()}
    return weights, {
        f"g_{name}": cut(sizes[name] * rng.normal(size=(steps, *shape)), BITS[low])
        for name, shape in shapes.items()
    }


def cut(x, bits):
    """x with so many significant bits, in steps no finer than those of float16 near zero."""
    mantissa, exponent = np.frexp(x)
    rounded = np.ldexp(np.round(mantissa * 2.0**bits) / 2.0**bits, exponent)
    return np.round(rounded * 2.0**24) / 2.0**24


def step(theta, state, g_W, g_b, *, lr, eps, hat=False):
    g, loss = {"W": g_W, "b": g_b}, (theta["W"] * g_W).sum() + (theta["b"] * g_b).sum()
    return *adam(theta, g, state, lr=lr, eps=eps, hat=hat), loss


def copied(weights):
    """Raise Absent where the weights themselves are of a low precision."""
    if weights["W"].dtype.itemsize < 4:
        raise Absent("a master copy is of float32 or float64")


def in_torch(weights, state, *, lr, eps, low):
    import torch

    copied(weights)
    master = {name: torch.nn.Parameter(torch.zeros(array.shape)) for name, array in weights.items()}
    optimizer, dtype = torch.optim.Adam(master.values(), lr=lr, eps=eps), getattr(torch, low)

    def step(g_W, g_b):
        g = {"W": g_W, "b": g_b}
        copy = {name: p.detach().to(dtype).requires_grad_() for name, p in master.items()}
        sum((p * g[name].to(dtype)).sum() for name, p in copy.items()).backward()
        loss = sum((p.detach() * g[name]).sum() for name, p in master.items())
        for name, p in master.items():
            p.grad = copy[name].grad.to(p.dtype)
        optimizer.step()
        return loss

    moments = {"exp_avg": state["m"], "exp_avg_sq": state["v"], "step": state["t"]}
    return Training(weights, moments, step, live=(master, optimizer))


def in_keras(weights, state, *, lr, eps, low, hat):
    import keras
    import tensorflow as tf

    copied(weights)
    master = [keras.Variable(np.zeros_like(weights[name]), name=name) for name in ("W", "b")]
    optimizer = keras.optimizers.Adam(lr, epsilon=eps)

    def step(g_W, g_b):
        copy = [tf.cast(p.value, low) for p in master]
        given = [tf.cast(g, low) for g in (g_W, g_b)]
        with tf.GradientTape() as tape:
            tape.watch(copy)
            of_copy = sum(tf.reduce_sum(p * g_p) for p, g_p in zip(copy, given, strict=True))
        loss = sum(tf.reduce_sum(p.value * g) for p, g in zip(master, (g_W, g_b), strict=True))
        optimizer.apply_gradients(zip(tape.gradient(of_copy, copy), master, strict=True))
        return loss

    moved = {"iterations": state["t"], "variables": keras_moments(state)}
    return Training([weights["W"], weights["b"]], moved, step, live=(master, optimizer))


def in_optax(weights, state, *, lr, eps, low):
    import jax
    import optax

    copied(weights)
    optimizer = optax.adam(lr, eps=eps)

    def objective(params, g):
        return sum(jax.tree.leaves(jax.tree.map(lambda p, g: (p * g).sum(), params, g)))

    def step(params, state, g_W, g_b):
        g = {"W": g_W, "b": g_b}
        copy, given = (jax.tree.map(lambda p: p.astype(low), tree) for tree in (params, g))
        updates, state = optimizer.update(jax.grad(objective)(copy, given), state, params)
        return optax.apply_updates(params, updates), state, objective(params, g)

    return Training(weights, (optax_moments(state, dict), optax.EmptyState()), step)


PLAIN, HAT = {"lr": 0.001, "eps": 1e-8}, {"lr": 0.001, "eps": 1e-7, "hat": True}
OPTIONS = {
    "bfloat16": PLAIN | {"low": "bfloat16"},
    "bfloat16-hat": HAT | {"low": "bfloat16"},
    "float16": PLAIN | {"low": "float16"},
    "float16-hat": HAT | {"low": "float16"},
}

case = Case(
    name="adam-master-copy",
    title="Adam with a master copy, on gradients of low precision",
    step=step,
    start=adam_start,
    inputs=inputs,
    options=OPTIONS,
    rare=("float16", "float16-hat"),
    contenders=(
        Contender("torch", "torch.optim.Adam", in_torch, lacking(OPTIONS, CORRECTED)),
        Contender("tensorflow", "keras.optimizers.Adam", in_keras, lacking(OPTIONS, needs=OF_KERAS)),
        Contender("jax", "optax.adam", in_optax, lacking(OPTIONS, CORRECTED)),
    ),
    minor=True,
    **COMMON
    | {
        "sizes": {
            "small": {"features": 5, "outputs": 3, "steps": 12},
            "one": {"features": 1, "outputs": 1, "steps": 12},
            "large": {"features": 512, "outputs": 512, "steps": 4},
        },
        "flops": lambda *, features, outputs, **_: 2 * (features + 1) * outputs,
    },
)
