"""Long short-term memory.

Formula
    [z_i, z_f, z_g, z_o] = x_t W + h_{t-1} U + b
    i, f, o = σ(z_i), σ(z_f), σ(z_o)
    g = tanh(z_g)
    c_t = f ∘ c_{t-1} + i ∘ g
    h_t = o ∘ tanh(c_t)
Shapes
    x : (b, t, d)    a batch of sequences
    h0 : (r, b, m)    initial states, r = layers × directions, layer by layer; zeros if not given
    c0 : (r, b, m)    the same for the cell states
Source
    Hochreiter and Schmidhuber 1997, with the forget gate of Gers, Schmidhuber and Cummins 2000.
Choices
    Gates in the order i, f, g, o (Keras writes g as c). No peepholes, no projection.
    See recurrent.py for layers, directions, the single bias and `last`.
    Conditioning of lstm/*/typical/* up to 7: every step adds its rounding errors to those of the steps
    before.
    Conditioning of lstm/plain/saturated/* up to 140: where gates of ±1 nearly cancel in c, their rounding is
    left.
    Conditioning of lstm/plain/overflowing/* up to 7e30: where gates of ±1 cancel in c, their rounding is
    left.
"""

from functools import partial

import numpy as np

from reference.activation import sigmoid, sigmoid_vjp, tanh, tanh_vjp
from reference.recurrent import scan, scan_vjp, stack, stack_vjp


def lstm(x, layers, h0=None, c0=None, *, last=False):
    """y, or {"y", "h", "c"} if h0 and c0 are given."""
    return stack(partial(scan, _step), x, layers, {"h0": h0, "c0": c0}, last)


def lstm_vjp(dy, x, layers, h0=None, c0=None, *, last=False):
    """Backpropagation through time: c_{t-1} gets f ∘ dc_t from c_t, and h_{t-1} gets dz_t Uᵀ."""
    return stack_vjp(
        partial(scan, _step), partial(scan_vjp, _step_vjp), dy, x, layers, {"h0": h0, "c0": c0}, last
    )


def _step(z, h, c):
    i, f, g, o = _gates(z)
    c = f * c + i * g
    return o * tanh(c), c


def _step_vjp(dh, dc, z, h, c):
    """dz_t and dc_{t-1}; every gate passes its part through its slope at z."""
    i, f, g, o = _gates(z)
    c_next = f * c + i * g
    dc = dc + tanh_vjp(dh * o, c_next)["x"]
    back = (dc * g, sigmoid_vjp), (dc * c, sigmoid_vjp), (dc * i, tanh_vjp), (dh * tanh(c_next), sigmoid_vjp)
    dz = [vjp(d, part)["x"] for (d, vjp), part in zip(back, np.split(z, 4, axis=-1), strict=True)]
    return np.concatenate(dz, axis=-1), dc * f  # (b, 4m), (b, m)


def _gates(z):
    i, f, g, o = np.split(z, 4, axis=-1)  # (b, m) each
    return sigmoid(i), sigmoid(f), tanh(g), sigmoid(o)
