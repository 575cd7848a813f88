"""Gradients accumulated over k micro-batches, then one step, as users of each framework write it.

torch adds the gradients of all backward calls; its users divide each loss by k for the mean (`mean`), or do
not (`total`). Keras's optimisers count the calls and step at each k-th with the mean; optax's MultiSteps
does either, with a running mean. A judged step is k calls, after which the accumulators must be empty. α is
1/8, which is exact in every dtype.
"""

import numpy as np

from gaugeblock import Case, Contender, Training, require
from reference.descent import start
from reference.gradient import accumulate
from reference.optimizer import sgd
from suites.gradient_descent import flax_names, torch_names
from suites.sgd_momentum import COMMON
from suites.sgd_momentum import inputs as draw

LR = 0.125


def inputs(rng, *, rows, features, outputs, steps, micro, **option):
    weights, data = draw(rng, rows=micro * rows, features=features, outputs=outputs, steps=steps)
    return weights, {name: a.reshape(steps, micro, rows, -1) for name, a in data.items()}


def step(theta, state, x, y, *, total=False):
    loss, g = accumulate(theta, x, y, total=total)
    return *sgd(theta, g, state, lr=LR), loss


def in_torch(weights, state, *, micro, total=False):
    import torch

    model = torch.nn.Linear(*weights["W"].shape)
    optimizer = torch.optim.SGD(model.parameters(), lr=LR)

    def step(x, y):
        optimizer.zero_grad()
        losses = []
        for x_i, y_i in zip(x, y, strict=True):
            loss = torch.nn.functional.mse_loss(model(x_i), y_i)
            loss = loss if total else loss / micro
            loss.backward()
            losses.append(loss.detach())
        optimizer.step()
        return sum(losses)

    return Training(torch_names(weights), {}, step, live=(model, optimizer))


def in_keras(weights, state, *, micro):
    import keras
    import tensorflow as tf

    features, outputs = weights["W"].shape
    model = keras.Sequential([keras.Input((features,)), keras.layers.Dense(outputs)])
    optimizer = keras.optimizers.SGD(LR, gradient_accumulation_steps=micro)
    loss_of = keras.losses.MeanSquaredError()

    def step(x, y):
        losses = []
        for i in range(micro):
            with tf.GradientTape() as tape:
                loss = loss_of(y[i], model(x[i], training=True))
            gradients = tape.gradient(loss, model.trainable_variables)
            optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))
            losses.append(loss)
        return tf.reduce_mean(losses)

    empty = [np.zeros_like(weights["W"]), np.zeros_like(weights["b"])]
    return Training([weights["W"], weights["b"]], {"variables": empty}, step, live=(model, optimizer))


def in_optax(weights, state, *, micro, total=False, accumulator=None):
    import flax
    import jax
    import optax

    model = flax.linen.Dense(weights["W"].shape[1])
    kept = {"accumulator_dtype": accumulator} if accumulator else {}
    require("optax.MultiSteps", *kept)
    optimizer = optax.MultiSteps(optax.sgd(LR), micro, use_grad_mean=not total, **kept)

    def loss_of(params, x, y):
        return optax.squared_error(model.apply({"params": params}, x), y).mean()

    def step(params, state, x, y):
        # in the dtypes with which MultiSteps starts; afterwards in those that were given
        given, losses = state, []
        state = jax.tree.map(lambda held, first: held.astype(first.dtype), state, optimizer.init(params))
        for x_i, y_i in zip(x, y, strict=True):
            loss, gradients = jax.value_and_grad(loss_of)(params, x_i, y_i)
            updates, state = optimizer.update(gradients, state, params)
            params = optax.apply_updates(params, updates)
            losses.append(loss)
        state = jax.tree.map(lambda held, first: held.astype(first.dtype), state, given)
        return params, state, sum(losses) if total else sum(losses) / micro

    count, empty = np.int32(0), jax.tree.map(np.zeros_like, flax_names(weights))
    inner = (optax.EmptyState(), optax.EmptyState())
    return Training(flax_names(weights), optax.MultiStepsState(count, count, inner, empty), step)


def in_optax_of_own_dtype(weights, state, **option):
    return in_optax(weights, state, accumulator=weights["W"].dtype, **option)


case = Case(
    name="gradient-accumulation",
    title="Descent on gradients accumulated over micro-batches",
    step=step,
    start=start,
    inputs=inputs,
    options={"mean": {"micro": 4}, "three": {"micro": 3}, "total": {"micro": 4, "total": True}},
    contenders=(
        Contender("torch", "torch.Tensor.backward", in_torch),
        Contender(
            "tensorflow",
            "keras.optimizers.SGD",
            in_keras,
            variant="gradient_accumulation_steps",
            without={"total": "takes the mean"},
        ),
        Contender("jax", "optax.MultiSteps", in_optax),
        Contender("jax", "optax.MultiSteps", in_optax_of_own_dtype, variant="accumulator_dtype"),
    ),
    minor=True,
    **COMMON
    | {
        "sizes": {
            "small": {"rows": 5, "features": 5, "outputs": 3, "steps": 12},
            "one": {"rows": 1, "features": 1, "outputs": 1, "steps": 12},
            "large": {"rows": 64, "features": 512, "outputs": 512, "steps": 4},
        },
        "flops": lambda *, rows, features, outputs, micro, **_: 4 * micro * rows * features * outputs,
    },
)
