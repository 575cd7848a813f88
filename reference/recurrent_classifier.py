"""A classifier of sequences: word vectors, recurrent layers in both directions, and a linear layer.

Formula
    h = E[ids]
    h ← [forward(h), backward(h)]    for each layer but the last, step by step
    y = [last state of forward(h), last state of backward(h)]    of the last layer
    z = y W + b,  loss = −mean log softmax(z)[label]
    Gradient: the chain rule, layer by layer from the last to the first.
Shapes
    ids : (n, t)    words; those from a sequence's length on are not read
    lengths : (n,)    how many words each sequence has, at least 1
    labels : (n,)    class numbers
    E : (v, d)    word vectors
    layers : tree    for each layer the list of its directions' cells, as in recurrent_options.py
    head : tree    {"W": (m directions, k), "b": (k,)}
    z : (n, k)    logits; and loss : ()
Source
    Graves and Schmidhuber 2005, Framewise phoneme classification with bidirectional LSTM. Schuster and
    Paliwal 1997, section II. Cho et al. 2014 (the GRU). arXiv:1406.1078
Choices
    `kind` of the cells is "lstm" or "gru". States start at zero. Backwards a sequence is read from its last
    word to its first, and the words behind its end change nothing, as where sequences are packed.
    Conditioning of recurrent-classifier/*/* up to 13: every step adds its rounding errors to those of the
    steps before.
"""

import numpy as np

from reference.embedding import embedding, embedding_vjp
from reference.linear import linear, linear_vjp
from reference.loss import sparse_cross_entropy, sparse_cross_entropy_vjp
from reference.recurrent_options import recurrent, recurrent_vjp


def recurrent_classifier(ids, lengths, labels, E, layers, head, *, kind="lstm"):
    z = _forward(ids, lengths, E, layers, head, kind)[-1]
    return {"z": z, "loss": sparse_cross_entropy(z, labels)}


def recurrent_classifier_vjp(dy, ids, lengths, labels, E, layers, head, *, kind="lstm"):
    seen, given, y, z = _forward(ids, lengths, E, layers, head, kind)
    dz = dy["z"] + sparse_cross_entropy_vjp(dy["loss"], z, labels)["z"]
    dhead = linear_vjp(dz, y, **head)
    dh, dlayers = dhead.pop("x"), []
    for layer, h in zip(layers[::-1], given[::-1], strict=True):
        how = {"seen": seen, "kind": kind, "last": not dlayers, "zero": bool(dlayers)}
        sides, parts = [], np.split(dh, len(layer), axis=-1)
        for k, (cell, part) in enumerate(zip(layer, parts, strict=True)):
            sides.append(recurrent_vjp(_turned(part, k), h, **cell, **how, back=k == 1))
        dh = sum(side.pop("x") for side in sides)
        dlayers.insert(0, sides)
    return embedding_vjp(dh, ids, E) | {"layers": dlayers, "head": dhead}


def _forward(ids, lengths, E, layers, head, kind):
    """Which steps are read, what each layer reads, the last states, and z."""
    seen = np.arange(ids.shape[1]) < lengths[:, None]  # (n, t)
    h, given = embedding(ids, E), []  # (n, t, d)
    for n, layer in enumerate(layers, 1):
        given.append(h)
        how = {"seen": seen, "kind": kind, "last": n == len(layers), "zero": n < len(layers)}
        sides = [recurrent(h, **cell, **how, back=k == 1) for k, cell in enumerate(layer)]
        h = np.concatenate([_turned(side, k) for k, side in enumerate(sides)], axis=-1)
    return seen, given, h, linear(h, **head)


def _turned(y, k):
    """The results of direction 1 in the order of the steps; last states have no order."""
    return y[:, ::-1] if k == 1 and y.ndim == 3 else y
