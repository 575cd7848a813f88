"""A step with all that stands around it, in each framework: the keyword `around` of the options.

Each framework has its own words. torch: arguments of the optimiser, functions of torch.nn.utils, several
backward calls. Keras: arguments of the optimiser. optax: a chain of transformations, MultiSteps.
"""

import numpy as np

from gaugeblock import Training, require
from suites.gradient_descent import flax_names, keras_loop, optax_loop, torch_loop, torch_names

VALUE, NORM, EACH = (
    {"clip": "value", "most": 0.03},
    {"clip": "norm", "most": 0.3},
    {"clip": "each", "most": 0.1},
)
CLIPS = {"value": VALUE, "norm": NORM, "each": EACH, "epsilon": NORM | {"added": 1e-6}}
AVERAGES = {"kept": {"average": 0.9}, "taken": {"average": 0.9, "every": 3}}


def around(*, clip="", average="", **words):
    """The keyword `around` from words of an option: `maximize`, `coupled`, `decay`, `scale`, `micro`."""
    numbers = {"coupled": 0.1, "decay": 0.1, "scale": 1024.0, "micro": 3}
    found = {word: numbers.get(word, True) for word, given in words.items() if given}
    return found | CLIPS.get(clip, {}) | AVERAGES.get(average, {})


def lacking(options, reasons=None, *, needs=None):
    """The options that have a word of `reasons`, or lack one of `needs`, each with the first reason.

    Words are keywords and the values of those that take a string.
    """
    found = {}
    for name, option in options.items():
        given = {word: value for word, value in (option | option.get("around", {})).items() if value}
        words = {*given, *(value for value in given.values() if isinstance(value, str))}
        why = [reason for word, reason in (reasons or {}).items() if word in words]
        why += [reason for word, reason in (needs or {}).items() if word not in words]
        if why:
            found[name] = why[0]
    return found


def batches(x, y, micro):
    return [(x[i], y[i]) for i in range(micro)]


def in_torch(weights, optimizer, state, *, micro=1, clip="", most=0.0, **_):
    import torch

    functions = {"": None, "value": torch.nn.utils.clip_grad_value_, "norm": torch.nn.utils.clip_grad_norm_}
    clipping = functions[clip] and (lambda parameters: functions[clip](parameters, most))
    if micro == 1:
        return torch_loop(weights, optimizer, state=state, clip=clipping)
    model = torch.nn.Linear(*weights["W"].shape)
    optimizer = optimizer(model.parameters())

    def step(x, y):
        optimizer.zero_grad()
        losses = []
        for x_i, y_i in batches(x, y, micro):
            loss = torch.nn.functional.mse_loss(model(x_i), y_i) / micro
            loss.backward()
            losses.append(loss.detach())
        if clipping:
            clipping(model.parameters())
        optimizer.step()
        return sum(losses)

    return Training(torch_names(weights), state, step, live=(model, optimizer))


def torch_words(*, maximize=False, coupled=0.0, **_):
    """The arguments that all optimisers of torch have."""
    return {"maximize": maximize, "weight_decay": coupled}


def keras_words(*, clip="", most=None, decay=None, average=0.0, every=None, scale=None, micro=None, **_):
    """The arguments that all optimisers of Keras have."""
    argument = {"value": "clipvalue", "each": "clipnorm", "norm": "global_clipnorm"}
    ema = {"use_ema": True, "ema_momentum": average, "ema_overwrite_frequency": every} if average else {}
    more = {"weight_decay": decay, "loss_scale_factor": scale, "gradient_accumulation_steps": micro}
    given = {name: value for name, value in more.items() if value is not None}
    return given | ema | ({argument[clip]: most} if clip else {})


def in_keras(weights, optimizer, state, slots, *, micro=1, scale=1.0, **_):
    """`slots` are the optimiser's own variables, after the averages and the sums of gradients."""
    import keras
    import tensorflow as tf

    averages = [state["average"][name] for name in ("W", "b")] if "average" in state else []
    empty = [np.zeros_like(weights[name]) for name in ("W", "b")] if micro > 1 else []
    moved = {"variables": averages + empty + slots}
    if counts := [state[each] for each in ("calls", "t") if each in state]:
        moved["iterations"] = counts[0]
    if micro == scale == 1:
        return keras_loop(weights, optimizer, state=moved)
    features, outputs = weights["W"].shape
    model = keras.Sequential([keras.Input((features,)), keras.layers.Dense(outputs)])
    loss_of = keras.losses.MeanSquaredError()

    def step(x, y):
        losses = []
        for x_i, y_i in batches(x, y, micro) if micro > 1 else [(x, y)]:
            with tf.GradientTape() as tape:
                loss = loss_of(y_i, model(x_i, training=True))
                scaled = optimizer.scale_loss(loss)
            gradients = tape.gradient(scaled, model.trainable_variables)
            optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))
            losses.append(loss)
        return sum(losses) / micro

    return Training([weights["W"], weights["b"]], moved, step, live=(model, optimizer))


def in_optax(weights, optimizer, state, *, micro=1, clip="", most=0.0, maximize=False, coupled=0.0, **_):
    """`state` is that of `optimizer`."""
    import flax
    import jax
    import optax

    before = []
    if clip:
        before.append({"value": optax.clip, "norm": optax.clip_by_global_norm}[clip](most))
    if maximize:
        before.append(optax.scale(-1.0))
    if coupled:
        before.append(optax.add_decayed_weights(coupled))
    transformation = optax.chain(*before, optimizer) if before else optimizer
    moved = (*[optax.EmptyState() for _ in before], state) if before else state
    if micro == 1:
        return optax_loop(weights, transformation, state=moved)
    require("optax.MultiSteps", "accumulator_dtype")
    model = flax.linen.Dense(weights["W"].shape[1])
    several = optax.MultiSteps(transformation, micro, accumulator_dtype=weights["W"].dtype)

    def loss_of(params, x, y):
        return optax.squared_error(model.apply({"params": params}, x), y).mean()

    def step(params, state, x, y):
        losses = []
        for x_i, y_i in batches(x, y, micro):
            loss, gradients = jax.value_and_grad(loss_of)(params, x_i, y_i)
            updates, state = several.update(gradients, state, params)
            params = optax.apply_updates(params, updates)
            losses.append(loss)
        return params, state, sum(losses) / micro

    count, empty = np.int32(0), jax.tree.map(np.zeros_like, flax_names(weights))
    return Training(flax_names(weights), optax.MultiStepsState(count, count, moved, empty), step)
