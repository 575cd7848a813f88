"""The LSTM model: two LSTM layers, a linear layer on the last step, mean squared error, Adam at 0.001.

Each framework runs the loop that its users write. There are three conventions, each an option: torch trains
two biases per gate, so that their sum moves twice as far ("adam-two-biases"; in "adam" its second bias is
zero and frozen); Keras adds epsilon to the uncorrected root ("adam-epsilon-hat"). Ten steps are judged, each
on its own batch, from the reference's weights and state. The page is long because it has three models with
their loops.
"""

import numpy as np

from gaugeblock import Case, Contender, Headline, Training
from reference.lstm_model import lstm_model, start, step
from suites.lstm import flax_gates
from suites.rnn import torch_names


def inputs(rng, *, batch, time, features, hidden, outputs, steps, biases=1, **option):
    """Weights from torch's distribution, and a learnable target: mixed means over time, plus noise."""
    size, layers = 1 / np.sqrt(hidden), []
    for width in (features, hidden):
        shapes = {"W": (width, 4 * hidden), "U": (hidden, 4 * hidden), "b": (4 * hidden,), "c": (4 * hidden,)}
        cell = {name: rng.uniform(-size, size, shape) for name, shape in shapes.items()}
        layers.append([cell if biases == 2 else {name: cell[name] for name in "WUb"}])
    head = {
        name: rng.uniform(-size, size, shape) for name, shape in (("W", (hidden, outputs)), ("b", outputs))
    }
    x = rng.standard_normal((steps, batch, time, features))
    mixed = np.sqrt(time / features) * x.mean(axis=2) @ rng.standard_normal((features, outputs))
    y = mixed + 0.1 * rng.standard_normal(mixed.shape)
    return {"layers": layers, "head": head}, {"x": x, "y": y}


def torch_tree(tree):
    lstm = {f"lstm.{name}": array for name, array in torch_names(tree["layers"]).items()}
    return lstm | {"linear.weight": tree["head"]["W"].T, "linear.bias": tree["head"]["b"]}


def in_torch(weights, state, *, lr, eps, biases=1):
    import torch

    cell, head = weights["layers"][0][0], weights["head"]

    class Model(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.lstm = torch.nn.LSTM(len(cell["W"]), len(cell["U"]), num_layers=2, batch_first=True)
            self.linear = torch.nn.Linear(*head["W"].shape)

        def forward(self, x):
            y, _ = self.lstm(x)
            return self.linear(y[:, -1])

    model, criterion = Model(), torch.nn.MSELoss()
    if biases == 1:
        for layer in range(2):
            getattr(model.lstm, f"bias_hh_l{layer}").requires_grad_(False)
    optimizer = torch.optim.Adam(model.parameters(), lr=lr, eps=eps)

    def step(x, y):
        optimizer.zero_grad()
        loss = criterion(model(x), y)
        loss.backward()
        optimizer.step()
        return loss

    moments = {"exp_avg": torch_tree(state["m"]), "exp_avg_sq": torch_tree(state["v"]), "step": state["t"]}
    return Training(torch_tree(weights), moments, step, live=(model, optimizer), predict=model)


def keras_list(tree):
    arrays = [array for (cell,) in tree["layers"] for array in (cell["W"], cell["U"], cell["b"])]
    return [*arrays, tree["head"]["W"], tree["head"]["b"]]


def in_keras(weights, state, *, lr, eps, **option):
    import keras
    import tensorflow as tf

    cell, head = weights["layers"][0][0], weights["head"]
    model = keras.Sequential(
        [
            keras.Input((None, len(cell["W"]))),
            keras.layers.LSTM(len(cell["U"]), return_sequences=True),
            keras.layers.LSTM(len(cell["U"])),
            keras.layers.Dense(len(head["b"])),
        ]
    )
    optimizer = keras.optimizers.Adam(learning_rate=lr, epsilon=eps)
    loss_of = keras.losses.MeanSquaredError()

    def step(x, y):
        with tf.GradientTape() as tape:
            loss = loss_of(y, model(x, training=True))
        gradients = tape.gradient(loss, model.trainable_variables)
        optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))
        return loss

    pairs = zip(keras_list(state["m"]), keras_list(state["v"]), strict=True)
    slots = {"iterations": state["t"], "variables": [moment for pair in pairs for moment in pair]}
    return Training(keras_list(weights), slots, step, live=(model, optimizer), predict=model)


def flax_tree(tree):
    cells = {f"lstm_{n}": flax_gates(cell) for n, (cell,) in enumerate(tree["layers"])}
    return cells | {"linear": {"kernel": tree["head"]["W"], "bias": tree["head"]["b"]}}


def in_flax(weights, state, *, lr, eps, **option):
    import flax.linen
    import jax
    import optax

    (cell,), head = weights["layers"][0], weights["head"]
    dtype = cell["W"].dtype

    class Model(flax.linen.Module):
        @flax.linen.compact
        def __call__(self, x):
            for n in range(2):
                side = flax.linen.OptimizedLSTMCell(len(cell["U"]), param_dtype=dtype, name=f"lstm_{n}")
                x = flax.linen.RNN(side)(x)
            return flax.linen.Dense(len(head["b"]), param_dtype=dtype, name="linear")(x[:, -1])

    model, optimizer = Model(), optax.adam(lr, eps=eps)

    def predict(params, x):
        return model.apply({"params": params}, x)

    def step(params, state, x, y):
        loss, grads = jax.value_and_grad(lambda p: optax.squared_error(predict(p, x), y).mean())(params)
        updates, state = optimizer.update(grads, state, params)
        return optax.apply_updates(params, updates), state, loss

    count = np.int32(state["t"])
    moments = optax.ScaleByAdamState(count, flax_tree(state["m"]), flax_tree(state["v"]))
    return Training(flax_tree(weights), (moments, optax.EmptyState()), step, predict=predict)


def flops(*, batch, time, features, hidden, outputs, **_):
    """Three times the products of the forward pass, without gradients of the data and the first states."""
    inputs = time * (2 * features + 3 * hidden)  # of both layers
    states = 2 * (3 * time - 1) * hidden
    return 2 * batch * (4 * hidden * (inputs + states) + 3 * hidden * outputs)


ONE = "has one bias a gate"
HAT = "adds epsilon to the bias-corrected root (see adam)"

case = Case(
    name="lstm-model",
    title="Two LSTM layers, a linear layer, trained with Adam",
    step=step,
    start=start,
    predict=lambda weights, x: lstm_model(x, **weights),
    inputs=inputs,
    sizes={
        "small": {"batch": 4, "time": 6, "features": 5, "hidden": 8, "outputs": 3, "steps": 10},
        "long": {"batch": 5, "time": 130, "features": 5, "hidden": 17, "outputs": 3, "steps": 10},
        "mission": {"batch": 100, "time": 100, "features": 10, "hidden": 200, "outputs": 10, "steps": 2},
    },
    options={
        "adam": {"lr": 0.001, "eps": 1e-8},
        "adam-two-biases": {"lr": 0.001, "eps": 1e-8, "biases": 2},
        "adam-epsilon-hat": {"lr": 0.001, "eps": 1e-7, "hat": True},
    },
    variants={
        "biases of an LSTM": {"one a gate": ("adam", "adam-epsilon-hat"), "two a gate": ("adam-two-biases",)}
    },
    contenders=(
        Contender("torch", "torch.nn.LSTM", in_torch, without={"adam-epsilon-hat": HAT}),
        Contender(
            "tensorflow",
            "keras.layers.LSTM",
            in_keras,
            without={
                "adam": "adds epsilon to the uncorrected root (see adam-epsilon-hat)",
                "adam-two-biases": ONE,
            },
        ),
        Contender(
            "jax",
            "flax.linen.OptimizedLSTMCell",
            in_flax,
            modes=("jit",),
            without={"adam-epsilon-hat": HAT, "adam-two-biases": ONE},
        ),
    ),
    curve={"size": "small", "steps": 200},
    headlines=(
        Headline(
            "mission",
            "LSTM model, 100 sequences of 100 steps, 2 × 200 units",
            "the shapes (100, 100, 10) that this project is asked to train",
            growth=({"batch": 2}, {"batch": 6}, {"batch": 25}),
            gpu={"batch": 2048},
        ),
    ),
    items=lambda *, batch, **_: batch,
    unit="samples",
    flops=flops,
)
