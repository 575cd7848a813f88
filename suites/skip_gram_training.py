"""Training of skip-gram with negative sampling by gradient descent, on English prose.

The models and the text are those of suites/skip_gram.py. Both tables start with random values; word2vec
starts the contexts at zero, where centers have no gradient. torch.optim.SGD, keras.optimizers.SGD and
optax.sgd take plain steps θ - α g.
"""

from gaugeblock import Case, Contender, Headline, Training
from reference.embedding import skip_gram_start, skip_gram_step
from suites.skip_gram import SIZE, TEXT, flax_loss, flops, inputs, keras_model, torch_model


def in_torch(weights, state, *, lr=0.5):
    import torch

    model, params = torch_model(weights)
    optimizer = torch.optim.SGD(model.parameters(), lr=lr)

    def step(**words):
        optimizer.zero_grad()
        loss = model(**words)
        loss.backward()
        optimizer.step()
        return loss

    return Training(params, {}, step, live=(model, optimizer))


def in_keras(weights, state, *, lr=0.5):
    import keras
    import tensorflow as tf

    model, words, loss_of = keras_model(weights)
    optimizer = keras.optimizers.SGD(lr)

    def step(**data):
        with tf.GradientTape() as tape:
            loss = loss_of(model(words(**data)))
        gradients = tape.gradient(loss, model.trainable_variables)
        optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))
        return loss

    params = [weights["V"], weights["U"]]
    return Training(params, {"iterations": 0, "variables": []}, step, live=(model, optimizer))


def in_optax(weights, state, *, lr=0.5):
    import jax
    import optax

    params, loss_of = flax_loss(weights)
    optimizer = optax.sgd(lr)

    def step(params, state, **words):
        loss, gradients = jax.value_and_grad(loss_of)(params, **words)
        updates, state = optimizer.update(gradients, state, params)
        return optax.apply_updates(params, updates), state, loss

    return Training(params, optimizer.init(params), step)


case = Case(
    name="skip-gram-training",
    looked_up=("V", "U"),
    title="Skip-gram with negative sampling: training",
    step=skip_gram_step,
    start=skip_gram_start,
    inputs=inputs,
    sizes={
        "small": SIZE | {"steps": 10},
        "one": SIZE | {"batch": 1, "steps": 10},
        "text": TEXT | {"steps": 20},
        "word2vec": {"batch": 1024, "negatives": 5, "vocabulary": 3000, "width": 300, "steps": 2},
    },
    options={"plain": {"lr": 0.5}},
    regimes={"typical": "pairs of words from Python's documentation"},
    headlines=(
        Headline(
            "word2vec",
            "skip-gram, 1,024 pairs with 5 negatives, width 300",
            "width and negatives of Mikolov et al. 2013; the vocabulary is that of the text",
            growth=({"batch": 16}, {"batch": 64}, {"batch": 256}),
            gpu={"batch": 65_536},
        ),
    ),
    contenders=(
        Contender("torch", "torch.optim.SGD", in_torch),
        Contender("tensorflow", "keras.optimizers.SGD", in_keras),
        Contender("jax", "optax.sgd", in_optax),
    ),
    items=lambda *, batch, **_: batch,
    unit="pairs",
    flops=lambda **size: 3 * flops(**size),
    curve={"size": "text", "steps": 100},
)
