"""Batch gradient descent: θ ← θ − (α/m) Σ ∇J(θ; x⁽ⁱ⁾, y⁽ⁱ⁾), with the gradient of every example.

The contenders compute m gradients and sum them, as in the formula: torch.func.vmap of grad,
tf.vectorized_map, GradientTape.jacobian, jax.vmap of grad. Mini-batches take the rows of one data set in a
given order. α is 1/8, which is exact in every dtype: suites/gradient_descent.py tests how optimisers round
their scalars.
"""

import numpy as np

from gaugeblock import Case, Contender, Headline, Training
from reference.descent import batch_gradient_descent, minibatches, start
from suites.gradient_descent import flax_names, torch_names
from suites.linear_regression import draw


def inputs(rng, *, rows, features, steps, regime="typical", **option):
    x, y = draw(rng, rows=rows * steps, features=features, regime=regime)
    order = rng.permutation(len(x))
    weights = {"W": rng.normal(size=(features, 1)) / np.sqrt(features), "b": rng.normal(size=1)}
    return weights, {name: minibatches(a, order, size=rows) for name, a in {"x": x, "y": y}.items()}


def in_torch(weights, state, *, lr):
    import torch

    model = torch.nn.Linear(*weights["W"].shape)
    optimizer = torch.optim.SGD(model.parameters(), lr=lr)

    def loss_of(params, x, y):
        return torch.nn.functional.mse_loss(torch.func.functional_call(model, params, (x,)), y)

    def step(x, y):
        params = {name: p.detach() for name, p in model.named_parameters()}
        each, losses = torch.func.vmap(torch.func.grad_and_value(loss_of), (None, 0, 0))(params, x, y)
        for name, p in model.named_parameters():
            p.grad = each[name].sum(0) / len(x)
        optimizer.step()
        return losses.mean()

    return Training(torch_names(weights), {}, step, live=(model, optimizer))


def keras_model(weights, lr):
    import keras

    features, outputs = weights["W"].shape
    model = keras.Sequential([keras.Input((features,)), keras.layers.Dense(outputs)])
    return model, keras.optimizers.SGD(lr)


def in_vectorized_map(weights, state, *, lr):
    import tensorflow as tf

    model, optimizer = keras_model(weights, lr)

    def example(pair):
        with tf.GradientTape() as tape:
            x, y = pair
            loss = tf.reduce_mean(tf.math.squared_difference(model(x[None])[0], y))
        return tape.gradient(loss, model.trainable_variables), loss

    def step(x, y):
        each, losses = tf.vectorized_map(example, (x, y))
        mean = [tf.reduce_sum(g, 0) / len(x) for g in each]
        optimizer.apply_gradients(zip(mean, model.trainable_variables, strict=True))
        return tf.reduce_mean(losses)

    return Training([weights["W"], weights["b"]], {}, step, live=(model, optimizer))


def in_jacobian(weights, state, *, lr):
    import tensorflow as tf

    model, optimizer = keras_model(weights, lr)

    def step(x, y):
        with tf.GradientTape() as tape:
            losses = tf.reduce_mean(tf.math.squared_difference(model(x), y), 1)
        each = tape.jacobian(losses, model.trainable_variables)
        mean = [tf.reduce_sum(g, 0) / len(x) for g in each]
        optimizer.apply_gradients(zip(mean, model.trainable_variables, strict=True))
        return tf.reduce_mean(losses)

    return Training([weights["W"], weights["b"]], {}, step, live=(model, optimizer))


def in_jax(weights, state, *, lr):
    import flax
    import jax
    import optax

    model, optimizer = flax.linen.Dense(weights["W"].shape[1]), optax.sgd(lr)

    def loss_of(params, x, y):
        return optax.squared_error(model.apply({"params": params}, x), y).mean()

    def step(params, state, x, y):
        losses, each = jax.vmap(jax.value_and_grad(loss_of), (None, 0, 0))(params, x, y)
        mean = jax.tree.map(lambda g: g.sum(0) / len(x), each)
        updates, state = optimizer.update(mean, state, params)
        return optax.apply_updates(params, updates), state, losses.mean()

    return Training(flax_names(weights), (optax.EmptyState(), optax.EmptyState()), step)


case = Case(
    name="batch-gradient-descent",
    title="Batch gradient descent θ ← θ − (α/m) Σ ∇J(θ; x⁽ⁱ⁾, y⁽ⁱ⁾)",
    step=batch_gradient_descent,
    start=start,
    inputs=inputs,
    sizes={
        "small": {"rows": 33, "features": 5, "steps": 12},
        "one": {"rows": 1, "features": 5, "steps": 12},
        "thousand": {"rows": 1000, "features": 10, "steps": 10},
        "million": {"rows": 1_000_000, "features": 2, "steps": 10},
        "ten-thousand": {"rows": 10_000, "features": 100, "steps": 2},
    },
    options={"plain": {"lr": 0.125}},
    regimes={
        "typical": "seeded normal draws",
        "diabetes": "rows of scikit-learn's diabetes set drawn with replacement: targets near 150",
    },
    rare=("diabetes",),
    headlines=(
        Headline(
            "ten-thousand",
            "batch gradient descent, 10,000 examples × 100 features",
            "a gradient for each example, as differential privacy needs it: 4 MB of gradients a step",
            growth=({"rows": 157}, {"rows": 625}, {"rows": 2_500}),
            gpu={"rows": 1_000_000},
        ),
    ),
    contenders=(
        Contender("torch", "torch.func.vmap", in_torch),
        Contender("tensorflow", "tensorflow.vectorized_map", in_vectorized_map),
        Contender(
            "tensorflow",
            "tensorflow.GradientTape.jacobian",
            in_jacobian,
            without={
                "million": "its graph makes a square of the rows: 11 TiB for a million",
                "ten-thousand": "its graph makes a square of the rows: 37 GiB for ten thousand",
            },
        ),
        Contender("jax", "jax.vmap", in_jax),
    ),
    curve={"size": "small", "steps": 120},
    items=lambda *, rows, **_: rows,
    unit="rows",
    flops=lambda *, rows, features, **_: 4 * rows * features,
)
