"""The GRU: one and two layers, both directions, every step and the last, reset after or before.

Convention: reference/gru.py, batch first, gates in the order r, z, n; layers, directions and states as in
suites/rnn.py. torch and Keras have a recurrent bias for every gate; those of r and z are zero here. Keras has
both biases in one array (2, 3m), and the gates in the order z, r, n. Flax has this page's convention. Only
Keras has the reset before the product (reset_after=False).
"""

from functools import partial

import numpy as np

from gaugeblock import Case, Contender
from reference.gru import gru, gru_vjp
from suites.lstm import STEEP
from suites.rnn import BOTH, COMMON, REGIMES, draw, flops, in_flax, in_keras, in_torch


def inputs(rng, *, carry=False, last=False, reset_after=True, **keywords):
    weights, data, starts = draw(rng, 3, **keywords)
    for cell in (cell for layer in weights["layers"] for cell in layer):
        if reset_after and "b" in cell:
            cell["c"] = rng.uniform(-1, 1, len(cell["U"])) * np.abs(cell["b"]).max()
    return weights, data | ({"h0": starts[0]} if carry else {})


def widened(cell):
    """The recurrent bias of all three gates, as in torch and Keras."""
    if "c" not in cell:
        return cell
    zeros = np.zeros_like(cell["b"])[: -len(cell["c"])]
    return cell | {"c": np.concatenate([zeros, cell["c"]])}


def keras_names(cell):
    """The gates in the order z, r, n, and both biases in one array."""
    cell = widened(cell)
    r, z, n = np.split(np.arange(len(cell["U"]) * 3), 3)
    turned = {name: array[..., np.concatenate([z, r, n])] for name, array in cell.items()}
    biases = [turned[name] for name in "bc" if name in turned]
    kernels = {"W": turned["W"], "U": turned["U"]}
    return kernels | ({"b": np.stack(biases) if len(biases) == 2 else biases[0]} if biases else {})


def flax_names(cell):
    cell = {"c": np.zeros_like(cell["b"])[: len(cell["U"])], **cell}
    params = {}
    for k, gate in enumerate("rzn"):
        W, U, b = (np.split(cell[name], 3, axis=-1)[k] for name in ("W", "U", "b"))
        params |= {f"i{gate}": {"kernel": W, "bias": b}, f"h{gate}": {"kernel": U}}
    params["hn"]["bias"] = cell["c"]
    return params


def each(change, weights):
    return {"layers": [[change(cell) for cell in layer] for layer in weights["layers"]]}


def in_torch_gru(weights, **option):
    return in_torch("GRU", each(widened, weights), **option)


def in_keras_gru(weights, *, reset_after=True, **option):
    return in_keras("GRU", each(keras_names, weights), reset_after=reset_after, **option)


BEFORE = {
    "reset-before": {"reset_after": False},
    "reset-before-two-layers": {"reset_after": False, "depth": 2, "directions": 2, "last": True},
}
WITHOUT = dict.fromkeys(BEFORE, "resets after the product with the state")

case = Case(
    name="gru",
    title="Gated recurrent unit",
    reference=gru,
    gradient=gru_vjp,
    inputs=inputs,
    options={"plain": {}, "two-layers-carried-state": {"depth": 2, "carry": True}, **BOTH, **BEFORE},
    rare=("overflowing",),
    minor=True,
    contenders=(
        Contender("torch", "torch.nn.GRU", in_torch_gru, without=WITHOUT),
        Contender("tensorflow", "keras.layers.GRU", in_keras_gru),
        Contender("jax", "flax.linen.GRUCell", partial(in_flax, "GRUCell", flax_names), without=WITHOUT),
    ),
    flops=partial(flops, 3),
    **COMMON | {"regimes": REGIMES | STEEP},
)
