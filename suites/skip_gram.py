"""The loss of skip-gram with negative sampling, on English prose.

The text is Python's documentation (pydoc_data.topics): frequent words in lower case, a context within five
words of its center, negatives drawn by the NumPy generator from the frequencies to the power 3/4, so that
every framework has the same pairs. Convention: the mean over pairs of the sum over words, as users write it
around two embeddings. torch looks up contexts and negatives separately, and sums their gradients separately
before they cancel: for the most frequent word the error exceeds that of a single sum in any order, and the
cell is `imprecise` at the size large. suites/skip_gram_training.py trains these models.
"""

import re
from collections import Counter
from functools import cache

import numpy as np

from gaugeblock import Case, Contender
from reference.embedding import skip_gram, skip_gram_vjp

SIZE = {"batch": 17, "negatives": 4, "vocabulary": 40, "width": 9}
TEXT = {"batch": 256, "negatives": 5, "vocabulary": 500, "width": 32}
LARGE = {"batch": 16384, "negatives": 5, "vocabulary": 3000, "width": 300}


@cache
def text(vocabulary):
    """The text as indices of its `vocabulary` most frequent words, without other words, and their counts."""
    from pydoc_data.topics import topics

    words = re.findall("[a-z]+", " ".join(topics[name] for name in sorted(topics)).lower())
    counts = dict(Counter(words).most_common(vocabulary))
    numbers = {word: number for number, word in enumerate(counts)}
    return np.array([numbers[word] for word in words if word in numbers]), np.array(list(counts.values()))


def inputs(rng, *, batch, negatives, vocabulary, width, steps=None, **option):
    shape = (batch,) if steps is None else (steps, batch)
    words, counts = text(vocabulary)
    place = rng.integers(5, len(words) - 5, size=shape)
    away = rng.integers(1, 6, size=shape) * rng.choice([-1, 1], size=shape)
    noise = counts**0.75
    drawn = rng.choice(len(counts), size=(*shape, negatives), p=noise / noise.sum())
    weights = {name: rng.normal(size=(vocabulary, width)) / width**0.5 for name in ("V", "U")}
    return weights, {"center": words[place], "context": words[place + away], "negatives": drawn}


def torch_model(weights):
    import torch

    class SkipGram(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.centers = torch.nn.Embedding(*weights["V"].shape)
            self.contexts = torch.nn.Embedding(*weights["U"].shape)

        def forward(self, center, context, negatives):
            v = self.centers(center)  # (n, d)
            near = (v * self.contexts(context)).sum(-1)  # (n,)
            far = torch.bmm(self.contexts(negatives), v[:, :, None])[:, :, 0]  # (n, k)
            log_sigmoid = torch.nn.functional.logsigmoid
            return -(log_sigmoid(near) + log_sigmoid(-far).sum(-1)).mean()

    return SkipGram(), {"centers.weight": weights["V"], "contexts.weight": weights["U"]}


def in_torch(weights):
    import torch

    model, params = torch_model(weights)
    return params, lambda params, **words: {"y": torch.func.functional_call(model, params, kwargs=words)}


def keras_model(weights):
    import keras
    import tensorflow as tf

    class SkipGram(keras.Model):
        def __init__(self):
            super().__init__()
            self.centers = keras.layers.Embedding(*weights["V"].shape)
            self.contexts = keras.layers.Embedding(*weights["U"].shape)

        def call(self, words):
            center, near = words
            return tf.einsum("nd,nkd->nk", self.centers(center), self.contexts(near))

    def loss(scores):
        labels = tf.one_hot(tf.zeros(len(scores), tf.int32), scores.shape[1], dtype=scores.dtype)
        losses = tf.nn.sigmoid_cross_entropy_with_logits(labels, scores)
        return tf.reduce_mean(tf.reduce_sum(losses, axis=1))

    def words(center, context, negatives):
        return center, tf.concat([context[:, None], negatives], axis=1)

    model = SkipGram()
    model.centers.build((None,))
    model.contexts.build((None, None))
    model.built = True
    return model, words, loss


def in_keras(weights):
    model, words, loss = keras_model(weights)

    def run(params, **data):
        return {"y": loss(model.stateless_call(params, [], words(**data))[0])}

    return [weights["V"], weights["U"]], run


def flax_loss(weights):
    import flax.linen as nn
    import jax.numpy as jnp
    import optax

    v, d = weights["V"].shape
    dtype = weights["V"].dtype

    class SkipGram(nn.Module):
        @nn.compact
        def __call__(self, center, context, negatives):
            near = jnp.concatenate([context[:, None], negatives], axis=1)  # (n, 1 + k)
            u = nn.Embed(v, d, param_dtype=dtype, name="contexts")(near)
            scores = jnp.einsum("nd,nkd->nk", nn.Embed(v, d, param_dtype=dtype, name="centers")(center), u)
            labels = jnp.zeros_like(scores).at[:, 0].set(1)
            return optax.sigmoid_binary_cross_entropy(scores, labels).sum(axis=1).mean()

    params = {"centers": {"embedding": weights["V"]}, "contexts": {"embedding": weights["U"]}}
    return params, lambda params, **words: SkipGram().apply({"params": params}, **words)


def in_flax(weights):
    params, loss = flax_loss(weights)
    return params, lambda params, **words: {"y": loss(params, **words)}


def flops(*, batch, negatives, width, **_):
    return 2 * batch * (1 + negatives) * width


case = Case(
    name="skip-gram",
    looked_up=("V", "U"),
    title="Skip-gram with negative sampling: loss",
    reference=skip_gram,
    gradient=skip_gram_vjp,
    inputs=inputs,
    sizes={"small": SIZE, "text": TEXT, "large": LARGE},
    regimes={"typical": "pairs of words from Python's documentation"},
    contenders=(
        Contender("torch", "torch.nn.Embedding", in_torch),
        Contender("tensorflow", "keras.layers.Embedding", in_keras),
        Contender("jax", "flax.linen.Embed", in_flax),
    ),
    items=lambda *, batch, **_: batch,
    unit="pairs",
    flops=flops,
)
