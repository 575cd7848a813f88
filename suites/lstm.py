"""The LSTM: one and two layers, both directions, every step and the last, carried states.

Convention: reference/lstm.py, gates in the order i, f, g, o; layers, directions and states as in
suites/rnn.py. Flax has one kernel per gate, and the bias with the recurrent kernel.
"""

from functools import partial

import numpy as np

from gaugeblock import Case, Contender, Headline, Refusal
from reference.lstm import lstm, lstm_vjp
from suites.rnn import BOTH, COMMON, REGIMES, draw, flops, in_flax, in_keras, in_torch

# keras.ops.add takes what has one axis above 1 for a bias: keras/src/backend/tensorflow/numpy.py:111 (3.15.1)
NO_EXAMPLES = Refusal("*", "LSTMCell.call()", size="batch:0+*")
STEEP = {"overflowing": "weights × 300: the exponentials of gates leave float32"}


def inputs(rng, *, carry=False, last=False, **keywords):
    weights, data, starts = draw(rng, 4, **keywords)
    return weights, data | ({"h0": starts[0], "c0": starts[1]} if carry else {})


def flax_gates(cell):
    """A cell's arrays by the names in flax.linen.LSTMCell and OptimizedLSTMCell."""
    params = {}
    for k, gate in enumerate("ifgo"):
        W, U, b = (np.split(cell[name], 4, axis=-1)[k] for name in ("W", "U", "b"))
        params |= {f"i{gate}": {"kernel": W}, f"h{gate}": {"kernel": U, "bias": b}}
    return params


case = Case(
    name="lstm",
    title="Long short-term memory",
    reference=lstm,
    gradient=lstm_vjp,
    inputs=inputs,
    options={"plain": {}, "two-layers-carried-state": {"depth": 2, "carry": True}, **BOTH},
    rare=("saturated", "overflowing", "both-directions"),
    headlines=(
        Headline(
            "mission",
            "LSTM layer, 100 sequences of 100 steps, 200 units",
            "the layer of the LSTM model whose training is lstm-model's headline",
            growth=({"batch": 2}, {"batch": 6}, {"batch": 25}),
            gpu={"batch": 4096},
        ),
    ),
    contenders=(
        Contender("torch", "torch.nn.LSTM", partial(in_torch, "LSTM")),
        # without gradients and in eval mode, oneDNN and cuDNN take other kernels
        Contender(
            "torch",
            "torch.nn.LSTM",
            partial(in_torch, "LSTM", training=False),
            variant="inference",
            directions=("forward",),
        ),
        Contender("tensorflow", "keras.layers.LSTM", partial(in_keras, "LSTM"), refuses=[NO_EXAMPLES]),
        Contender("jax", "flax.linen.OptimizedLSTMCell", partial(in_flax, "OptimizedLSTMCell", flax_gates)),
        # in eager mode each call compiles its scan again, which the cell above already shows
        Contender("jax", "flax.linen.LSTMCell", partial(in_flax, "LSTMCell", flax_gates), modes=("jit",)),
    ),
    flops=partial(flops, 4),
    **COMMON | {"regimes": REGIMES | STEEP},
)
