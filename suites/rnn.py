"""The simple RNN: one and two layers, both directions, every step and the last, carried states.

Convention: reference/recurrent.py. Batch first, one bias, weights stored (inputs, outputs), as in Keras.
torch stores weights transposed and has a second bias, which is zero here. Flax has one kernel per gate, and
the bias of its SimpleCell with the input kernel; it cannot leave the bias out, so that one gets zeros. "last"
is the final state of each direction: Keras without return_sequences, torch's h_n (its y[:, -1] has only one
step backward), Flax's carry. The page is long because the pages lstm and gru use its builds.
"""

from functools import partial

import numpy as np

from gaugeblock import Case, Contender
from reference.rnn import rnn, rnn_vjp

REGIMES = {
    "typical": "weights uniform in ±1/√hidden, as torch draws them; inputs normal",
    "saturated": "weights × 30: gates at 0 or 1, tanh at ±1, where 1 - s cancels",
}


def draw(rng, gates, *, batch, time, features, hidden, depth=1, directions=1, bias=True, regime="typical"):
    size = {"saturated": 30, "overflowing": 300}.get(regime, 1) / np.sqrt(hidden)
    layers = []
    for level in range(depth):
        width = hidden * directions if level else features
        shapes = {"W": (width, gates * hidden), "U": (hidden, gates * hidden)}
        shapes |= {"b": (gates * hidden,)} if bias else {}
        layers.append(
            [{k: rng.uniform(-size, size, s) for k, s in shapes.items()} for _ in range(directions)]
        )
    starts = rng.standard_normal((2, depth * directions, batch, hidden))
    return {"layers": layers}, {"x": rng.standard_normal((batch, time, features))}, starts


def inputs(rng, *, carry=False, last=False, activation="tanh", **keywords):
    weights, data, starts = draw(rng, 1, **keywords)
    return weights, data | ({"h0": starts[0]} if carry else {})


def torch_names(layers):
    """The cells' arrays by the names in torch.nn.RNN, LSTM and GRU."""
    params = {}
    for n, layer in enumerate(layers):
        for cell, way in zip(layer, ("", "_reverse"), strict=False):
            params |= {f"weight_ih_l{n}{way}": cell["W"].T, f"weight_hh_l{n}{way}": cell["U"].T}
            if "b" in cell:
                second = cell["c"] if "c" in cell else np.zeros_like(cell["b"])
                params |= {f"bias_ih_l{n}{way}": cell["b"], f"bias_hh_l{n}{way}": second}
    return params


def in_torch(name, weights, *, activation="tanh", last=False, training=True, **option):
    import torch

    layers, params = weights["layers"], torch_names(weights["layers"])
    cell, sides = layers[0][0], len(layers[0])
    how = {"bias": "b" in cell, "batch_first": True, "bidirectional": sides == 2}
    how |= {"nonlinearity": activation} if name == "RNN" else {}
    module = getattr(torch.nn, name)(len(cell["W"]), len(cell["U"]), len(layers), **how).train(training)

    def run(params, x, h0=None, c0=None):
        start = (h0, c0) if name == "LSTM" else h0
        y, ends = torch.func.functional_call(module, params, (x,) if h0 is None else (x, start))
        h, *c = ends if name == "LSTM" else (ends,)
        y = torch.cat(tuple(h[-sides:]), -1) if last else y
        return {"y": y} | ({} if h0 is None else dict(zip("hc", (h, *c), strict=False)))

    return params, run


def in_keras(name, weights, *, activation="tanh", last=False, carry=False, **own):
    import keras

    layers, stack, params = weights["layers"], [], []
    own = {keyword: own[keyword] for keyword in ("reset_after",) if keyword in own}
    for n, directions in enumerate(layers):
        cell, every = directions[0], not (last and n == len(layers) - 1)
        how = {"use_bias": "b" in cell, "return_sequences": every, "return_state": carry, **own}
        layer = getattr(keras.layers, name)(len(cell["U"]), activation=activation, **how)
        layer = keras.layers.Bidirectional(layer) if len(directions) == 2 else layer
        layer.build((None, None, len(cell["W"])))
        stack.append(layer)
        params.append([array for cell in directions for array in cell.values()])

    def run(params, x, h0=None, c0=None):
        starts, ends = [start for start in (h0, c0) if start is not None], []
        for n, layer in enumerate(stack):
            start = {"initial_state": [start[n] for start in starts]} if starts else {}
            x, _ = layer.stateless_call(params[n], layer.non_trainable_variables, x, **start)
            x, *end = x if starts else [x]
            ends.append(end)
        return {"y": x} | {k: keras.ops.stack(parts) for k, *parts in zip("hc", *ends, strict=False)}

    return params, run


def flax_names(cell):
    return {"i": {"kernel": cell["W"], "bias": cell["b"]}, "h": {"kernel": cell["U"]}}


def in_flax(name, names, weights, *, activation="tanh", last=False, **option):
    """A build for Flax; `names` returns a cell's arrays by Flax's names; only LSTM cells have two states."""
    import flax.linen
    import jax.numpy as jnp

    layers, two = weights["layers"], "LSTM" in name
    both = len(layers[0]) == 2
    how = {"activation_fn": getattr(flax.linen, activation)} if name == "SimpleCell" else {}
    how |= {"param_dtype": layers[0][0]["W"].dtype}
    stack, params = [], []
    for directions in layers:
        cells = [getattr(flax.linen, name)(len(cell["U"]), **how) for cell in directions]
        sides = [flax.linen.RNN(cell, return_carry=True) for cell in cells]
        given = [{"cell": names({"b": np.zeros_like(cell["U"][0]), **cell})} for cell in directions]
        stack.append(flax.linen.Bidirectional(*sides, return_carry=True) if both else sides[0])
        params.append({"forward_rnn": given[0], "backward_rnn": given[1]} if both else given[0])

    def run(params, x, h0=None, c0=None):
        ends = []  # (h, c) of each direction, layer after layer
        for n, layer in enumerate(stack):
            start = None if h0 is None else (c0[n], h0[n]) if two else h0[n]
            carry, x = layer.apply({"params": params[n]}, x, initial_carry=start)
            carries = carry if both else [carry]
            ends += [end[::-1] if two else (end,) for end in carries]
        y = jnp.concatenate([h for h, *_ in ends[-len(layers[0]) :]], -1) if last else x
        given = {} if h0 is None else {k: jnp.stack(p) for k, *p in zip("hc", *ends, strict=False)}
        return {"y": y} | given

    return params, run


SIZES = {
    "small": {"batch": 3, "time": 7, "features": 5, "hidden": 6},
    "mission": {"batch": 100, "time": 100, "features": 10, "hidden": 200},
    "long": {"batch": 8, "time": 512, "features": 16, "hidden": 32},
}


def flops(gates, *, batch, time, features, hidden, depth=1, directions=1, **_):
    """Flops of the two matrix products; those of the gates are of lower order."""
    widths = [features] + [hidden * directions] * (depth - 1)
    return sum(2 * batch * time * directions * gates * hidden * (width + hidden) for width in widths)


COMMON = {
    "sizes": SIZES,
    "regimes": REGIMES,
    "items": lambda *, batch, time, **_: batch * time,
    "unit": "timesteps",
}
BOTH = {
    "both-directions": {"directions": 2},
    "last-both-directions": {"depth": 2, "directions": 2, "last": True, "bias": False},
}

case = Case(
    name="rnn",
    title="Simple recurrent network",
    reference=rnn,
    gradient=rnn_vjp,
    inputs=inputs,
    options={"plain": {}, "relu-carried-state": {"activation": "relu", "depth": 2, "carry": True}, **BOTH},
    rare=("saturated", "both-directions", "relu-carried-state"),
    contenders=(
        Contender("torch", "torch.nn.RNN", partial(in_torch, "RNN")),
        Contender("tensorflow", "keras.layers.SimpleRNN", partial(in_keras, "SimpleRNN")),
        Contender("jax", "flax.linen.SimpleCell", partial(in_flax, "SimpleCell", flax_names)),
    ),
    flops=partial(flops, 1),
    **COMMON,
)
