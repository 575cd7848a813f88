"""Training of the network of suites/cnn.py on scikit-learn's digits, resized to 28 by 28 pixels.

Adam on sparse categorical cross-entropy, in the loop that users of each framework write. Keras computes the
loss from probabilities, torch and optax from the logits. Keras's Adam adds ε̂ to the uncorrected root
(reference/optimizer.py), which is an option of its own. The score is the accuracy on 297 held-out digits.
"""

import numpy as np

from gaugeblock import Case, Contender, Headline, Training
from reference.cnn import cnn, start, step
from suites import cnn as page

HELD_OUT = 297


def inputs(rng, *, batch, steps, image, kernels, width, **option):
    x, labels = (found[:-HELD_OUT] for found in page.digits(image))
    chosen = np.resize(rng.permutation(len(x)), (steps, batch))
    weights = page.draw(rng, image=image, kernels=kernels, width=width)
    return weights, {"x": x[chosen], "labels": labels[chosen]}


def accuracy(predict):
    x, labels = (found[-HELD_OUT:] for found in page.digits(28))
    return "accuracy", float(np.mean(np.argmax(predict(x), axis=-1) == labels))


def in_torch(weights, state, *, lr=0.001, eps=1e-8, **option):
    import torch

    model = page.torch_model(weights)
    optimizer = torch.optim.Adam(model.parameters(), lr=lr, eps=eps)

    def predict(x):
        return model(x.permute(0, 3, 1, 2))

    def step(x, labels):
        optimizer.zero_grad()
        loss = torch.nn.functional.cross_entropy(predict(x), labels)
        loss.backward()
        optimizer.step()
        return loss

    m, v = page.torch_names(state["m"]), page.torch_names(state["v"])
    moments = {"exp_avg": m, "exp_avg_sq": v, "step": state["t"]}
    return Training(page.torch_names(weights), moments, step, live=(model, optimizer), predict=predict)


def in_keras(weights, state, *, lr=0.001, eps=1e-8, **option):
    import keras
    import tensorflow as tf

    model = page.keras_model(weights)
    optimizer = keras.optimizers.Adam(lr, epsilon=eps)
    loss_of = keras.losses.SparseCategoricalCrossentropy()

    def step(x, labels):
        with tf.GradientTape() as tape:
            loss = loss_of(labels, model(x, training=True))
        gradients = tape.gradient(loss, model.trainable_variables)
        optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))
        return loss

    pairs = zip(page.keras_names(state["m"]), page.keras_names(state["v"]), strict=True)
    moments = {"iterations": state["t"], "variables": [moment for both in pairs for moment in both]}
    return Training(page.keras_names(weights), moments, step, live=(model, optimizer), predict=model)


def in_optax(weights, state, *, lr=0.001, eps=1e-8, **option):
    import jax
    import optax

    model, optimizer = page.flax_model(weights), optax.adam(lr, eps=eps)

    def predict(params, x):
        return model.apply({"params": params}, x)

    def loss_of(params, x, labels):
        return optax.softmax_cross_entropy_with_integer_labels(predict(params, x), labels).mean()

    def step(params, state, x, labels):
        loss, gradients = jax.value_and_grad(loss_of)(params, x, labels)
        updates, state = optimizer.update(gradients, state, params)
        return optax.apply_updates(params, updates), state, loss

    m, v = page.flax_names(state["m"]), page.flax_names(state["v"])
    moments = (optax.ScaleByAdamState(np.int32(state["t"]), m, v), optax.EmptyState())
    return Training(page.flax_names(weights), moments, step, predict=predict)


CORRECTED = {"adam-epsilon-hat": "adds epsilon to the bias-corrected root"}


def flops(*, batch, image, kernels, channels=1, **rest):
    """Three times the products of the forward pass, without the gradient of the images."""
    forward = page.flops(batch=batch, image=image, kernels=kernels, channels=channels, **rest)
    return 3 * forward - 2 * batch * (image - 2) ** 2 * 9 * channels * kernels[0]


case = Case(
    name="cnn-training",
    title="Training of the convolutional network",
    step=step,
    start=start,
    predict=lambda weights, x: cnn(x, **weights),
    inputs=inputs,
    sizes={
        "small": page.SMALL | {"batch": 5, "steps": 10},
        "one": page.SMALL | {"batch": 1, "steps": 10},
        "mission": page.MISSION | {"batch": 32, "steps": 24},
        "batch-32": page.MISSION | {"batch": 32, "steps": 2},
        "batch-256": page.MISSION | {"batch": 256, "steps": 2},
    },
    options={"adam": {}, "adam-epsilon-hat": {"eps": 1e-7, "hat": True}},
    contenders=(
        Contender("torch", "torch.optim.Adam", in_torch, without=CORRECTED),
        Contender(
            "tensorflow",
            "keras.optimizers.Adam",
            in_keras,
            without={"adam": "adds epsilon to the uncorrected root"},
        ),
        Contender("jax", "optax.adam", in_optax, without=CORRECTED),
    ),
    curve={"size": "mission", "steps": 80},
    headlines=(
        Headline(
            "batch-32",
            "convolutional network, 32 images of 28 × 28",
            "the network and the batch that this project is asked to train",
            growth=({"batch": 2}, {"batch": 8}, {"batch": 128}),
            gpu={"batch": 8192},
        ),
        Headline(
            "batch-256",
            "convolutional network, 256 images of 28 × 28",
            "the same with a batch that fills a machine",
        ),
    ),
    score=accuracy,
    items=lambda *, batch, **_: batch,
    unit="images",
    flops=flops,
)
