"""Units and modules of Inception: their weights by each framework's names, and models composed of them.

A unit is a convolution with batch normalisation and a ReLU. Running statistics are two vectors, which have
the channels of all units in the order of `named`.
"""

BRANCHES = ("one", "three", "five", "pool")


def draw(rng, channels, *, one, three, five, pool):
    """Weights that keep the variance of what they are multiplied by, scales near 1 and small shifts."""

    def branch(*layers):
        c, made = channels, []
        for size, o in layers:
            made.append(unit(rng, size, c, o))
            c = o
        return made

    return {
        "one": branch((1, one)),
        "three": branch((1, three[0]), (3, three[1])),
        "five": branch((1, five[0]), (5, five[1])),
        "pool": branch((1, pool)),
    }


def unit(rng, size, c, o):
    W = rng.normal(size=(size, size, c, o)) / (size * size * c) ** 0.5
    return {"W": W, "gamma": 1 + 0.3 * rng.normal(size=o), "beta": 0.3 * rng.normal(size=o)}


def widths(units):
    return [layer["W"].shape[3] for _, layer in units]


def statistics(rng, units):
    m = sum(widths(units))
    return {"mean": 0.3 * rng.normal(size=m), "variance": rng.uniform(0.5, 2, size=m)}


def named(weights, before=()):
    """Every unit with its path, in the order of the running statistics."""
    return [
        ((*before, branch, number), layer)
        for branch in BRANCHES
        for number, layer in enumerate(weights[branch])
    ]


def parts(units, mean, variance):
    """The path of each unit with its own part of the statistics."""
    at = 0
    for (path, _), o in zip(units, widths(units), strict=True):
        yield path, mean[at : at + o], variance[at : at + o]
        at += o


def torch_path(path):
    """The place of a unit in torch's module: the last branch begins with the pool."""
    *before, last = path
    return ".".join(map(str, (*before, last + 1 if before[-1:] == ["pool"] else last)))


def torch_unit(layer, eps=1e-3):
    from torch import nn

    size, _, c, o = layer["W"].shape
    convolution = nn.Conv2d(c, o, size, padding=size // 2, bias=False)
    return nn.Sequential(convolution, nn.BatchNorm2d(o, eps=eps), nn.ReLU())


def torch_module(weights):
    import torch
    from torch import nn

    class Inception(nn.ModuleDict):
        def forward(self, x):
            return torch.cat([branch(x) for branch in self.values()], dim=1)

    def branch(name):
        pool = [nn.MaxPool2d(3, stride=1, padding=1)] if name == "pool" else []
        return nn.Sequential(*pool, *map(torch_unit, weights[name]))

    return Inception({name: branch(name) for name in BRANCHES})


def torch_names(units):
    params = {}
    for path, layer in units:
        params |= {
            f"{torch_path(path)}.0.weight": layer["W"].transpose(3, 2, 0, 1),
            f"{torch_path(path)}.1.weight": layer["gamma"],
            f"{torch_path(path)}.1.bias": layer["beta"],
        }
    return params


def torch_buffers(units, mean, variance):
    """The running statistics as the modules' buffers, which training updates in place."""
    import torch

    buffers = {}
    for path, m, v in parts(units, mean, variance):
        norm = f"{torch_path(path)}.1"
        buffers |= {f"{norm}.running_mean": m.clone(), f"{norm}.running_var": v.clone()}
        buffers[f"{norm}.num_batches_tracked"] = torch.zeros((), dtype=torch.long, device=m.device)
    return buffers


def torch_moved(buffers):
    """The updated running statistics, joined."""
    import torch

    ends = {"mean": "running_mean", "variance": "running_var"}
    return {
        name: torch.cat([value for key, value in buffers.items() if key.endswith(end)])
        for name, end in ends.items()
    }


def keras_unit(h, layer, name, eps=1e-3, momentum=0.9):
    from keras import layers

    size, _, _, o = layer["W"].shape
    h = layers.Conv2D(o, size, padding="same", use_bias=False, name=f"{name}_convolution")(h)
    h = layers.BatchNormalization(momentum=momentum, epsilon=eps, name=f"{name}_norm")(h)
    return layers.ReLU(name=f"{name}_relu")(h)


def keras_module(x, weights, before=()):
    from keras import layers

    ends = dict.fromkeys(BRANCHES, x)
    ends["pool"] = layers.MaxPooling2D(3, strides=1, padding="same")(x)
    for path, layer in named(weights, before):
        ends[path[-2]] = keras_unit(ends[path[-2]], layer, joined(path))
    return layers.Concatenate()(list(ends.values()))


def joined(path):
    return "_".join(map(str, path))


def keras_names(units):
    arrays = {}
    for path, layer in units:
        name = joined(path)
        arrays[f"{name}_convolution/kernel"] = layer["W"]
        arrays |= {f"{name}_norm/{letter}": layer[letter] for letter in ("gamma", "beta")}
    return arrays


def keras_statistics(model, units, mean, variance):
    """The running statistics in the order of the model's variables."""
    state = {}
    for path, m, v in parts(units, mean, variance):
        norm = f"{joined(path)}_norm"
        state |= {f"{norm}/moving_mean": m, f"{norm}/moving_variance": v}
    return [state[variable.path] for variable in model.non_trainable_variables]


def keras_moved(model, units, moved):
    from keras import ops

    found = dict(zip((variable.path for variable in model.non_trainable_variables), moved, strict=True))
    return {
        name: ops.concatenate([found[f"{joined(path)}_norm/moving_{name}"] for path, _ in units])
        for name in ("mean", "variance")
    }


def flax_unit(h, layer, name, training, eps=1e-3, momentum=0.9):
    from flax import linen

    W = layer["W"]
    how = {"use_bias": False, "param_dtype": W.dtype, "name": f"{name}_convolution"}
    h = linen.Conv(W.shape[3], W.shape[:2], padding="SAME", **how)(h)
    how = {"momentum": momentum, "epsilon": eps, "name": f"{name}_norm"}
    return linen.relu(linen.BatchNorm(use_running_average=not training, **how)(h))


def flax_module(x, weights, training, before=()):
    """What a compact module of Flax does."""
    import jax.numpy as jnp
    from flax import linen

    ends = dict.fromkeys(BRANCHES, x)
    ends["pool"] = linen.max_pool(x, (3, 3), strides=(1, 1), padding="SAME")
    for path, layer in named(weights, before):
        ends[path[-2]] = flax_unit(ends[path[-2]], layer, joined(path), training)
    return jnp.concatenate(list(ends.values()), axis=-1)


def flax_names(units):
    params = {}
    for path, layer in units:
        params[f"{joined(path)}_convolution"] = {"kernel": layer["W"]}
        params[f"{joined(path)}_norm"] = {"scale": layer["gamma"], "bias": layer["beta"]}
    return params


def flax_statistics(units, mean, variance):
    return {f"{joined(path)}_norm": {"mean": m, "var": v} for path, m, v in parts(units, mean, variance)}


def flax_moved(units, state, dtype):
    import jax.numpy as jnp

    # with bfloat16 and float16 it keeps the statistics in float32
    return {
        name: jnp.concatenate([state[f"{joined(path)}_norm"][key] for path, _ in units]).astype(dtype)
        for name, key in (("mean", "mean"), ("variance", "var"))
    }
