"""The Transformer, encoder and decoder: reference/transformer.py against torch's module and composed models.

Convention: post-norm as in the paper, and a final norm after each stack, as in torch.nn.Transformer. The
target's self-attention is causal; the source's padding mask applies in the encoder and in the decoder's
cross-attention. For Keras and Flax the model is composed as in their translation examples.
"""

from gaugeblock import Case, Contender, Headline
from reference.transformer import transformer, transformer_vjp
from suites.layers.attention import draw_padding
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

SIZES = {
    "small": {"batch": 2, "source": 7, "target": 5, "heads": 2, "width": 4, "hidden": 11, "layers": 2},
    "one": {"batch": 1, "source": 1, "target": 1, "heads": 2, "width": 4, "hidden": 11, "layers": 2},
    "translation": {
        "batch": 8,
        "source": 32,
        "target": 32,
        "heads": 8,
        "width": 64,
        "hidden": 2048,
        "layers": 6,
    },
    "base": {"batch": 4, "source": 128, "target": 128, "heads": 8, "width": 64, "hidden": 2048, "layers": 6},
}
OPTIONS = {
    "post-norm": {},
    "pre-norm": {"norm_first": True},
    "padding-mask": {"padding": True},
}


def inputs(rng, *, batch, source, target, heads, width, hidden, layers, padding=False, **option):
    def stack(*attentions):
        size = {"heads": heads, "width": width, "hidden": hidden, "attentions": attentions}
        return {
            "layers": [draw_layer(rng, **size) for _ in range(layers)],
            "norm": draw_norm(rng, heads * width),
        }

    W = {"encoder": stack("heads"), "decoder": stack("heads", "heads_cross")}
    x, y = (rng.normal(size=(batch, time, heads * width)) for time in (source, target))
    mask = {"mask": draw_padding(rng, batch, source)} if padding else {}
    return {"W": W}, {"source": x, "target": y, **mask}


def in_torch(weights, *, norm_first=False, train=True, **option):
    import torch

    W = weights["W"]
    layers = W["encoder"]["layers"]
    c, h, _ = layers[0]["heads"]["W_Q"].shape
    model = torch.nn.Transformer(
        c, h, len(layers), len(W["decoder"]["layers"]), layers[0]["b1"].size, 0.0,
        batch_first=True, norm_first=norm_first,
    ).train(train)  # fmt: skip

    def run(params, source, target, mask=None):
        n = target.shape[1]
        masks = {
            "tgt_mask": ~torch.ones(n, n, dtype=torch.bool, device=target.device).tril(),
            "tgt_is_causal": True,
        }
        if mask is not None:
            masks["src_key_padding_mask"] = masks["memory_key_padding_mask"] = ~mask[:, 0, 0]
        return {"y": torch.func.functional_call(model, params, (source, target), masks)}

    return torch_stack(W["encoder"], "encoder.") | torch_stack(W["decoder"], "decoder."), run


def in_torch_inference(weights, **option):
    return in_torch(weights, train=False, **option)


def in_keras(weights, *, padding=False, norm_first=False, **option):
    import keras

    W, arrays = weights["W"], {}
    c = W["encoder"]["norm"]["gamma"].size
    source = z = keras.Input((None, c))
    target = y = keras.Input((None, c))
    mask = keras.Input((None,), dtype="bool") if padding else None
    for layer in W["encoder"]["layers"]:
        z = keras_layer(z, layer, arrays, mask=mask, norm_first=norm_first)
    z = keras_norm(W["encoder"]["norm"], arrays)(z)
    for layer in W["decoder"]["layers"]:
        y = keras_layer(y, layer, arrays, z, mask, causal=True, norm_first=norm_first)
    y = keras_norm(W["decoder"]["norm"], arrays)(y)
    model = keras.Model([source, target, *([mask] if padding else [])], y)
    params = [array for part in model.layers for array in arrays.get(part.name, [])]

    def run(params, source, target, mask=None):
        given = [source, target] if mask is None else [source, target, mask[:, 0, 0]]
        return {"y": model.stateless_call(params, [], given)[0]}

    return params, run


def in_flax(weights, *, norm_first=False, **option):
    import flax.linen

    W = weights["W"]
    module = {name: flax_layer(stack["layers"][0], norm_first=norm_first) for name, stack in W.items()}
    params = {
        name: {"layers": [flax_params(layer) for layer in stack["layers"]], "norm": flax_norm(stack["norm"])}
        for name, stack in W.items()
    }

    def walk(name, stack, x, *given):
        for layer in stack["layers"]:
            x = module[name].apply({"params": layer}, x, *given)
        return flax.linen.LayerNorm(epsilon=EPS).apply({"params": stack["norm"]}, x)

    def run(params, source, target, mask=None):
        z = walk("encoder", params["encoder"], source, mask)
        past = flax.linen.make_causal_mask(target[..., 0])
        return {"y": walk("decoder", params["decoder"], target, past, z, mask)}

    return params, run


def flops(*, batch, source, target, heads, width, hidden, layers, **_):
    c = heads * width
    encoder = source * (8 * c * c + 4 * source * c + 4 * c * hidden)
    decoder = target * (12 * c * c + 4 * (source + target) * c + 4 * c * hidden) + source * 4 * c * c
    return batch * layers * (encoder + decoder)


case = Case(
    name="transformer",
    title="Transformer, encoder and decoder",
    reference=transformer,
    gradient=transformer_vjp,
    inputs=inputs,
    sizes=SIZES,
    options=OPTIONS,
    rare=("pre-norm", "padding-mask"),
    headlines=(
        Headline(
            "translation",
            "Transformer base, 8 sentences of 32 tokens",
            "Vaswani et al. 2017, base model; sentences of newstest2014 have about 30 tokens",
            direction="forward",
            # backward, some of its two million ReLUs hang on a rounding error, and each moves every gradient
            directions=("forward",),
            growth=(
                {"batch": 1, "source": 4, "target": 4},
                {"batch": 1, "source": 16, "target": 16},
                {"batch": 2},
            ),
            gpu={"batch": 128},
        ),
    ),
    contenders=(
        Contender("torch", "torch.nn.Transformer", in_torch),
        Contender(
            "torch", "torch.nn.Transformer", in_torch_inference, directions=("forward",), variant="inference"
        ),
        Contender("tensorflow", "keras.layers.MultiHeadAttention", in_keras),
        Contender("jax", "flax.linen.MultiHeadDotProductAttention", in_flax),
    ),
    items=lambda *, batch, target, **_: batch * target,
    unit="tokens",
    flops=flops,
)
