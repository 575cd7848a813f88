"""Stacked recurrent layers in both directions that classify sequences of different lengths.

The convention is reference/recurrent_classifier.py. Each framework leaves out what is behind a sequence's end
in its own way: torch packs the sequences, Keras takes a mask, Flax takes the lengths. Words behind the end
are drawn like others, so that a model which reads them is wrong. "reviews" has the sizes of Keras's example
of a bidirectional LSTM on film reviews. Cells have the conventions of suites/lstm.py and suites/gru.py.
"""

from gaugeblock import Case, Contender
from reference.recurrent_classifier import recurrent_classifier, recurrent_classifier_vjp
from suites import gru
from suites.lstm import flax_gates
from suites.recurrent_options import GATE_NUMBER
from suites.rnn import torch_names


def inputs(
    rng, *, batch, time, vocabulary, width, hidden, depth, classes,
    kind="lstm", directions=2, regime="typical",
):  # fmt: skip
    """Weights from torch's distributions, and sequences from one word to `time` words."""

    def cell(d):
        shapes = {"W": (d, GATE_NUMBER[kind] * hidden), "U": (hidden, GATE_NUMBER[kind] * hidden)}
        shapes |= {"b": (GATE_NUMBER[kind] * hidden,)} | ({"c": (hidden,)} if kind == "gru" else {})
        return {name: rng.uniform(-1, 1, shape) / hidden**0.5 for name, shape in shapes.items()}

    after = directions * hidden
    weights = {
        "E": rng.normal(size=(vocabulary, width)),
        "layers": [[cell(after if n else width) for _ in range(directions)] for n in range(depth)],
        "head": {"W": rng.normal(size=(after, classes)) / after**0.5, "b": 0.1 * rng.normal(size=classes)},
    }
    lengths = rng.integers(1, time + 1, size=batch)
    lengths[:2] = (time, 1)[:batch]
    if regime == "full":
        lengths[:] = time
    data = {"ids": rng.integers(0, vocabulary, size=(batch, time)), "lengths": lengths}
    return weights, data | {"labels": rng.integers(0, classes, size=batch)}


def in_torch(weights, *, kind="lstm", directions=2):
    import torch
    from torch import nn

    layers, E, head = weights["layers"], weights["E"], weights["head"]["W"]

    class Classifier(nn.Module):
        def __init__(self):
            super().__init__()
            self.embedding = nn.Embedding(*E.shape)
            how = {"batch_first": True, "bidirectional": directions == 2}
            self.layers = getattr(nn, kind.upper())(E.shape[1], len(layers[0][0]["U"]), len(layers), **how)
            self.head = nn.Linear(*head.shape)

        def forward(self, ids, lengths):
            how = {"batch_first": True, "enforce_sorted": False}
            packed = nn.utils.rnn.pack_padded_sequence(self.embedding(ids), lengths.cpu(), **how)
            _, state = self.layers(packed)
            ends = state[0] if kind == "lstm" else state
            return self.head(torch.cat([*ends[-directions:]], dim=1))

    model = Classifier()

    def run(params, ids, lengths, labels):
        z = torch.func.functional_call(model, params, (ids, lengths))
        return {"z": z, "loss": nn.functional.cross_entropy(z, labels)}

    cells = layers if kind == "lstm" else gru.each(gru.widened, weights)["layers"]
    params = {f"layers.{name}": array for name, array in torch_names(cells).items()}
    head = weights["head"]
    return params | {"embedding.weight": E, "head.weight": head["W"].T, "head.bias": head["b"]}, run


def in_keras(weights, *, kind="lstm", directions=2):
    import keras
    import tensorflow as tf

    how, E = keras.layers, weights["E"]
    ids, seen = keras.Input((None,), dtype="int32"), keras.Input((None,), dtype="bool")
    h = how.Embedding(*E.shape)(ids)
    for n, layer in enumerate(weights["layers"], 1):
        last = n == len(weights["layers"])
        side = getattr(how, kind.upper())(len(layer[0]["U"]), return_sequences=not last)
        h = (how.Bidirectional(side) if directions == 2 else side)(h, mask=seen)
    model = keras.Model([ids, seen], how.Dense(len(weights["head"]["b"]))(h))
    loss_of = keras.losses.SparseCategoricalCrossentropy(from_logits=True)

    def run(params, ids, lengths, labels):
        z, _ = model.stateless_call(
            params, model.non_trainable_variables, [ids, tf.sequence_mask(lengths, ids.shape[1])]
        )
        return {"z": z, "loss": loss_of(labels, z)}

    params = [E]
    for cell in (cell for layer in weights["layers"] for cell in layer):
        named = cell if kind == "lstm" else gru.keras_names(cell)
        params += [named[letter] for letter in "WUb"]
    return [*params, weights["head"]["W"], weights["head"]["b"]], run


def in_flax(weights, *, kind="lstm", directions=2):
    import jax.numpy as jnp
    import optax
    from flax import linen

    layers, E = weights["layers"], weights["E"]
    cell = linen.OptimizedLSTMCell if kind == "lstm" else linen.GRUCell
    names = flax_gates if kind == "lstm" else gru.flax_names

    class Classifier(linen.Module):
        @linen.compact
        def __call__(self, ids, lengths):
            h = linen.Embed(*E.shape, name="embedding")(ids)
            for n, layer in enumerate(layers):
                sides = [
                    linen.RNN(cell(len(one["U"]), param_dtype=E.dtype, name=f"layer_{n}_{k}"))
                    for k, one in enumerate(layer)
                ]
                both = linen.Bidirectional(*sides) if directions == 2 else sides[0]
                ends, h = both(h, seq_lengths=lengths, return_carry=True)
            states = ends if directions == 2 else [ends]
            y = jnp.concatenate([s[1] if kind == "lstm" else s for s in states], axis=-1)
            return linen.Dense(len(weights["head"]["b"]), name="head")(y)

    model = Classifier()

    def run(params, ids, lengths, labels):
        z = model.apply({"params": params}, ids, lengths)
        loss = optax.losses.softmax_cross_entropy_with_integer_labels(z, labels).mean()
        return {"z": z, "loss": loss}

    params = {f"layer_{n}_{k}": names(one) for n, layer in enumerate(layers) for k, one in enumerate(layer)}
    head = {"kernel": weights["head"]["W"], "bias": weights["head"]["b"]}
    return params | {"embedding": {"embedding": E}, "head": head}, run


def flops(
    *, batch, time, vocabulary, width, hidden, depth, classes, kind="lstm", directions=2, **_
):  # fmt: skip
    """Two flops for each multiply-add, as if every sequence had its full length."""
    after = directions * hidden
    inputs = width + (depth - 1) * after
    cells = directions * GATE_NUMBER[kind] * hidden * (inputs + depth * hidden)
    return 2 * batch * (time * cells + after * classes)


SMALL = {"time": 7, "vocabulary": 11, "width": 5, "hidden": 6, "depth": 2, "classes": 4}
REVIEWS = {"time": 200, "vocabulary": 20_000, "width": 128, "hidden": 64, "depth": 2, "classes": 2}

case = Case(
    name="recurrent-classifier",
    title="Classifier of sequences with stacked recurrent layers in both directions",
    reference=recurrent_classifier,
    gradient=recurrent_classifier_vjp,
    inputs=inputs,
    sizes={
        "small": SMALL | {"batch": 5},
        "one-step": SMALL | {"batch": 2, "time": 1, "depth": 1, "classes": 2},
        "reviews": REVIEWS | {"batch": 32},
    },
    options={
        "lstm": {},
        "gru": {"kind": "gru"},
        "lstm-forward": {"directions": 1},
        "gru-forward": {"kind": "gru", "directions": 1},
    },
    regimes={
        "typical": "sequences of all lengths, from one word on",
        "full": "all sequences as long as the longest",
    },
    minor=True,
    contenders=(
        Contender("torch", "torch.nn.utils.rnn.pack_padded_sequence", in_torch),
        Contender("tensorflow", "keras.Model", in_keras),
        Contender("jax", "flax.linen.RNN", in_flax),
    ),
    items=lambda *, batch, **_: batch,
    unit="sequences",
    flops=flops,
)
