"""Training of the network of suites/inception_network.py on scikit-learn's digits, of 8 by 8 pixels.

Gradient descent with momentum, as in the paper, on the loss with the auxiliary classifier's share. Batch
normalisation has the statistics of the batch; running ones move too, and are not judged here. torch and optax
have the learning rate outside the momentum buffer, Keras inside (reference/optimizer.py): two options.
"""

import numpy as np

from gaugeblock import Case, Contender, Training
from reference.inception_network import start, step
from suites import inception_network as page
from suites.cnn import digits


def inputs(rng, *, batch, steps, **option):
    size = {name: option[name] for name in page.SMALL}
    x, labels = digits(size["image"])
    chosen = np.resize(rng.permutation(len(x)), (steps, batch))
    return page.draw(rng, **size), {"x": x[chosen], "labels": labels[chosen]}


def in_torch(weights, state, *, lr=0.05, momentum=0.9, **option):
    import torch

    model = page.torch_network(weights)
    optimizer = torch.optim.SGD(model.parameters(), lr=lr, momentum=momentum)

    def step(x, labels):
        optimizer.zero_grad()
        loss = page.torch_loss(model(x.permute(0, 3, 1, 2)), labels)
        loss.backward()
        optimizer.step()
        return loss

    buffers = {"momentum_buffer": page.torch_names(state["v"])}
    return Training(page.torch_names(weights), buffers, step, live=(model, optimizer))


def in_keras(weights, state, *, lr=0.05, momentum=0.9, **option):
    import keras
    import tensorflow as tf

    model, loss_of = page.keras_network(weights), page.keras_loss()
    optimizer = keras.optimizers.SGD(lr, momentum=momentum)

    def step(x, labels):
        with tf.GradientTape() as tape:
            loss = loss_of(model(x, training=True), labels)
        gradients = tape.gradient(loss, model.trainable_variables)
        optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))
        return loss

    buffers = {"iterations": 0, "variables": page.keras_names(model, state["v"])}
    return Training(page.keras_names(model, weights), buffers, step, live=(model, optimizer))


def in_optax(weights, state, *, lr=0.05, momentum=0.9, **option):
    import jax
    import optax

    model, optimizer = page.flax_network(weights), optax.sgd(lr, momentum)

    def loss_of(params, x, labels):
        found, _ = model.apply({"params": params}, x, mutable=["batch_stats"])
        return page.flax_loss(found, labels)

    def step(params, state, x, labels):
        loss, gradients = jax.value_and_grad(loss_of)(params, x, labels)
        updates, state = optimizer.update(gradients, state, params)
        return optax.apply_updates(params, updates), state, loss

    buffers = (optax.TraceState(page.flax_names(state["v"])), optax.EmptyState())
    return Training(page.flax_names(weights), buffers, step)


OUTSIDE = {"momentum-inside": "has the learning rate outside the momentum buffer"}


def flops(**size):
    """Three times the products of the forward pass, without the gradient of the images."""
    first = 2 * size["batch"] * size["image"] ** 2 * 9 * size["channels"] * size["stem"]
    return 3 * page.flops(**size) - first


case = Case(
    name="inception-training",
    title="Training of the Inception network",
    step=step,
    start=start,
    inputs=inputs,
    sizes={
        "small": page.SMALL | {"batch": 5, "steps": 10},
        "batch-64": page.SMALL | {"batch": 64, "steps": 10},
    },
    options={"momentum": {}, "momentum-inside": {"inside": True}},
    minor=True,
    contenders=(
        Contender("torch", "torch.optim.SGD", in_torch, without=OUTSIDE),
        Contender(
            "tensorflow",
            "keras.optimizers.SGD",
            in_keras,
            without={"momentum": "has the learning rate inside the momentum buffer"},
        ),
        Contender("jax", "optax.sgd", in_optax, without=OUTSIDE),
    ),
    curve={"size": "batch-64", "steps": 40},
    items=lambda *, batch, **_: batch,
    unit="images",
    flops=flops,
)
