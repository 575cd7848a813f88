"""A network of Inception modules with an auxiliary classifier: its loss, its gradient, and a training step.

Formula
    h₁ = first(unit(x)),  h₂ = second(max_pool(h₁))
    z = mean of h₂ over its places · W + b
    a = relu(flatten(unit(avg_pool(h₁))) W₁ + b₁) W₂ + b₂
    loss = −mean log softmax(z)[label] − 0.3 mean log softmax(a)[label]
    Gradient: the chain rule; h₁ gets a part from either classifier.
Shapes
    x : (n, h, w, c)    images, channels last
    mean : (m,)    running means: of the stem, both modules and the auxiliary unit, as in inception.py
    variance : (m,)    their running variances
    stem : tree    a unit of inception.py, with a kernel of 3 by 3
    first : tree    a module of inception.py, by branches
    second : tree    another
    head : tree    {"W": (o, k), "b": (k,)}
    labels : (n,)    class numbers
    auxiliary : tree    {"unit": of 1 by 1, "hidden": {"W": (d, e), "b": (e,)}, "out": {"W", "b"}}
    z : (n, k)    logits; and loss : ()
Source
    Szegedy et al. 2014, Going deeper with convolutions, section 5. arXiv:1409.4842
    Ioffe and Szegedy 2015, Batch normalization, section 4.2. arXiv:1502.03167
Choices
    The paper has nine modules and two auxiliary classifiers. Units, and their ε, are those of inception.py.
    The maximum is over 3 by 3 pixels with a stride of 2, the average over 5 by 5 with a stride of 3, both
    without a margin. Dropout before the last layers is left out: it draws random numbers.
    training=False normalises by the running statistics. It has no labels, loss or auxiliary classifier.
    An image is flattened row by row, its channels together (torch: channel by channel).
    A training step is one of gradient descent with momentum, as in the paper.
    Conditioning of inception-network/*/* up to 9: sums over all places of all images, in any order. What a
    normalisation passes back has a sum of zero, so that of a kernel whose inputs have a mean, as after a
    ReLU, rounding times that mean remains.
    Conditioning of inception-training/*/* up to 60: the same of ten steps, on images most of whose pixels are
    equal, so that terms round alike.
"""

import numpy as np

from reference.activation import relu, relu_vjp
from reference.cnn import dense, dense_vjp
from reference.inception import backward, forward, unit, unit_vjp
from reference.linear import linear, linear_vjp
from reference.loss import sparse_cross_entropy, sparse_cross_entropy_vjp
from reference.optimizer import sgd, sgd_start
from reference.pooling import avg_pool, avg_pool_vjp, max_pool, max_pool_vjp

BETWEEN, AVERAGE, SHARE = {"size": 3, "stride": 2}, {"size": 5, "stride": 3}, 0.3


def inception_network(
    x, mean, variance, stem, first, second, head, labels=None, auxiliary=None, *, training=True
):  # fmt: skip
    """{"z"}, and in training the "loss"."""
    f = _forward(x, mean, variance, stem, first, second, head, auxiliary, training)
    return {"z": f["z"]} | ({"loss": _loss(f, labels)} if training else {})


def inception_network_vjp(
    dy, x, mean, variance, stem, first, second, head, labels=None, auxiliary=None, *, training=True
):  # fmt: skip
    f = _forward(x, mean, variance, stem, first, second, head, auxiliary, training)
    return _backward(dy, f, stem, first, second, head, labels, auxiliary, training)


def step(weights, state, x, labels, *, lr=0.05, momentum=0.9, inside=False):
    """One step on one batch; batch normalisation has the batch's statistics."""
    alone = {"stem": [weights["stem"]], "auxiliary": [weights["auxiliary"]["unit"]]}
    m = width(alone) + width(weights["first"]) + width(weights["second"])
    none = np.zeros_like(x, shape=m)  # running statistics change no step
    f = _forward(x, none, none, **weights)
    loss = _loss(f, labels)
    g = _backward({"z": np.zeros_like(f["z"]), "loss": np.ones_like(loss)}, f, labels=labels, **weights)
    g = {name: g[name] for name in weights}
    return *sgd(weights, g, state, lr=lr, momentum=momentum, inside=inside), loss


def start(weights, *, momentum=0.9):
    return sgd_start(weights, momentum=momentum)


def _loss(f, labels):
    return sparse_cross_entropy(f["z"], labels) + SHARE * sparse_cross_entropy(f["a"], labels)


def _forward(x, mean, variance, stem, first, second, head, auxiliary=None, training=True):
    """Each part's result, and what its units saw."""
    how = {"training": training}
    i = stem["W"].shape[3]
    j = i + width(first)
    k = j + width(second)
    h0, _, saw0 = unit(x, mean[:i], variance[:i], **stem, **how)
    h1, _, saw1 = forward(h0, mean[i:j], variance[i:j], **first, **how)
    u = max_pool(h1, **BETWEEN)
    h2, _, saw2 = forward(u, mean[j:k], variance[j:k], **second, **how)
    pooled = np.mean(h2, axis=(1, 2))  # (n, o)
    found = {"h0": h0, "h1": h1, "u": u, "h2": h2, "saw": [saw0, saw1, saw2], "pooled": pooled}
    found["z"] = linear(pooled, **head)  # (n, k)
    if training:
        c, _, saw = unit(avg_pool(h1, **AVERAGE), mean[k:], variance[k:], **auxiliary["unit"])
        b = dense(c, **auxiliary["hidden"])  # (n, e)
        found |= {"c": c, "b": b, "saw_c": saw, "a": linear(relu(b), **auxiliary["out"])}
    return found


def width(module):
    """How many channels the units of a module have."""
    return sum(layer["W"].shape[3] for branch in module.values() for layer in branch)


def _backward(dy, f, stem, first, second, head, labels=None, auxiliary=None, training=True):
    how, dz, h1, h2 = {"training": training}, dy["z"], f["h1"], f["h2"]
    if training:
        dz = dz + sparse_cross_entropy_vjp(dy["loss"], f["z"], labels)["z"]
    g = {"head": linear_vjp(dz, f["pooled"], **head)}
    dh2 = np.broadcast_to(g["head"].pop("x")[:, None, None] / (h2.shape[1] * h2.shape[2]), h2.shape)
    g["second"] = backward(dh2, f["u"], f["saw"][2], **second, **how)
    dh1 = max_pool_vjp(g["second"].pop("x"), h1, **BETWEEN)["x"]
    if training:
        da = sparse_cross_entropy_vjp(SHARE * dy["loss"], f["a"], labels)["z"]
        out = linear_vjp(da, relu(f["b"]), **auxiliary["out"])
        hidden = dense_vjp(relu_vjp(out.pop("x"), f["b"])["x"], f["c"], **auxiliary["hidden"])
        side = unit_vjp(hidden.pop("x"), f["saw_c"], **auxiliary["unit"])
        dh1 = dh1 + avg_pool_vjp(side.pop("x"), h1, **AVERAGE)["x"]
        g["auxiliary"] = {"unit": side, "hidden": hidden, "out": out}
    g["first"] = backward(dh1, f["h0"], f["saw"][1], **first, **how)
    g["stem"] = unit_vjp(g["first"].pop("x"), f["saw"][0], **stem, **how)
    return g | {"x": g["stem"].pop("x")}
