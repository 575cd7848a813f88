"""A Transformer's encoder under masks: reference/masked_encoder.py against torch's layer and stack.

A mask of pairs, or of keys, is boolean or added to the scores; torch's boolean masks are True where attention
is forbidden. A path for training and one for inference read them. See suites/transformer_encoder.py for the
encoder without a mask, and for Keras and Flax, whose layers take boolean masks only.
"""

from functools import partial

import numpy as np

from gaugeblock import Case, Contender
from reference.masked_encoder import masked_encoder, masked_encoder_vjp
from suites.layers.attention import draw_padding, torch_heads
from suites.layers.transformer import draw_layer, draw_norm, torch_norm

SIZES = {
    "small": {"batch": 2, "time": 7, "heads": 2, "width": 4, "hidden": 13, "layers": 2},
    "odd-heads": {"batch": 2, "time": 5, "heads": 3, "width": 5, "hidden": 9, "layers": 1},
    "one": {"batch": 1, "time": 1, "heads": 2, "width": 4, "hidden": 11, "layers": 2},
    "base": {"batch": 4, "time": 64, "heads": 8, "width": 64, "hidden": 2048, "layers": 2},
}
OPTIONS = {
    "additive": {"masking": "pairs"},
    "boolean": {"masking": "boolean"},
    "minus-infinity": {"masking": "infinity"},
    "keys": {"masking": "keys"},
    "keys-additive": {"masking": "keys added"},
    "keys-and-additive": {"masking": "keys, pairs"},
    "additive-pre-norm": {"masking": "pairs", "norm_first": True},
    "boolean-gelu": {"masking": "boolean", "activation": "gelu"},
    "no-shifts": {"shifts": False},
    "no-shifts-additive": {"shifts": False, "masking": "pairs"},
    "epsilon": {"eps": 1e-2},
}


def inputs(rng, *, batch, time, heads, width, hidden, layers, masking="", shifts=True, **option):
    c = heads * width
    W = {
        "layers": [draw_layer(rng, heads=heads, width=width, hidden=hidden) for _ in range(layers)],
        "norm": draw_norm(rng, c),
    }
    data = {"x": rng.normal(size=(batch, time, c))}
    if "keys" in masking:
        data["mask"] = draw_padding(rng, batch, time) if time > 1 else np.ones((batch, 1, 1, 1), bool)
    if masking == "boolean":
        data["mask"] = (rng.uniform(size=(time, time)) < 0.6) | np.eye(time, dtype=bool)
    if "pairs" in masking:  # to some pairs nothing is added
        some = rng.integers(0, 2, size=(time, time)) * (1 - np.eye(time))
        data["bias"] = some * rng.normal(size=(time, time))
    if masking == "infinity":
        data["bias"] = np.where(np.tril(np.ones((time, time), bool)), 0.0, -np.inf)
    if masking == "keys added":
        data = {"x": data["x"], "bias": rng.normal(size=(batch, 1, 1, time)) * (np.arange(time) % 2)}
    return {"W": W if shifts else without_shifts(W)}, data


def without_shifts(W):
    if isinstance(W, list):
        return [without_shifts(each) for each in W]
    if isinstance(W, dict):
        return {name: without_shifts(each) for name, each in W.items() if name[0] != "b"}
    return W


def torch_params(W):
    """The weights by torch's names, with shifts or without."""
    params = {f"self_attn.{name}": array for name, array in torch_heads(W["heads"]).items()}
    for i in (1, 2):
        params |= {f"linear{i}.weight": W[f"W{i}"].T}
        params |= {f"linear{i}.bias": W[f"b{i}"]} if f"b{i}" in W else {}
        params |= norm_params(W[f"norm{i}"], f"norm{i}.")
    return params


def norm_params(norm, prefix):
    return torch_norm(norm, prefix) if "beta" in norm else {f"{prefix}weight": norm["gamma"]}


def in_torch(weights, *, stack, train, norm_first=False, activation="relu", eps=1e-5, **option):
    import torch

    W = weights["W"]
    layers, shifts = W["layers"], "b1" in W["layers"][0]
    (c, h, _), f = layers[0]["heads"]["W_Q"].shape, layers[0]["W1"].shape[1]
    how = {"layer_norm_eps": eps, "batch_first": True, "norm_first": norm_first, "bias": shifts}
    parts = [torch.nn.TransformerEncoderLayer(c, h, f, 0.0, activation, **how) for _ in layers]
    norm = torch.nn.LayerNorm(c, eps=eps, bias=shifts)
    if stack:
        model = torch.nn.TransformerEncoder(parts[0], len(layers), norm, enable_nested_tensor=False)
    else:
        model = layers_of(parts, norm)
    model.train(train)
    params = {
        f"layers.{i}.{name}": array
        for i, each in enumerate(layers)
        for name, array in torch_params(each).items()
    }

    def run(params, x, mask=None, bias=None):
        pairs = bias if mask is None or mask.ndim == 4 else ~mask
        keys = ~mask[:, 0, 0] if mask is not None and mask.ndim == 4 else None
        if bias is not None and bias.ndim == 4:
            pairs, keys = None, bias[:, 0, 0]
        # its second and third arguments are the masks of pairs and of keys
        return {"y": torch.func.functional_call(model, params, (x, pairs, keys))}

    return params | norm_params(W["norm"], "norm."), run


def layers_of(parts, norm):
    """The layers and the last norm, as their users write the stack themselves."""
    import torch

    class Layers(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.layers, self.norm = torch.nn.ModuleList(parts), norm

        def forward(self, x, pairs, keys):
            for layer in self.layers:
                x = layer(x, pairs, keys)
            return self.norm(x)

    return Layers()


def flops(*, batch, time, heads, width, hidden, layers, **_):
    c = heads * width
    return 2 * layers * batch * time * (4 * c * c + 2 * time * c + 2 * c * hidden)


INFERENCE = {"directions": ("forward",), "variant": "inference"}
APIS = {"torch.nn.TransformerEncoderLayer": False, "torch.nn.TransformerEncoder": True}

case = Case(
    name="masked-encoder",
    title="Transformer encoder under masks",
    reference=masked_encoder,
    gradient=masked_encoder_vjp,
    inputs=inputs,
    sizes=SIZES,
    options=OPTIONS,
    fixed=("bias",),
    minor=True,
    contenders=[
        Contender("torch", api, partial(in_torch, stack=stack, train=not how), **how)
        for api, stack in APIS.items()
        for how in ({}, INFERENCE)
    ],
    items=lambda *, batch, time, **_: batch * time,
    unit="tokens",
    flops=flops,
)
