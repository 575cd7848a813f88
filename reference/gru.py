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
    Layers, directions and `last`: recurrent.py.
"""

from functools import partial

import numpy as np

from reference.activation import sigmoid, tanh
from reference.recurrent import stack, stack_vjp


def gru(x, layers, h0=None, *, reset_after=True, last=False):
    """y, or {"y", "h"} if h0 is given."""
    return stack(partial(_scan, reset_after), x, layers, {"h0": h0}, last)


def gru_vjp(dy, x, layers, h0=None, *, reset_after=True, last=False):
    """Backpropagation through time: h_{t-1} gets z ∘ dh_t and the gradients through the gates."""
    scans = partial(_scan, reset_after), partial(_scan_vjp, reset_after)
    return stack_vjp(*scans, dy, x, layers, {"h0": h0}, last)


def _scan(after, x, state, W, U, b=None, c=None):
    """One layer in one direction: the gates of every step, and the states before, between and after them."""
    m = len(U)
    a = x @ W if b is None else x @ W + b  # (b, t, 3m)
    gates, states = [], [state]
    for t in range(x.shape[1]):
        (h,) = states[t]
        r, z = np.split(sigmoid(a[:, t, : 2 * m] + h @ U[:, : 2 * m]), 2, axis=-1)  # (b, m) each
        q = (h if after else r * h) @ U[:, 2 * m :]  # (b, m)
        q = q if c is None else q + c
        n = tanh(a[:, t, 2 * m :] + (r * q if after else q))
        gates.append((r, z, n, q))
        states.append(((1 - z) * n + z * h,))
    return gates, states


def _scan_vjp(after, dh, dstate, x, gates, states, W, U, **biases):
    """With σ' = σ (1 − σ) and tanh' = 1 − tanh²: from dh to dz and dn, from dn to dr and dq."""
    m = len(U)
    (dnext,), dsteps = dstate, []
    for t in reversed(range(x.shape[1])):
        (h,), (r, z, n, q) = states[t], gates[t]
        d = dh[:, t] + dnext
        dz, dn = d * h - d * n, d * (1 - z) * (1 - n * n)
        dq = dn * r if after else dn
        dp = dq @ U[:, 2 * m :].T  # of h, or of r ∘ h
        dr = dn * q if after else dp * h
        dg = np.concatenate([dr * r * (1 - r), dz * z * (1 - z)], axis=-1)  # (b, 2m)
        dnext = d * z + (dp if after else dp * r) + dg @ U[:, : 2 * m].T
        dsteps.append((dg, dn, dq, h, h if after else r * h))
    dg, dn, dq, h, p = (np.stack(parts[::-1], axis=1) for parts in zip(*dsteps, strict=True))  # (b, t, …)
    da = np.concatenate([dg, dn], axis=-1)  # (b, t, 3m)
    dcell = {"W": _flat(x).T @ _flat(da)}
    dcell["U"] = np.concatenate([_flat(h).T @ _flat(dg), _flat(p).T @ _flat(dq)], axis=-1)
    sums = {"b": da, "c": dq}
    return da @ W.T, dcell | {name: sums[name].sum(axis=(0, 1)) for name in biases}, (dnext,)


def _flat(x):
    return x.reshape(-1, x.shape[-1])
