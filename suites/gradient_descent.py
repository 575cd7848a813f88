"""Gradient descent: θ ← θ − α ∇J(θ), with each framework's own loop and its SGD.

J is the mean squared error or the logistic loss of a linear model. The batch is the same at every step. α is
0.1, which is not exact in binary: how a framework rounds it is part of the verdict. Keras stores α in a
variable of dtype `floatx`, which is set to float64 for float64 cells.
"""

import numpy as np

from gaugeblock import Case, Contender, Headline, Training
from reference.descent import gradient_descent, start
from suites.linear_regression import draw


def inputs(rng, *, rows, features, steps, regime="typical", objective="least_squares", **option):
    x, y = draw(rng, rows=rows, features=features, regime=regime)
    if objective == "logistic":
        y = (y > np.median(y)).astype(float)
    weights = {"W": rng.normal(size=(features, 1)) / np.sqrt(features), "b": rng.normal(size=1)}
    return weights, {name: np.broadcast_to(a, (steps, *a.shape)) for name, a in {"x": x, "y": y}.items()}


def torch_names(theta):
    return {"weight": theta["W"].T, "bias": theta["b"]}


def torch_loop(weights, optimizer, objective="least_squares", state=None, clip=None):
    """The loop of torch's tutorials; `optimizer(parameters)` makes the optimiser, `clip` works in place."""
    import torch

    model = torch.nn.Linear(*weights["W"].shape)
    optimizer = optimizer(model.parameters())
    losses = {
        "least_squares": torch.nn.functional.mse_loss,
        "logistic": torch.nn.functional.binary_cross_entropy_with_logits,
    }

    def step(x, y):
        optimizer.zero_grad()
        loss = losses[objective](model(x), y)
        loss.backward()
        if clip:
            clip(model.parameters())
        optimizer.step()
        return loss

    return Training(torch_names(weights), state or {}, step, live=(model, optimizer), predict=model)


def keras_loop(weights, optimizer, objective="least_squares", state=None, clip=None):
    """A custom loop of the Keras guide: a tape around model and loss, then apply the gradients."""
    import keras
    import tensorflow as tf

    features, outputs = weights["W"].shape
    model = keras.Sequential([keras.Input((features,)), keras.layers.Dense(outputs)])
    loss_of = {
        "least_squares": keras.losses.MeanSquaredError(),
        "logistic": keras.losses.BinaryCrossentropy(from_logits=True),
    }[objective]

    def step(x, y):
        with tf.GradientTape() as tape:
            loss = loss_of(y, model(x, training=True))
        gradients = tape.gradient(loss, model.trainable_variables)
        if clip:
            gradients = clip(gradients)
        optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))
        return loss

    return Training([weights["W"], weights["b"]], state or {}, step, live=(model, optimizer), predict=model)


def flax_names(theta):
    return {"kernel": theta["W"], "bias": theta["b"]}


def optax_loop(weights, optimizer, objective="least_squares", state=None):
    """A train step of the Flax guide: value_and_grad, update, apply_updates."""
    import flax
    import jax
    import optax

    model = flax.linen.Dense(weights["W"].shape[1])
    losses = {"least_squares": optax.squared_error, "logistic": optax.sigmoid_binary_cross_entropy}

    def predict(params, x):
        return model.apply({"params": params}, x)

    def step(params, state, x, y):
        loss, gradients = jax.value_and_grad(lambda p: losses[objective](predict(p, x), y).mean())(params)
        updates, state = optimizer.update(gradients, state, params)
        return optax.apply_updates(params, updates), state, loss

    empty = (optax.EmptyState(), optax.EmptyState())
    return Training(flax_names(weights), state or empty, step, predict=predict)


def in_torch(weights, state, *, lr, objective="least_squares"):
    import torch

    return torch_loop(weights, lambda parameters: torch.optim.SGD(parameters, lr=lr), objective)


def in_keras(weights, state, *, lr, objective="least_squares"):
    import keras

    return keras_loop(weights, keras.optimizers.SGD(lr), objective)


def in_optax(weights, state, *, lr, objective="least_squares"):
    import optax

    return optax_loop(weights, optax.sgd(lr), objective)


CONTENDERS = (
    Contender("torch", "torch.optim.SGD", in_torch),
    Contender("tensorflow", "keras.optimizers.SGD", in_keras),
    Contender("jax", "optax.sgd", in_optax),
)

case = Case(
    name="gradient-descent",
    title="Gradient descent θ ← θ − α ∇J(θ)",
    step=gradient_descent,
    start=start,
    inputs=inputs,
    sizes={
        "small": {"rows": 97, "features": 10, "steps": 12},
        "diabetes": {"rows": 442, "features": 10, "steps": 12},
        "large": {"rows": 100_000, "features": 10, "steps": 10},
        "hundred-thousand": {"rows": 100_000, "features": 100, "steps": 2},
    },
    options={"least-squares": {"lr": 0.1}, "logistic": {"lr": 0.1, "objective": "logistic"}},
    regimes={
        "typical": "seeded normal draws",
        "diabetes": "rows of scikit-learn's diabetes set drawn with replacement: targets near 150",
    },
    rare=("diabetes",),
    headlines=(
        Headline(
            "hundred-thousand",
            "logistic regression, 100,000 rows × 100 features",
            "the table of linear-regression, in full batches",
            option="logistic",
            growth=({"rows": 1_563}, {"rows": 6_250}, {"rows": 25_000}),
            gpu={"rows": 4_000_000},
        ),
    ),
    contenders=CONTENDERS,
    curve={"size": "small", "steps": 120},
    items=lambda *, rows, **_: rows,
    unit="rows",
    flops=lambda *, rows, features, **_: 4 * rows * features,
)
