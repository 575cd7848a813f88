"""torch.nn.Transformer with its further arguments: reference/encoder_decoder.py against torch's module.

Masks of pairs and of keys for each of its three attentions, boolean or added to the scores; the target with
its causal mask or without; batches on the second axis; GELU, another ε, and no shifts. torch's boolean masks
are True where attention is forbidden. See suites/transformer.py for the usual arguments, and for Keras and
Flax, for which users compose the model.
"""

from functools import partial

import numpy as np

from gaugeblock import Case, Contender, Option
from reference.encoder_decoder import encoder_decoder, encoder_decoder_vjp
from suites.layers.attention import draw_padding, torch_heads
from suites.layers.transformer import draw_layer, draw_norm
from suites.masked_encoder import norm_params, without_shifts
from suites.transformer import flops

SIZES = {
    "small": {"batch": 2, "source": 7, "target": 5, "heads": 2, "width": 4, "hidden": 11, "layers": 2},
    "odd-heads": {"batch": 2, "source": 4, "target": 6, "heads": 3, "width": 5, "hidden": 9, "layers": 1},
    "one": {"batch": 1, "source": 1, "target": 1, "heads": 2, "width": 4, "hidden": 11, "layers": 1},
    "large": {"batch": 4, "source": 48, "target": 64, "heads": 8, "width": 64, "hidden": 2048, "layers": 2},
}
OPTIONS: dict[str, Option] = {
    "target-keys": {"masks": ("target keys",)},
    "source-keys": {"masks": ("source keys",)},
    "source-pairs": {"masks": ("source pairs",)},
    "source-added": {"masks": ("source added",)},
    "memory-pairs": {"masks": ("memory pairs",)},
    "memory-added": {"masks": ("memory added",)},
    "all-masks": {"masks": ("source pairs", "target keys", "memory pairs")},
    "open": {"causal": False},
    "open-target-keys": {"causal": False, "masks": ("target keys",)},
    "times-first": {"times_first": True},
    "times-first-masks": {"times_first": True, "masks": ("source keys", "target keys", "memory added")},
    "gelu": {"activation": "gelu"},
    "no-shifts": {"shifts": False},
    "epsilon": {"eps": 1e-2},
    "pre-norm-no-shifts": {"norm_first": True, "shifts": False, "activation": "gelu", "eps": 1e-3},
}


def inputs(rng, *, batch, source, target, heads, width, hidden, layers, masks=(), shifts=True, **option):
    def stack(*attentions):
        size = {"heads": heads, "width": width, "hidden": hidden, "attentions": attentions}
        found = [draw_layer(rng, **size) for _ in range(layers)]
        return {"layers": found, "norm": draw_norm(rng, heads * width)}

    def keys(time):
        return draw_padding(rng, batch, time) if time > 1 else np.ones((batch, 1, 1, 1), bool)

    def pairs(rows, columns):
        seen = rng.uniform(size=(rows, columns)) < 0.6
        return seen | np.eye(rows, columns, dtype=bool) | (np.arange(columns) == 0)

    def added(rows, columns):  # to some pairs nothing is added
        some = rng.integers(0, 2, size=(rows, columns)) * (1 - np.eye(rows, columns))
        return some * rng.normal(size=(rows, columns))

    W = {"encoder": stack("heads"), "decoder": stack("heads", "heads_cross")}
    data = {
        name: rng.normal(size=(batch, time, heads * width))
        for name, time in (("source", source), ("target", target))
    }
    drawn = {
        "target keys": ("mask_target", lambda: keys(target)),
        "source keys": ("mask_source", lambda: keys(source)),
        "source pairs": ("mask_source", lambda: pairs(source, source)),
        "source added": ("bias_source", lambda: added(source, source)),
        "memory pairs": ("mask_memory", lambda: pairs(target, source)),
        "memory added": ("bias_memory", lambda: added(target, source)),
    }
    for name, draw in (drawn[each] for each in masks):
        data[name] = draw()
    return {"W": W if shifts else without_shifts(W)}, data


def torch_layer(W, prefix):
    """A layer's weights by torch's names, with shifts or without."""
    names = {"heads": "self_attn", "heads_cross": "multihead_attn"}
    params = {f"{names[k]}.{name}": a for k in names if k in W for name, a in torch_heads(W[k]).items()}
    for i in (1, 2):
        params |= {f"linear{i}.weight": W[f"W{i}"].T}
        params |= {f"linear{i}.bias": W[f"b{i}"]} if f"b{i}" in W else {}
    for norm in (name for name in W if name.startswith("norm")):
        params |= norm_params(W[norm], f"{norm}.")
    return {prefix + name: array for name, array in params.items()}


def in_torch(
    weights, *, train, causal=True, times_first=False, norm_first=False, activation="relu", eps=1e-5, **option
):
    import torch

    W = weights["W"]
    layers = W["encoder"]["layers"]
    c, h, _ = layers[0]["heads"]["W_Q"].shape
    how = {"batch_first": not times_first, "norm_first": norm_first, "bias": "b1" in layers[0]}
    depth, f = (len(layers), len(W["decoder"]["layers"])), layers[0]["W1"].shape[1]
    model = torch.nn.Transformer(c, h, *depth, f, 0.0, activation, layer_norm_eps=eps, **how).train(train)
    params = {}
    for name, stack in W.items():
        params |= norm_params(stack["norm"], f"{name}.norm.")
        for i, each in enumerate(stack["layers"]):
            params |= torch_layer(each, f"{name}.layers.{i}.")

    def run(params, source, target, **masks):
        given = {}
        for name, word in (("source", "src"), ("target", "tgt"), ("memory", "memory")):
            mask, bias = masks.get(f"mask_{name}"), masks.get(f"bias_{name}")
            if mask is not None:
                of_keys = mask.ndim == 4
                given[f"{word}_{'key_padding_mask' if of_keys else 'mask'}"] = (
                    ~mask[:, 0, 0] if of_keys else ~mask
                )
            if bias is not None:
                given[f"{word}_mask"] = bias
        if causal:
            n = target.shape[1]
            future = ~torch.ones(n, n, dtype=torch.bool, device=target.device).tril()
            given |= {"tgt_mask": future, "tgt_is_causal": True}
        if times_first:
            source, target = source.transpose(0, 1), target.transpose(0, 1)
        y = torch.func.functional_call(model, params, (source, target), given)
        return {"y": y.transpose(0, 1) if times_first else y}

    return params, run


INFERENCE = {"directions": ("forward",), "variant": "inference"}

case = Case(
    name="encoder-decoder",
    title="Transformer with further arguments",
    reference=encoder_decoder,
    gradient=encoder_decoder_vjp,
    inputs=inputs,
    sizes=SIZES,
    options=OPTIONS,
    fixed=("bias_source", "bias_memory"),
    minor=True,
    contenders=[
        Contender("torch", "torch.nn.Transformer", partial(in_torch, train=not how), **how)
        for how in ({}, INFERENCE)
    ],
    items=lambda *, batch, target, **_: batch * target,
    unit="tokens",
    flops=flops,
)
