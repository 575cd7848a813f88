"""Recurrent layers with further arguments: reference/recurrent_options.py against each framework's.

Keras's layers take a mask of steps, may read backwards, and have activations as arguments, as Flax's cells
do. torch's LSTM may project its state, and Flax's simple cell has a residual. One layer and one direction;
see suites/rnn.py, suites/lstm.py and suites/gru.py for more of them.
"""

from functools import partial

import numpy as np

from gaugeblock import Case, Contender, Option
from reference.recurrent_options import recurrent, recurrent_vjp
from suites.gru import flax_names as flax_gru
from suites.gru import keras_names as keras_gru
from suites.lstm import NO_EXAMPLES, flax_gates
from suites.rnn import flax_names

SIZES = {
    "small": {"batch": 3, "time": 7, "features": 5, "hidden": 6},
    "one-step": {"batch": 2, "time": 1, "features": 3, "hidden": 4},
    "long": {"batch": 4, "time": 128, "features": 16, "hidden": 32},
}
OPTIONS: dict[str, Option] = {
    "mask": {"masked": True},
    "mask-last": {"masked": True, "last": True},
    "mask-zeros": {"masked": True, "zero": True},
    "mask-backwards": {"masked": True, "back": True},
    "backwards": {"back": True},
    "backwards-last": {"back": True, "last": True},
    "activations": {"activation": "relu"},
    "activations-mask": {"activation": "sigmoid", "masked": True},
}
GATES = {"gates": {"gate": "tanh"}, "gates-activations": {"gate": "tanh", "activation": "sigmoid"}}
GATE_NUMBER = {"simple": 1, "lstm": 4, "gru": 3}


def inputs(rng, *, kind, batch, time, features, hidden, masked=False, projected=0, **option):
    if projected >= hidden:
        raise ValueError(f"projected is {projected}, should be less than hidden, {hidden}")
    gates, size = GATE_NUMBER[kind], hidden**-0.5
    shapes = {
        "W": (features, gates * hidden),
        "U": (projected or hidden, gates * hidden),
        "b": (gates * hidden,),
    }
    shapes |= {"P": (hidden, projected)} if projected else {}
    shapes |= {"c": (hidden,)} if kind == "gru" else {}
    weights = {name: rng.uniform(-size, size, shape) for name, shape in shapes.items()}
    data = {"x": rng.normal(size=(batch, time, features))}
    if masked:
        data["seen"] = rng.uniform(size=(batch, time)) < 0.6
        data["seen"][0] = np.arange(time) < time // 2  # a sequence that ends early
        data["seen"][1] = np.arange(time) % 3 != 1  # one with gaps, over which the state goes on
        data["seen"][-1, 0] = False
    return weights, data


def formula(kind):
    """The reference of a kind of layer, with the keywords of options alone."""

    def run(x, W, U, b, P=None, c=None, seen=None, *, last=False, back=False, zero=False,
            activation="tanh", gate="sigmoid", residual=False):  # fmt: skip
        how = {"activation": activation, "gate": gate, "residual": residual}
        return recurrent(x, W, U, b, P, c, seen, kind=kind, last=last, back=back, zero=zero, **how)

    run.__name__ = f"recurrent_{kind}"
    return run


def slope(kind):
    def run(dy, x, W, U, b, P=None, c=None, seen=None, *, last=False, back=False, zero=False,
            activation="tanh", gate="sigmoid", residual=False):  # fmt: skip
        how = {"activation": activation, "gate": gate, "residual": residual}
        return recurrent_vjp(dy, x, W, U, b, P, c, seen, kind=kind, last=last, back=back, zero=zero, **how)

    return run


# by their names, under which rows have them
recurrent_simple, recurrent_lstm, recurrent_gru = map(formula, ("simple", "lstm", "gru"))


def in_keras(
    name,
    weights,
    *,
    last=False,
    back=False,
    zero=False,
    activation="tanh",
    gate="sigmoid",
    late=False,
    **option,
):
    """If `late`, its first call builds the layer, as in a model that is called before it has its weights."""
    import keras

    cell = keras_gru(weights) if name == "GRU" else weights
    how = {"return_sequences": not last, "go_backwards": back, "zero_output_for_mask": zero}
    how |= {} if name == "SimpleRNN" else {"recurrent_activation": gate}
    layer = getattr(keras.layers, name)(len(weights["U"]), activation=activation, **how)
    if not late:
        layer.build((None, None, len(weights["W"])))

    def run(params, x, seen=None):
        if not layer.built:
            layer(x, mask=seen)
        y, _ = layer.stateless_call(params, layer.non_trainable_variables, x, mask=seen)
        return {"y": y}

    return [cell[name] for name in "WUb"], run


def in_flax(name, names, weights, *, activation="tanh", gate="sigmoid", last=False, back=False, **option):
    import flax.linen

    how = {"activation_fn": getattr(flax.linen, activation)}
    if name == "SimpleCell":
        how |= {"residual": option.get("residual", False)}
    else:
        how |= {"gate_fn": getattr(flax.linen, gate)}
    cell = getattr(flax.linen, name)(len(weights["U"]), param_dtype=weights["W"].dtype, **how)
    layer = flax.linen.RNN(cell, reverse=back)

    def run(params, x):
        y = layer.apply({"params": {"cell": params}}, x)
        return {"y": y[:, -1] if last else y}

    return names(weights), run


def in_torch(weights, *, last=False, **option):
    import torch

    p, m = len(weights["U"]), weights["U"].shape[1] // 4
    module = torch.nn.LSTM(len(weights["W"]), m, batch_first=True, proj_size=p if p < m else 0)
    params = {"weight_ih_l0": weights["W"].T, "weight_hh_l0": weights["U"].T, "bias_ih_l0": weights["b"]}
    params |= {"bias_hh_l0": np.zeros_like(weights["b"])}
    params |= {"weight_hr_l0": weights["P"].T} if "P" in weights else {}

    def run(params, x):
        y, _ = torch.func.functional_call(module, params, (x,))
        return {"y": y[:, -1] if last else y}

    return params, run


def lacking(options, *has):
    reasons = {
        "masked": "takes no mask of steps",
        "zero": "takes no mask of steps",
        "back": "reads forwards",
        "activation": "has these activations",
        "gate": "has these activations",
        "projected": "does not project its state",
        "residual": "has no residual",
    }
    return {
        name: reasons[key]
        for name, how in options.items()
        for key in how
        if key in reasons and key not in has
    }


KERAS = ("masked", "zero", "back", "activation", "gate")
FLAX = ("back", "activation", "gate", "residual")
RESIDUAL = {"residual": {"residual": True}, "residual-activations": {"residual": True, "activation": "relu"}}
PROJECTED = {"projection": {"projected": 3}, "projection-last": {"projected": 3, "last": True}}


def case(kind, reference, title, options, contenders):
    def drawn(rng, **given):
        return inputs(rng, kind=kind, **given)

    return Case(
        name=f"recurrent-{kind}",
        title=title,
        reference=reference,
        gradient=slope(kind),
        inputs=drawn,
        sizes=SIZES,
        options=options,
        minor=True,
        contenders=contenders,
        items=lambda *, batch, time, **_: batch * time,
        unit="timesteps",
        flops=lambda *, batch, time, features, hidden, **_: (
            2 * batch * time * GATE_NUMBER[kind] * hidden * (features + hidden)
        ),
    )


SIMPLE, LONG, GATED = OPTIONS | RESIDUAL, OPTIONS | GATES | PROJECTED, OPTIONS | GATES

cases = (
    case(
        "simple",
        recurrent_simple,
        "Simple recurrent network with further arguments",
        SIMPLE,
        (
            Contender(
                "tensorflow",
                "keras.layers.SimpleRNN",
                partial(in_keras, "SimpleRNN"),
                lacking(SIMPLE, *KERAS),
            ),
            Contender(
                "jax",
                "flax.linen.SimpleCell",
                partial(in_flax, "SimpleCell", flax_names),
                lacking(SIMPLE, *FLAX),
            ),
        ),
    ),
    case(
        "lstm",
        recurrent_lstm,
        "LSTM with further arguments",
        LONG,
        (
            Contender("torch", "torch.nn.LSTM", in_torch, lacking(LONG, "projected")),
            Contender(
                "tensorflow",
                "keras.layers.LSTM",
                partial(in_keras, "LSTM"),
                lacking(LONG, *KERAS),
                refuses=[NO_EXAMPLES],
            ),
            Contender(
                "tensorflow",
                "keras.layers.LSTM",
                partial(in_keras, "LSTM", late=True),
                lacking(LONG, *KERAS),
                refuses=[NO_EXAMPLES],
                modes=("function", "xla"),
                variant="built-by-its-call",
            ),
            Contender(
                "jax",
                "flax.linen.OptimizedLSTMCell",
                partial(in_flax, "OptimizedLSTMCell", flax_gates),
                lacking(LONG, *FLAX),
            ),
            Contender(
                "jax", "flax.linen.LSTMCell", partial(in_flax, "LSTMCell", flax_gates), lacking(LONG, *FLAX)
            ),
        ),
    ),
    case(
        "gru",
        recurrent_gru,
        "GRU with further arguments",
        GATED,
        (
            Contender("tensorflow", "keras.layers.GRU", partial(in_keras, "GRU"), lacking(GATED, *KERAS)),
            Contender(
                "tensorflow",
                "keras.layers.GRU",
                partial(in_keras, "GRU", late=True),
                lacking(GATED, *KERAS),
                modes=("function", "xla"),
                variant="built-by-its-call",
            ),
            Contender(
                "jax", "flax.linen.GRUCell", partial(in_flax, "GRUCell", flax_gru), lacking(GATED, *FLAX)
            ),
        ),
    ),
)
