"""WaveNet: probabilities of the next sample and the loss of the one that came, as its users write it.

Each framework builds the model from its layers: one-hot codes, causal convolutions of width 2 whose dilation
doubles, gates, residual and skip sums, two layers at the end. The input is synthesised sound in mu-law codes
(suites/mu_law.py); the targets are the codes one step later. "paper" has two stacks of ten layers, which see
2,048 samples, and 0.15 seconds of sound. The page is long because it has three models.
suites/wavenet_generation.py runs the same weights step by step.
"""

import numpy as np

from gaugeblock import Case, Contender, Headline
from reference.mu_law import mu_law
from reference.wavenet import wavenet, wavenet_vjp
from suites.mu_law import sound


def draw(rng, *, classes, stacks, depth, residual, gate, skip, end, kernel=2, bias=True):
    """Weights that keep the variance of what they are multiplied by, and small biases."""

    def layer(*shape):
        W = rng.normal(size=shape) / np.prod(shape[:-1]) ** 0.5
        return {"W": W, "b": 0.1 * rng.normal(size=shape[-1])} if bias else {"W": W}

    def block():
        return {
            "filter": layer(kernel, residual, gate),
            "gate": layer(kernel, residual, gate),
            "residual": layer(gate, residual),
            "skip": layer(gate, skip),
        }

    return {
        "front": rng.normal(size=(kernel, classes, residual)) / kernel**0.5,
        "stacks": [[block() for _ in range(depth)] for _ in range(stacks)],
        "end": [layer(skip, end), layer(end, classes)],
    }


def inputs(rng, *, batch, time, classes, **size):
    codes = mu_law(sound(rng, batch=batch, time=time + 1), mu=classes - 1).astype(int)
    return draw(rng, classes=classes, **size), {"codes": codes[:, :-1], "targets": codes[:, 1:]}


def named(weights):
    """The layers as convolutions, by the names and with the dilations that the models give them."""

    def convolution(layer):
        W = layer["W"]
        return layer if W.ndim == 3 else layer | {"W": W[None]}  # of one tap

    yield "front", {"W": weights["front"]}, 1
    places = [(level, layer) for stack in weights["stacks"] for level, layer in enumerate(stack)]
    for number, (level, layer) in enumerate(places):
        for name, each in layer.items():
            yield f"{name}_{number}", convolution(each), 2**level
    for number, each in enumerate(weights["end"]):
        yield f"end_{number}", convolution(each), 1


def torch_model(weights):
    import torch
    from torch import nn

    k, a, _ = weights["front"].shape

    def convolution(W, b=None, dilation=1):
        width, c, o = W.shape
        return nn.Conv1d(c, o, width, dilation=dilation, bias=b is not None)

    class WaveNet(nn.ModuleDict):
        def forward(self, codes):
            h = nn.functional.one_hot(codes, a).to(self["front"].weight.dtype).permute(0, 2, 1)
            h, s = self["front"](nn.functional.pad(h, (k - 1, 0))), 0
            for number in range(sum(map(len, weights["stacks"]))):
                filter, gate, residual, skip = (
                    self[f"{name}_{number}"] for name in ("filter", "gate", "residual", "skip")
                )
                x = nn.functional.pad(h, ((k - 1) * filter.dilation[0], 0))
                z = torch.tanh(filter(x)) * torch.sigmoid(gate(x))
                h, s = h + residual(z), s + skip(z)
            return self["end_1"](torch.relu(self["end_0"](torch.relu(s))))  # (n, a, t)

    return WaveNet({name: convolution(**each, dilation=apart) for name, each, apart in named(weights)})


def in_torch(weights, **option):
    import torch

    model = torch_model(weights)

    def run(params, codes, targets):
        u = torch.func.functional_call(model, params, (codes,))
        loss = torch.nn.functional.cross_entropy(u, targets)
        return {"p": torch.softmax(u, dim=1).permute(0, 2, 1), "loss": loss}

    params = {}
    for name, each, _ in named(weights):
        W = each["W"].transpose(2, 1, 0)  # (o, c, k)
        params |= {f"{name}.weight": W} | ({f"{name}.bias": each["b"]} if "b" in each else {})
    return params, run


def keras_model(weights):
    import keras
    from keras import layers, ops

    a = weights["front"].shape[1]
    made = {}
    for name, each, apart in named(weights):
        W, how = each["W"], {"dilation_rate": apart, "use_bias": "b" in each}
        made[name] = layers.Conv1D(W.shape[-1], len(W), padding="causal", name=name, **how)
    codes = keras.Input((None,), dtype="int32")
    h, s = made["front"](ops.one_hot(codes, a)), 0
    for number in range(sum(map(len, weights["stacks"]))):
        z = ops.tanh(made[f"filter_{number}"](h)) * ops.sigmoid(made[f"gate_{number}"](h))
        h, s = h + made[f"residual_{number}"](z), s + made[f"skip_{number}"](z)
    # with h, so that the last residual layer is one of the model's
    return keras.Model(codes, [made["end_1"](ops.relu(made["end_0"](ops.relu(s)))), h])


def in_keras(weights, **option):
    import keras

    model = keras_model(weights)
    loss_of = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    arrays = {}
    for name, each, _ in named(weights):
        arrays |= {f"{name}/kernel": each["W"]} | ({f"{name}/bias": each["b"]} if "b" in each else {})

    def run(params, codes, targets):
        (u, _), _ = model.stateless_call(params, [], codes)
        return {"p": keras.ops.softmax(u), "loss": loss_of(targets, u)}

    return [arrays[variable.path] for variable in model.trainable_variables], run


def in_flax(weights, **option):
    import jax
    import jax.numpy as jnp
    import optax
    from flax import linen

    a, dtype = weights["front"].shape[1], weights["front"].dtype

    class WaveNet(linen.Module):
        @linen.compact
        def __call__(self, codes):
            made = {}
            for name, each, apart in named(weights):
                W, how = each["W"], {"kernel_dilation": apart, "use_bias": "b" in each, "param_dtype": dtype}
                made[name] = linen.Conv(W.shape[-1], (len(W),), padding="CAUSAL", name=name, **how)
            h, s = made["front"](jax.nn.one_hot(codes, a, dtype=dtype)), 0
            for number in range(sum(map(len, weights["stacks"]))):
                z = jnp.tanh(made[f"filter_{number}"](h)) * jax.nn.sigmoid(made[f"gate_{number}"](h))
                h, s = h + made[f"residual_{number}"](z), s + made[f"skip_{number}"](z)
            return made["end_1"](jax.nn.relu(made["end_0"](jax.nn.relu(s))))

    model, params = WaveNet(), {}
    for name, each, _ in named(weights):
        params[name] = {"kernel": each["W"]} | ({"bias": each["b"]} if "b" in each else {})

    def run(params, codes, targets):
        u = model.apply({"params": params}, codes)
        loss = optax.softmax_cross_entropy_with_integer_labels(u, targets).mean()
        return {"p": jax.nn.softmax(u), "loss": loss}

    return params, run


def flops(*, batch, time, classes, stacks, depth, residual, gate, skip, end, kernel=2, **_):
    """Two flops for each multiply-add; the first convolution adds rows."""
    layer = 2 * gate * (2 * kernel * residual + residual + skip)
    ends = 2 * end * (skip + classes)
    return batch * time * ((kernel - 1) * residual + stacks * depth * layer + ends)


SMALL = {"classes": 16, "stacks": 2, "depth": 3, "residual": 5, "gate": 6, "skip": 7, "end": 8}
PAPER = {"classes": 256, "residual": 32, "gate": 32, "skip": 256, "end": 256}
LARGE = PAPER | {"residual": 256, "gate": 256, "stacks": 3, "depth": 10}
OPTIONS = {"plain": {}, "no-bias": {"bias": False}, "width-three": {"kernel": 3}}

case = Case(
    name="wavenet",
    title="WaveNet on given samples",
    reference=wavenet,
    gradient=wavenet_vjp,
    inputs=inputs,
    sizes={
        "small": SMALL | {"batch": 2, "time": 12},
        "one": SMALL | {"batch": 1, "time": 1},
        "blocks": PAPER | {"batch": 1, "time": 131, "stacks": 1, "depth": 6},
        "paper": PAPER | {"batch": 1, "time": 2400, "stacks": 2, "depth": 10},
        "thirty-layers": LARGE | {"batch": 1, "time": 1024},
    },
    options=OPTIONS,
    rare=("no-bias", "width-three"),
    vast=("paper",),
    headlines=(
        Headline(
            "thirty-layers",
            "WaveNet of 12 million weights, 1,024 samples",
            "dilations of 1 to 512 as in the paper, three times; it tells no widths: 256 make a large model",
            direction="forward",
            # backward, the spreads that a page carries for 120 kernels of 256 × 256 would take 43 MB
            directions=("forward",),
            growth=({"time": 16}, {"time": 64}, {"time": 256}),
            gpu={"batch": 8, "time": 8192},
        ),
    ),
    minor=True,
    contenders=(
        Contender("torch", "torch.nn.Conv1d", in_torch),
        Contender("tensorflow", "keras.layers.Conv1D", in_keras),
        Contender("jax", "flax.linen.Conv", in_flax),
    ),
    items=lambda *, batch, time, **_: batch * time,
    unit="samples",
    flops=flops,
)
