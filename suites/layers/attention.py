"""Multi-head attention: its weights W_Q, W_K, W_V : (c, h, d) and W_O : (h, d, c), its biases, its mask."""

import numpy as np


def draw_heads(rng, c, heads, width, shifts=True, *, asked=None, values=None, output=None):
    """The weights of one layer for vectors of length c; `asked` is the length of key and value vectors."""
    widths = {"Q": width, "K": width, "V": values or width}
    W = {
        f"W_{name}": rng.normal(size=(k := c if name == "Q" else asked or c, heads, d)) / k**0.5
        for name, d in widths.items()
    }
    W["W_O"] = rng.normal(size=(heads, widths["V"], output or c)) / (heads * widths["V"]) ** 0.5
    if shifts:
        W |= {f"b_{name}": rng.normal(size=(heads, d)) for name, d in widths.items()}
        W["b_O"] = rng.normal(size=output or c)
    return W


def draw_padding(rng, batch, time):
    """A key mask that hides the end of each sequence except the first."""
    lengths = np.array([time, *rng.integers(1, time, size=batch - 1)])
    return (np.arange(time) < lengths[:, None])[:, None, None]


def torch_heads(W):
    """A layer's weights by torch's names: three projections in one matrix, all (outputs, inputs)."""
    stacks = {name: W[f"W_{name}"].reshape(len(W[f"W_{name}"]), -1).T for name in "QKV"}
    if len(W["W_Q"]) == len(W["W_K"]):
        params = {"in_proj_weight": np.concatenate(list(stacks.values()))}
    else:
        params = {f"{name.lower()}_proj_weight": stack for name, stack in stacks.items()}
    params["out_proj.weight"] = W["W_O"].reshape(-1, W["W_O"].shape[-1]).T
    if "b_O" in W:
        params["in_proj_bias"] = np.concatenate([W[f"b_{name}"].reshape(-1) for name in "QKV"])
        params["out_proj.bias"] = W["b_O"]
    return params


def flax_heads(W):
    """A layer's weights as Flax's tree."""
    names = {"query": "Q", "key": "K", "value": "V", "out": "O"}
    kinds = {"kernel": "W", "bias": "b"} if "b_O" in W else {"kernel": "W"}
    return {name: {kind: W[f"{x}_{name_}"] for kind, x in kinds.items()} for name, name_ in names.items()}
