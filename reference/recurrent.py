"""Parts shared by recurrent layers: a step scanned over a sequence, stacked, and run in both directions.

Formula
    s_t = scan(x_t, s_{t-1})    the state s = (h, …) of a layer; gru.py has its own scan
    z_t = x_t W + h_{t-1} U + b [+ c],  s_t = step(z_t, s_{t-1})    in rnn.py and lstm.py
    a second direction reads t = T … 1 with its own weights: y_t = [h_t forward, h_t backward]
    a further layer reads y of the layer below
Shapes
    x : (b, t, d)    a batch of sequences
    h0 : (r, b, m)    initial states, r = layers × directions, layer by layer; zeros if None
Source
    Elman 1990. Schuster and Paliwal 1997 (both directions).
Choices
    `layers` has for each layer the list of its directions' {"W": (d, k m), "U": (m, k m), "b": (k m,)}
    with k gates; "b" is optional. torch has a second bias, "c", which is added to b: an optimiser that trains
    both moves their sum twice as far.
    Weights are stored (inputs, outputs), as in linear.py; torch stores the transpose.
    `last` gives the final state of each direction; backward, that is at t = 1 (unlike torch's y[:, -1]).
    With initial states, the final states are returned too: {"y", "h", …}, in the layout of h0.
"""

from functools import reduce

import numpy as np


def stack(scan, x, layers, given, last):
    """y, or {"y", "h", …} if the states `given` = {"h0": …} are arrays."""
    runs, y = _run(scan, x, layers, given)
    m = layers[0][0]["U"].shape[0]
    y = np.concatenate([y[:, -1, :m], y[:, 0, m:]], axis=-1) if last else y  # (b, m directions)
    if given["h0"] is None:
        return y
    ends = zip(*(states[-1] for *_, states in runs), strict=True)
    return {"y": y} | {name[0]: np.stack(parts) for name, parts in zip(given, ends, strict=True)}


def stack_vjp(scan, scan_vjp, dy, x, layers, given, last):
    """From the last layer to the first, each direction from its end to its beginning."""
    runs, y = _run(scan, x, layers, given)
    m, r = layers[0][0]["U"].shape[0], len(runs)
    if isinstance(dy, dict):
        dy, dends = dy["y"], [dy[name[0]] for name in given]
    else:
        dends = [np.zeros_like(x, shape=(r, len(x), m)) for _ in given]
    if last:
        dh, dy = dy, np.zeros_like(y)
        dy[:, -1, :m], dy[:, 0, m:] = dh[:, :m], dh[:, m:]
    dlayers, dstarts = [], []
    for layer in reversed(layers):
        r, parts, dcells, ends = r - len(layer), [], [], []
        for k, cell in enumerate(layer):
            dh, dend = _turn(dy[..., k * m : (k + 1) * m], k), tuple(d[r + k] for d in dends)
            dx, dcell, dstart = scan_vjp(dh, dend, *runs[r + k], **cell)
            parts.append(_turn(dx, k))
            dcells.append(dcell)
            ends.append(dstart)
        dy, dlayers, dstarts = reduce(np.add, parts), [dcells, *dlayers], ends + dstarts
    grads = {"x": dy, "layers": dlayers}
    if given["h0"] is not None:
        grads |= {
            name: np.stack(parts) for name, parts in zip(given, zip(*dstarts, strict=True), strict=True)
        }
    return grads


def _run(scan, x, layers, given):
    """The inputs and results of `scan` in every layer and direction, and the output of every step."""
    runs, y = [], x
    m, r = layers[0][0]["U"].shape[0], sum(map(len, layers))
    start = [np.zeros_like(x, shape=(r, len(x), m)) if s is None else s for s in given.values()]
    for layer in layers:
        sides = []
        for k, cell in enumerate(layer):
            turned, state = _turn(y, k), tuple(s[len(runs)] for s in start)
            runs.append((turned, *scan(turned, state, **cell)))
            sides.append(_turn(np.stack([h for h, *_ in runs[-1][2][1:]], axis=1), k))
        y = np.concatenate(sides, axis=-1)  # (b, t, m directions)
    return runs, y


def scan(step, x, state, W, U, b=None, c=None):
    """One layer in one direction: z of every step, and the states before, between and after them."""
    zx = x @ W if b is None else x @ W + b  # (b, t, km)
    zs, states = [], [state]
    for t in range(x.shape[1]):
        zh = states[t][0] @ U if c is None else states[t][0] @ U + c
        zs.append(zx[:, t] + zh)  # (b, km)
        states.append(step(zs[t], *states[t]))
    return zs, states


def scan_vjp(step_vjp, dh, dstate, x, zs, states, W, U, **biases):
    """h_t gets dh_t and, from the next step, dz_{t+1} Uᵀ; every step adds to dW, dU and db."""
    dzs = []
    for t in reversed(range(x.shape[1])):
        dz, *rest = step_vjp(dh[:, t] + dstate[0], *dstate[1:], zs[t], *states[t])
        dzs.append(dz)
        dstate = (dz @ U.T, *rest)
    dz = np.stack(dzs[::-1], axis=1)  # (b, t, km)
    flat = dz.reshape(-1, dz.shape[-1])  # (bt, km)
    h = np.stack([before for before, *_ in states[:-1]], axis=1)  # (b, t, m)
    dcell = {"W": x.reshape(-1, x.shape[-1]).T @ flat, "U": h.reshape(-1, h.shape[-1]).T @ flat}
    return dz @ W.T, dcell | {name: flat.sum(axis=0) for name in biases}, dstate


def _turn(x, k):
    """The steps in reverse order for direction 1."""
    return x[:, ::-1] if k else x
