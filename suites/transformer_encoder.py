"""Transformer encoder: a stack of layers and a final norm, reference/transformer.py against each framework's.

See suites/transformer_encoder_layer.py for the layers and their convention. torch has a stack, too; at
inference it runs padded sequences as nested tensors, whose padded places it does not compute.
"""

from functools import partial

from gaugeblock import Case, Contender
from reference.transformer import encoder, encoder_vjp
from suites.layers.transformer import (
    EPS,
    draw_layer,
    draw_norm,
    flax_layer,
    flax_norm,
    flax_params,
    keras_layer,
    keras_norm,
    torch_stack,
)
from suites.transformer_encoder_layer import OPTIONS, SIZES, flops
from suites.transformer_encoder_layer import inputs as layer_inputs

STACK_OPTIONS = {name: OPTIONS[name] for name in ("post-norm", "pre-norm", "padding-mask")}


def inputs(rng, *, layers=2, heads, width, hidden, **size):
    first, data = layer_inputs(rng, heads=heads, width=width, hidden=hidden, **size)
    rest = [draw_layer(rng, heads=heads, width=width, hidden=hidden) for _ in range(layers - 1)]
    return {"W": {"layers": [first["W"], *rest], "norm": draw_norm(rng, heads * width)}}, data


def in_torch(weights, *, norm_first=False, train=True, **option):
    import torch

    layers = weights["W"]["layers"]
    (c, h, _), f = layers[0]["heads"]["W_Q"].shape, layers[0]["b1"].size
    how = {"layer_norm_eps": EPS, "batch_first": True, "norm_first": norm_first}
    layer = torch.nn.TransformerEncoderLayer(c, h, f, 0.0, **how)
    norm = torch.nn.LayerNorm(c, eps=EPS)
    stack = torch.nn.TransformerEncoder(layer, len(layers), norm, enable_nested_tensor=not norm_first)
    stack.train(train)

    def run(params, x, mask=None):
        masks = {} if mask is None else {"src_key_padding_mask": ~mask[:, 0, 0]}
        return {"y": torch.func.functional_call(stack, params, (x,), masks)}

    return torch_stack(weights["W"]), run


def in_keras(weights, *, padding=False, norm_first=False, **option):
    import keras

    W, arrays = weights["W"], {}
    x = y = keras.Input((None, W["norm"]["gamma"].size))
    mask = keras.Input((None,), dtype="bool") if padding else None
    for layer in W["layers"]:
        y = keras_layer(y, layer, arrays, mask=mask, norm_first=norm_first)
    y = keras_norm(W["norm"], arrays)(y)
    model = keras.Model([x, mask] if padding else x, y)
    params = [array for part in model.layers for array in arrays.get(part.name, [])]

    def run(params, x, mask=None):
        given = x if mask is None else [x, mask[:, 0, 0]]
        return {"y": model.stateless_call(params, [], given)[0]}

    return params, run


def in_flax(weights, *, norm_first=False, **option):
    import flax.linen

    W = weights["W"]
    module = flax_layer(W["layers"][0], norm_first=norm_first)
    params = {"layers": [flax_params(layer) for layer in W["layers"]], "norm": flax_norm(W["norm"])}

    def run(params, x, mask=None):
        for layer in params["layers"]:
            x = module.apply({"params": layer}, x, mask)
        return {"y": flax.linen.LayerNorm(epsilon=EPS).apply({"params": params["norm"]}, x)}

    return params, run


STACK = "torch.nn.TransformerEncoder"
INFERENCE = {"directions": ("forward",), "variant": "inference"}

case = Case(
    name="transformer-encoder",
    title="Transformer encoder of two layers",
    reference=encoder,
    gradient=encoder_vjp,
    inputs=inputs,
    sizes=SIZES,
    options=STACK_OPTIONS,
    rare=("padding-mask", "pre-norm"),
    contenders=(
        Contender("torch", STACK, in_torch),
        Contender("torch", STACK, partial(in_torch, train=False), **INFERENCE),
        Contender("tensorflow", "keras.layers.MultiHeadAttention", in_keras),
        Contender("jax", "flax.linen.MultiHeadDotProductAttention", in_flax),
    ),
    items=lambda *, batch, time, **_: batch * time,
    unit="tokens",
    flops=lambda **size: 2 * flops(**size),
)
