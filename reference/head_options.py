"""Multi-head attention with a further key, a gate, a norm, separate values, and its weights as a result.

Formula
    Q, K, V = X W^Q, Z W^K, R W^V, head by head, with shifts b;  Q and K may pass a layer norm over the head
    K and V may get one more row: k and v, which are trained, or zeros
    A = softmax(Q Kᵀ / √d), Y = [(A V) ∘ G] W^O,  G = σ(X W^G + b_G)
Shapes
    x : (b, t, c)    the sequence of the queries
    z : (b, s, c)    that of the keys, x if not given
    r : (b, s, c)    that of the values, z if not given
    heads : the weights: as in multi_head_attention.py, and those that are named here
    k : (h, d)    a key that every query sees, with its value
    v : (h, d)
    W_G : (c, h, d)    the gate
    b_G : (h, d)
    norm_Q : (d,)    the scale of a norm, norm_K alike
    mask : (b, 1, t, s)    boolean, True where attention is allowed; any shape that broadcasts
    query_mask : (b, t)    boolean, False for queries that see nothing; value_mask and key_mask : (b, s)
    y : (b, t, c)
    A : (b, h, t, s)    or (b, t, s) if averaged
Source
    Vaswani et al. 2017, section 3.2.2. arXiv:1706.03762. Dehghani et al. 2023, section 2 (the norm).
    arXiv:2302.05442. Qiu et al. 2025, section 2.2 (the gate). arXiv:2505.06708
Choices
    Every query sees the further keys: first k, then the zeros. `window` lets it see keys less than that many
    places away.
    A query that sees nothing has equal weights, as in Keras.
    The norm has no shift and ε = 1e-6, Flax's.
    Conditioning of head-options/*b_K up to 9e8: b_K moves all scores of a query alike
    (multi_head_attention.py).
    Conditioning of head-options/* up to 16: the weights of the keys in dQ add up to zero, so that what the
    keys have in common cancels.
"""

import math

import numpy as np

from reference.activation import sigmoid, sigmoid_vjp, softmax, softmax_vjp
from reference.linear import linear, linear_vjp
from reference.normalization import layer_norm, layer_norm_vjp


def head_options(
    x, heads, z=None, r=None, mask=None, query_mask=None, value_mask=None, key_mask=None, *, zero=False,
    causal=False, window=None, scores="",
):  # fmt: skip
    """Y, or {"y", "A"} with scores that are "each" or "averaged"."""
    Q, K, V, _ = _rows(x, z, r, heads, zero)
    seen = _seen(Q, K, mask, query_mask, value_mask, key_mask, causal, window, heads, zero)
    A = softmax(_scores(Q, K, seen))
    y = linear(_gated(_merge(A @ V), x, heads), *_matrix(heads, "O"))
    if not scores:
        return y
    return {"y": y, "A": A.mean(axis=1) if scores == "averaged" else A}


def head_options_vjp(
    dy, x, heads, z=None, r=None, mask=None, query_mask=None, value_mask=None, key_mask=None, *, zero=False,
    causal=False, window=None, scores="",
):  # fmt: skip
    """Backwards through W^O, the gate, the attention, the further rows, the norms and the projections."""
    Q, K, V, projected = _rows(x, z, r, heads, zero)
    h, d = heads["W_Q"].shape[1:]
    seen = _seen(Q, K, mask, query_mask, value_mask, key_mask, causal, window, heads, zero)
    S = _scores(Q, K, seen)
    A, dA = softmax(S), 0
    if scores:
        dy, dA = dy["y"], dy["A"] if scores == "each" else dy["A"][:, None] * (1 / h)
    Y = _merge(A @ V)
    out = linear_vjp(dy, _gated(Y, x, heads), *_matrix(heads, "O"))
    grads, sums, dx = {}, {"O": out}, 0
    if "W_G" in heads:
        g = linear(x, *_matrix(heads, "G"))
        sums["G"] = linear_vjp(sigmoid_vjp(out["x"] * Y, g)["x"], x, *_matrix(heads, "G"))
        dx, dY = sums["G"]["x"], out["x"] * sigmoid(g)
    else:
        dY = out["x"]
    dY = _split(dY, h)
    dS = softmax_vjp(dY @ np.swapaxes(V, -1, -2) + dA, S)["x"]
    dS = (dS if seen is None else np.where(seen, dS, 0)) / math.sqrt(d)
    back = {"Q": dS @ K, "K": np.swapaxes(dS, -1, -2) @ Q, "V": np.swapaxes(A, -1, -2) @ dY}
    if "k" in heads:
        s = projected["K"].shape[2]
        grads |= {name.lower(): back[name][:, :, s].sum(axis=0) for name in "KV"}
    for name in "QKV":
        g = back[name][:, :, : projected[name].shape[2]]
        if f"norm_{name}" in heads:
            normed = layer_norm_vjp(g, projected[name], heads[f"norm_{name}"], eps=1e-6)
            grads[f"norm_{name}"], g = normed["gamma"], normed["x"]
        sums[name] = linear_vjp(_merge(g), _of(name, x, z, r), *_matrix(heads, name))
    for path, array in heads.items():
        if path[0] in "Wb":
            grads[path] = sums[path[-1]][path[0]].reshape(array.shape)
    return _inputs(dx + sums["Q"]["x"], sums["K"]["x"], sums["V"]["x"], z, r) | {"heads": grads}


def _inputs(dq, dk, dv, z, r):
    """The gradients of the sequences that are given."""
    if z is None:
        return {"x": dq + dk + dv}
    return {"x": dq, "z": dk + dv} if r is None else {"x": dq, "z": dk, "r": dv}


def _of(name, x, z, r):
    """The sequence that a projection reads."""
    if name == "Q" or z is None:
        return x
    return z if name == "K" or r is None else r


def _rows(x, z, r, heads, zero):
    """Q, and K and V with their further rows; and the three before norms and rows: (b, h, t, d)."""
    h = heads["W_Q"].shape[1]
    first = {name: _split(linear(_of(name, x, z, r), *_matrix(heads, name)), h) for name in "QKV"}
    found = []
    for name, rows in first.items():
        if f"norm_{name}" in heads:
            rows = layer_norm(rows, heads[f"norm_{name}"], eps=1e-6)
        more = [] if name == "Q" or "k" not in heads else [heads[name.lower()]]
        more += [np.zeros_like(rows[0, :, 0])] if zero and name != "Q" else []
        wide = [np.broadcast_to(row[:, None], (*rows.shape[:2], 1, row.shape[-1])) for row in more]
        found.append(np.concatenate([rows, *wide], axis=2) if wide else rows)
    return *found, first


def _scores(Q, K, seen):
    S = Q @ np.swapaxes(K, -1, -2) / math.sqrt(Q.shape[-1])
    if seen is None:
        return S
    return np.where(seen.any(axis=-1, keepdims=True), np.where(seen, S, -math.inf), 0.0)


def _seen(Q, K, mask, query_mask, value_mask, key_mask, causal, window, heads, zero):
    """Which keys each query sees, or None if all."""
    t, s = Q.shape[2], K.shape[2] - ("k" in heads) - zero
    parts = [mask] if mask is not None else []
    parts += [query_mask[:, None, :, None]] if query_mask is not None else []
    parts += [keys[:, None, None] for keys in (value_mask, key_mask) if keys is not None]
    i, j = np.arange(t)[:, None], np.arange(s)
    parts += [j <= i] if causal else []
    parts += [abs(i - j) < window] if window else []
    if not parts:
        return None
    seen = np.logical_and.reduce(np.broadcast_arrays(np.ones((1, 1, t, s), bool), *parts))
    more = np.ones((*seen.shape[:-1], K.shape[2] - s), bool)
    return np.concatenate([seen, more], axis=-1)


def _gated(Y, x, heads):
    return Y * sigmoid(linear(x, *_matrix(heads, "G"))) if "W_G" in heads else Y


def _matrix(heads, name):
    """W and b of a projection, with the axes of heads and width merged."""
    W, b = heads[f"W_{name}"], heads[f"b_{name}"]
    return (W.reshape(-1, W.shape[-1]), b) if name == "O" else (W.reshape(len(W), -1), b.reshape(-1))


def _split(y, h):
    b, t, width = y.shape
    return np.swapaxes(y.reshape(b, t, h, width // h), 1, 2)  # (b, h, t, d)


def _merge(Y):
    b, h, t, d = Y.shape
    return np.swapaxes(Y, 1, 2).reshape(b, t, h * d)
