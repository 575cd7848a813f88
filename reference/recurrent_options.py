"""Recurrent layers with steps left out, read backwards, with other activations, a projection, or a residual.

Formula
    simple    h_t = φ(a_t + h_{t-1} U [+ h_{t-1}])
    lstm      i, f, o = γ(z_i), γ(z_f), γ(z_o),  g = φ(z_g),  z = a_t + h_{t-1} U
              c_t = f ∘ c_{t-1} + i ∘ g,  h_t = (o ∘ φ(c_t)) [P]
    gru       r, z = γ(a_r + h_{t-1} U_r), γ(a_z + h_{t-1} U_z),  n = φ(a_n + r ∘ (h_{t-1} U_n + c))
              h_t = (1 − z) ∘ n + z ∘ h_{t-1}
    a_t = x_t W + b. A step that is left out keeps the state, and repeats the result before it, or gives
    zeros.
Shapes
    x : (b, t, d)    a batch of sequences
    seen : (b, t)    boolean, False for steps that are left out
    W : (d, k m)    of k gates
    U : (p, k m)    p = m without a projection
    P : (m, p)    the projection
    b : (k m,)    shifts
    c : (m,)    the shift inside the reset
    y : (b, t, p)    or (b, p), the last one
Source
    Hochreiter and Schmidhuber 1997. Sak, Senior, Beaufays 2014, eq. (6) (the projection). arXiv:1402.1128
    Cho et al. 2014. arXiv:1406.1078
Choices
    One layer, one direction, from a state of zeros; gates in the orders of lstm.py and gru.py. Backwards the
    steps are read from the last to the first, and results stand in that order (Keras's go_backwards).
    Before the first step that is seen, the result is zero. 1 − σ(z) is written σ(−z).
    Conditioning of recurrent-*/* up to 15: every step adds its rounding errors to those of the steps before.
"""

import numpy as np

from reference.activation import ACTIVATIONS, sigmoid


def recurrent(
    x, W, U, b, P=None, c=None, seen=None, *, kind, last=False, back=False, zero=False, **functions
):
    outputs, _ = _run(x, W, U, b, P, c, seen, kind, back, zero, functions)
    return outputs[-1] if last else np.stack(outputs, axis=1)


def recurrent_vjp(
    dy, x, W, U, b, P=None, c=None, seen=None, *, kind, last=False, back=False, zero=False, **functions
):
    """From the last step to the first; a step that is left out passes its cotangents to the one before."""
    _, states = _run(x, W, U, b, P, c, seen, kind, back, zero, functions)
    a, t = _ordered(x, back) @ W + b, x.shape[1]
    dstate, dout = [np.zeros_like(s) for s in states[0]], np.zeros_like(states[0][0])
    da, sums = [], {}
    for i in reversed(range(t)):
        given = (dy if i == t - 1 else 0) if last else dy[:, i]
        dout = dout + given  # of the result at this step
        now = None if seen is None else _ordered(seen, back)[:, i, None]
        dnew = [dstate[0] + (dout if now is None else np.where(now, dout, 0)), *dstate[1:]]
        dnew = dnew if now is None else [np.where(now, d, 0) for d in dnew]
        kept = [0 * d for d in dstate] if now is None else [np.where(now, 0, d) for d in dstate]
        step, back_step, grads = STEPS[kind][1](dnew, a[:, i], states[i], U, P, c, functions)
        dstate = [one + other for one, other in zip(back_step, kept, strict=True)]
        dout = np.zeros_like(dout) if now is None or zero else np.where(now, 0, dout)
        da.append(step)
        sums = {name: sums[name] + g if name in sums else g for name, g in grads.items()}
    da = _ordered(np.stack(da[::-1], axis=1), back)  # (b, t, k m)
    flat = da.reshape(-1, da.shape[-1])
    return {"x": da @ W.T, "W": x.reshape(-1, x.shape[-1]).T @ flat, "b": flat.sum(axis=0)} | sums


def _run(x, W, U, b, P, c, seen, kind, back, zero, functions):
    """The result of each step, and the states before, between and after the steps."""
    a, m = _ordered(x, back) @ W + b, len(U) if P is None else len(P)
    widths = [len(U), m] if kind == "lstm" else [m]
    states, outputs = [[np.zeros_like(x, shape=(len(x), width)) for width in widths]], []
    for i in range(x.shape[1]):
        new = STEPS[kind][0](a[:, i], states[i], U, P, c, functions)
        out = new[0]
        if seen is not None:
            now = _ordered(seen, back)[:, i, None]
            new = [np.where(now, one, other) for one, other in zip(new, states[i], strict=True)]
            before = outputs[-1] if outputs and not zero else np.zeros_like(out)
            out = np.where(now, out, before)
        states.append(new)
        outputs.append(out)
    return outputs, states


def _ordered(x, back):
    return x[:, ::-1] if back else x


def _functions(functions):
    """φ and its vjp, γ and its vjp."""
    return (
        *ACTIVATIONS[functions.get("activation", "tanh")],
        *ACTIVATIONS[functions.get("gate", "sigmoid")],
    )


def _simple(a, state, U, P, c, functions):
    (h,) = state
    z = a + h @ U
    return [_functions(functions)[0](z + h if functions.get("residual") else z)]


def _simple_vjp(dstate, a, state, U, P, c, functions):
    (dh,), (h,) = dstate, state
    z = a + h @ U
    dz = _functions(functions)[1](dh, z + h if functions.get("residual") else z)["x"]
    before = dz @ U.T
    return dz, [before + dz if functions.get("residual") else before], {"U": h.T @ dz}


def _lstm(a, state, U, P, c, functions):
    h, before = state
    act, _, gate, _ = _functions(functions)
    i, f, g, o = np.split(a + h @ U, 4, axis=-1)
    after = gate(f) * before + gate(i) * act(g)
    h = gate(o) * act(after)
    return [h if P is None else h @ P, after]


def _lstm_vjp(dstate, a, state, U, P, c, functions):
    (dh, dc), (h, before) = dstate, state
    act, act_vjp, gate, gate_vjp = _functions(functions)
    i, f, g, o = np.split(a + h @ U, 4, axis=-1)
    after = gate(f) * before + gate(i) * act(g)
    grads = {} if P is None else {"P": (gate(o) * act(after)).T @ dh}
    dh = dh if P is None else dh @ P.T
    dc = dc + act_vjp(dh * gate(o), after)["x"]
    dz = [
        gate_vjp(dc * act(g), i)["x"],
        gate_vjp(dc * before, f)["x"],
        act_vjp(dc * gate(i), g)["x"],
        gate_vjp(dh * act(after), o)["x"],
    ]
    dz = np.concatenate(dz, axis=-1)
    return dz, [dz @ U.T, dc * gate(f)], grads | {"U": h.T @ dz}


def _gru(a, state, U, P, c, functions):
    (h,) = state
    act, _, gate, _ = _functions(functions)
    (r, z, n), (u_r, u_z, u_n) = np.split(a, 3, axis=-1), np.split(h @ U, 3, axis=-1)
    y = act(n + gate(r + u_r) * (u_n + c))
    return [_rest(z + u_z, functions) * y + gate(z + u_z) * h]


def _gru_vjp(dstate, a, state, U, P, c, functions):
    (dh,), (h,) = dstate, state
    act, act_vjp, gate, gate_vjp = _functions(functions)
    (r, z, n), (u_r, u_z, u_n) = np.split(a, 3, axis=-1), np.split(h @ U, 3, axis=-1)
    r, z = r + u_r, z + u_z
    q, weight = u_n + c, gate(z)
    y = act(n + gate(r) * q)
    dn = act_vjp(dh * _rest(z, functions), n + gate(r) * q)["x"]
    dr, dz = gate_vjp(dn * q, r)["x"], gate_vjp(dh * (h - y), z)["x"]
    dq = dn * gate(r)
    du = np.concatenate([dr, dz, dq], axis=-1)
    return (
        np.concatenate([dr, dz, dn], axis=-1),
        [du @ U.T + dh * weight],
        {"U": h.T @ du, "c": dq.sum(axis=0)},
    )


def _rest(z, functions):
    """1 − γ(z). That of a sigmoid is σ(−z): the difference cancels where the gate is near 1."""
    if functions.get("gate", "sigmoid") == "sigmoid":
        return sigmoid(-z)
    return 1 - _functions(functions)[2](z)


STEPS = {"simple": (_simple, _simple_vjp), "lstm": (_lstm, _lstm_vjp), "gru": (_gru, _gru_vjp)}
