"""Gated recurrent unit, with the reset gate applied after or before the product with the state.

Formula
    r = σ(x_t W_r + h_{t-1} U_r + b_r),  z = σ(x_t W_z + h_{t-1} U_z + b_z)
    n = tanh(x_t W_n + b_n + r ∘ (h_{t-1} U_n + c))    reset after
    n = tanh(x_t W_n + b_n + (r ∘ h_{t-1}) U_n)        reset before
    h_t = (1 − z) ∘ n + z ∘ h_{t-1}
Shapes
    x : (b, t, d)    a batch of sequences
    h0 : (r, b, m)    initial states, r = layers × directions, layer by layer; zeros if not given
Source
    Cho et al. 2014, eqs. (5) to (8), arXiv:1406.1078, reset before; there z and 1 − z are swapped.
    Reset after is cuDNN's form: it computes all products of a step as one.
Choices
    `reset_after` as in torch, Flax and Keras's default. Gates in the order r, z, n (Keras: z, r, n).
    A cell is {"W": (d, 3m), "U": (m, 3m), "b": (3m,), "c": (m,)}, or without "b" and "c".
    c is the bias inside the reset; reset before has no such bias. torch and Keras also have recurrent biases
    of r and z, which add to b.
    1 − z is σ of the negative argument: a gate near one still lets the small rest of n through.
    Layers, directions and `last`: recurrent.py.
    Conditioning of gru/*/typical/* up to 9: every step adds its rounding errors to those of the steps before.
    Conditioning of gru/plain/saturated/* up to 16: where h − n is small beside h, the rounding of h is left.
    Conditioning of gru/plain/overflowing/* up to 3e32: where h and n are both ±1, h − n is the rounding of h,
    and weights of hundreds enlarge it.
"""

from functools import partial

import numpy as np

from reference.activation import sigmoid, sigmoid_vjp, tanh, tanh_vjp
from reference.recurrent import stack, stack_vjp


def gru(x, layers, h0=None, *, reset_after=True, last=False):
    """y, or {"y", "h"} if h0 is given."""
    return stack(partial(_scan, reset_after), x, layers, {"h0": h0}, last)


def gru_vjp(dy, x, layers, h0=None, *, reset_after=True, last=False):
    """Backpropagation through time: h_{t-1} gets z ∘ dh_t and the gradients through the gates."""
    scans = partial(_scan, reset_after), partial(_scan_vjp, reset_after)
    return stack_vjp(*scans, dy, x, layers, {"h0": h0}, last)


def _scan(after, x, state, W, U, b=None, c=None):
    """One layer in one direction: parts of every step, and the states before, between and after them."""
    m = len(U)
    a = x @ W if b is None else x @ W + b  # (b, t, 3m)
    parts, states = [], [state]
    for t in range(x.shape[1]):
        (h,) = states[t]
        a_r, a_z = np.split(a[:, t, : 2 * m] + h @ U[:, : 2 * m], 2, axis=-1)  # (b, m) each
        r = sigmoid(a_r)
        q = (h if after else r * h) @ U[:, 2 * m :]  # (b, m)
        q = q if c is None else q + c
        a_n = a[:, t, 2 * m :] + (r * q if after else q)
        parts.append((a_r, a_z, a_n, q))
        states.append((sigmoid(-a_z) * tanh(a_n) + sigmoid(a_z) * h,))
    return parts, states


def _scan_vjp(after, dh, dstate, x, parts, states, W, U, **biases):
    """From dh to dz and dn, from dn to dr and dq; each passes the slope of its gate at a."""
    m = len(U)
    (dnext,), dsteps = dstate, []
    for t in reversed(range(x.shape[1])):
        (h,), (a_r, a_z, a_n, q) = states[t], parts[t]
        r, d = sigmoid(a_r), dh[:, t] + dnext
        dz = sigmoid_vjp(d * (h - tanh(a_n)), a_z)["x"]
        dn = tanh_vjp(d * sigmoid(-a_z), a_n)["x"]
        dq = dn * r if after else dn
        dp = dq @ U[:, 2 * m :].T  # of h, or of r ∘ h
        dr = sigmoid_vjp(dn * q if after else dp * h, a_r)["x"]
        dg = np.concatenate([dr, dz], axis=-1)  # (b, 2m)
        dnext = d * sigmoid(a_z) + (dp if after else dp * r) + dg @ U[:, : 2 * m].T
        dsteps.append((dg, dn, dq, h, h if after else r * h))
    dg, dn, dq, h, p = (np.stack(found[::-1], axis=1) for found in zip(*dsteps, strict=True))  # (b, t, …)
    da = np.concatenate([dg, dn], axis=-1)  # (b, t, 3m)
    dcell = {"W": _flat(x).T @ _flat(da)}
    dcell["U"] = np.concatenate([_flat(h).T @ _flat(dg), _flat(p).T @ _flat(dq)], axis=-1)
    sums = {"b": da, "c": dq}
    return da @ W.T, dcell | {name: sums[name].sum(axis=(0, 1)) for name in biases}, (dnext,)


def _flat(x):
    return x.reshape(-1, x.shape[-1])
