"""Simple recurrent network.

Formula
    h_t = φ(x_t W + h_{t-1} U + b),  φ = tanh or relu
Shapes
    x : (b, t, d)    a batch of sequences
    h0 : (r, b, m)    initial states, r = layers × directions, layer by layer; zeros if not given
Source
    Elman 1990, Finding structure in time. Goodfellow, Bengio, Courville 2016, eq. (10.8).
Choices
    See recurrent.py for layers, directions, the single bias and `last`.
"""

from functools import partial

from reference.activation import ACTIVATIONS
from reference.recurrent import scan, scan_vjp, stack, stack_vjp


def rnn(x, layers, h0=None, *, activation="tanh", last=False):
    """y, or {"y", "h"} if h0 is given."""
    return stack(partial(scan, partial(_step, activation)), x, layers, {"h0": h0}, last)


def rnn_vjp(dy, x, layers, h0=None, *, activation="tanh", last=False):
    """dz_t = φ'(z_t) ∘ dh_t, and h_{t-1} gets dz_t Uᵀ."""
    scans = partial(scan, partial(_step, activation)), partial(scan_vjp, partial(_step_vjp, activation))
    return stack_vjp(*scans, dy, x, layers, {"h0": h0}, last)


def _step(activation, z, h):
    return (ACTIVATIONS[activation][0](z),)


def _step_vjp(activation, dh, z, h):
    return (ACTIVATIONS[activation][1](dh, z)["x"],)
