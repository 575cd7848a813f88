"""Generation by WaveNet, step by step: states that are kept from step to step, against the full pass.

A layer keeps the inputs that its kernel still needs, and a step computes one sample (Le Paine et al. 2016).
Each framework runs the step in its loop: Python's with torch, tensorflow.while_loop, jax.lax.scan. Every
distribution is compared, and each step's most probable code, a whole number. In "greedy" the last steps take
that code as their input. See suites/wavenet.py for the model.
"""

from functools import partial
from types import SimpleNamespace

from gaugeblock import Case, Contender
from reference.wavenet_generation import wavenet_generation
from suites import wavenet as page


def inputs(rng, *, free=0, **size):
    weights, data = page.inputs(rng, **size)
    return weights, {"codes": data["codes"]}


def rows(weights):
    """Kernels as matrices: what a step multiplies its window by."""
    if isinstance(weights, dict):
        return {name: rows(each) for name, each in weights.items()}
    if isinstance(weights, list):
        return [rows(each) for each in weights]
    return weights.reshape(-1, weights.shape[-1]) if weights.ndim == 3 else weights


def queues(weights, batch, zeros):
    """For each convolution the inputs before the first step : (n, (k - 1) dilation, c)."""
    k, a, r = weights["front"].shape
    apart = [2**level for stack in weights["stacks"] for level in range(len(stack))]
    return [zeros((batch, k - 1, a)), *(zeros((batch, (k - 1) * each, r)) for each in apart)]


def one_step(f, classes, params, queues, code):
    """The queues after one more code, and the distribution of the next; `f` has the framework's functions."""
    kept, s = [], 0

    def window(x, queue, dilation=1):
        all_of_it = f.concatenate([queue, x[:, None]], 1)
        kept.append(all_of_it[:, 1:])
        return f.reshape(all_of_it[:, ::dilation], (x.shape[0], -1))  # (n, k c)

    h = f.linear(window(f.one_hot(code, classes, params["front"].dtype), queues[0]), params["front"])
    layers = [(2**level, layer) for stack in params["stacks"] for level, layer in enumerate(stack)]
    for (dilation, layer), queue in zip(layers, queues[1:], strict=True):
        x = window(h, queue, dilation)
        z = f.tanh(f.linear(x, **layer["filter"])) * f.sigmoid(f.linear(x, **layer["gate"]))
        s, h = s + f.linear(z, **layer["skip"]), h + f.linear(z, **layer["residual"])
    first, second = params["end"]
    return kept, f.softmax(f.linear(f.relu(f.linear(f.relu(s), **first)), **second))


def in_torch(weights, *, free=0, **option):
    import torch

    f = SimpleNamespace(
        concatenate=torch.cat, reshape=torch.reshape, tanh=torch.tanh, sigmoid=torch.sigmoid,
        relu=torch.relu, softmax=partial(torch.softmax, dim=-1),
        one_hot=lambda code, a, dtype: torch.nn.functional.one_hot(code, a).to(dtype),
        linear=lambda x, W, b=None: torch.nn.functional.linear(x, W.T, b),
    )  # fmt: skip
    step = partial(one_step, f, weights["front"].shape[1])

    def run(params, codes):
        n, t = codes.shape
        kept, found = queues(weights, n, params["front"].new_zeros), []
        for at in range(t):
            code = found[-1].argmax(-1) if at and at >= t - free else codes[:, at]
            kept, p = step(params, kept, code)
            found.append(p)
        p = torch.stack(found, 1)
        return {"p": p, "k": p.argmax(-1).to(p.dtype)}

    return rows(weights), run


def plain(x, W, b=None):
    return x @ W if b is None else x @ W + b


def in_tensorflow(weights, *, free=0, **option):
    import tensorflow as tf

    f = SimpleNamespace(
        concatenate=tf.concat, reshape=tf.reshape, tanh=tf.tanh, sigmoid=tf.sigmoid, relu=tf.nn.relu,
        softmax=tf.nn.softmax, one_hot=lambda code, a, dtype: tf.one_hot(code, a, dtype=dtype), linear=plain,
    )  # fmt: skip
    step = partial(one_step, f, weights["front"].shape[1])

    def run(params, codes):
        (n, t), dtype = codes.shape, params["front"].dtype

        def body(at, kept, before, found):
            kept, p = step(params, kept, tf.where(at >= max(t - free, 1), before, codes[:, at]))
            return at + 1, kept, tf.argmax(p, -1, codes.dtype), found.write(at, p)

        begun = queues(weights, n, partial(tf.zeros, dtype=dtype)), codes[:, 0], tf.TensorArray(dtype, t)
        *_, found = tf.while_loop(lambda at, *_: at < t, body, (0, *begun))
        p = tf.transpose(found.stack(), (1, 0, 2))
        return {"p": p, "k": tf.cast(tf.argmax(p, -1), dtype)}

    return rows(weights), run


def in_jax(weights, *, free=0, **option):
    import jax
    import jax.numpy as jnp

    f = SimpleNamespace(
        concatenate=jnp.concatenate, reshape=jnp.reshape, tanh=jnp.tanh, sigmoid=jax.nn.sigmoid,
        relu=jax.nn.relu, softmax=jax.nn.softmax, linear=plain,
        one_hot=lambda code, a, dtype: jax.nn.one_hot(code, a, dtype=dtype),
    )  # fmt: skip
    step = partial(one_step, f, weights["front"].shape[1])

    def run(params, codes):
        (n, t), dtype = codes.shape, params["front"].dtype

        def body(state, at):
            (kept, before), (given, own) = state, at
            kept, p = step(params, kept, jnp.where(own, before, given))
            return (kept, p.argmax(-1).astype(codes.dtype)), p

        begun = queues(weights, n, partial(jnp.zeros, dtype=dtype)), codes[:, 0]
        _, p = jax.lax.scan(body, begun, (codes.T, jnp.arange(t) >= max(t - free, 1)))
        return {"p": p.swapaxes(0, 1), "k": p.argmax(-1).T.astype(dtype)}

    return rows(weights), run


case = Case(
    name="wavenet-generation",
    title="WaveNet step by step",
    reference=wavenet_generation,
    inputs=inputs,
    sizes={
        "small": page.SMALL | {"batch": 2, "time": 12},
        "one": page.SMALL | {"batch": 1, "time": 1},
        "blocks": page.PAPER | {"batch": 1, "time": 131, "stacks": 1, "depth": 6},
        "paper": page.PAPER | {"batch": 1, "time": 400, "stacks": 2, "depth": 10},
    },
    options={"given": {}, "greedy": {"free": 6}, "no-bias": {"bias": False}, "width-three": {"kernel": 3}},
    rare=("greedy", "no-bias", "width-three"),
    minor=True,
    contenders=(
        Contender("torch", "torch.nn.functional.linear", in_torch, modes=("eager",)),
        Contender("tensorflow", "tensorflow.while_loop", in_tensorflow),
        Contender("jax", "jax.lax.scan", in_jax),
    ),
    items=lambda *, batch, time, **_: batch * time,
    unit="samples",
    flops=page.flops,
)
