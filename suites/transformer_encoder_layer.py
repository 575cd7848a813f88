"""One layer of a Transformer's encoder: reference/transformer.py against each framework's.

Convention: post-norm as in the paper, x ← LN(x + f(x)); pre-norm is the option norm_first; ε = 1e-5.
torch has both as a layer, with a path for training and one for inference. For Keras and Flax,
suites/layers/transformer.py composes the block as Keras's example TransformerBlock and Flax's Encoder1DBlock
do.
"""

from functools import partial

from gaugeblock import Case, Contender, Headline
from reference.transformer import encoder_layer, encoder_layer_vjp
from suites.layers.attention import draw_padding
from suites.layers.transformer import EPS, draw_layer, flax_layer, flax_params, keras_layer, torch_layer

SIZES = {
    # Keras rounds 1/√width to float32 (see multi_head_attention), which is exact for width 4
    "small": {"batch": 2, "time": 7, "heads": 2, "width": 4, "hidden": 13},
    "base": {"batch": 4, "time": 128, "heads": 8, "width": 64, "hidden": 2048},
    "7b": {"batch": 1, "time": 512, "heads": 32, "width": 128, "hidden": 11008},
    "bert": {"batch": 8, "time": 128, "heads": 12, "width": 64, "hidden": 3072},
}
OPTIONS = {
    "post-norm": {},
    "pre-norm": {"norm_first": True},
    "gelu": {"activation": "gelu"},
    "padding-mask": {"padding": True},
    "causal": {"causal": True},
}


def inputs(rng, *, batch, time, heads, width, hidden, padding=False, **option):
    W = draw_layer(rng, heads=heads, width=width, hidden=hidden)
    data = {"x": rng.normal(size=(batch, time, heads * width))}
    return {"W": W}, data | ({"mask": draw_padding(rng, batch, time)} if padding else {})


def in_torch(weights, *, norm_first=False, activation="relu", causal=False, train=True, **option):
    import torch

    W = weights["W"]
    (c, h, _), f = W["heads"]["W_Q"].shape, W["b1"].size
    how = {"layer_norm_eps": EPS, "batch_first": True, "norm_first": norm_first}
    layer = torch.nn.TransformerEncoderLayer(c, h, f, 0.0, activation, **how).train(train)

    def run(params, x, mask=None):
        masks = {} if mask is None else {"src_key_padding_mask": ~mask[:, 0, 0]}
        if causal:
            future = ~torch.ones(x.shape[1], x.shape[1], dtype=torch.bool, device=x.device).tril()
            masks |= {"src_mask": future, "is_causal": True}
        return {"y": torch.func.functional_call(layer, params, (x,), masks)}

    return torch_layer(W), run


def in_keras(weights, *, padding=False, causal=False, norm_first=False, activation="relu", **option):
    import keras

    W, arrays = weights["W"], {}
    x = keras.Input((None, W["b2"].size))
    mask = keras.Input((None,), dtype="bool") if padding else None
    how = {"causal": causal, "norm_first": norm_first, "activation": activation}
    y = keras_layer(x, W, arrays, mask=mask, **how)
    model = keras.Model([x, mask] if padding else x, y)
    params = [array for part in model.layers for array in arrays.get(part.name, [])]

    def run(params, x, mask=None):
        given = x if mask is None else [x, mask[:, 0, 0]]
        return {"y": model.stateless_call(params, [], given)[0]}

    return params, run


def in_flax(weights, *, causal=False, padding=False, **option):
    import flax.linen

    layer = flax_layer(weights["W"], **option)

    def run(params, x, mask=None):
        if causal:
            mask = flax.linen.make_causal_mask(x[..., 0])
        return {"y": layer.apply({"params": params}, x, mask)}

    return flax_params(weights["W"]), run


def flops(*, batch, time, heads, width, hidden, **_):
    c = heads * width
    return 2 * batch * time * (4 * c * c + 2 * time * c + 2 * c * hidden)


LAYER = "torch.nn.TransformerEncoderLayer"

case = Case(
    name="transformer-encoder-layer",
    title="Transformer encoder layer",
    reference=encoder_layer,
    gradient=encoder_layer_vjp,
    inputs=inputs,
    sizes=SIZES,
    options=OPTIONS,
    rare=("gelu", "causal"),
    headlines=(
        Headline(
            "bert",
            "encoder layer of BERT base, 8 × 128 tokens",
            "Devlin et al. 2018: 12 heads of width 64, hidden width 3,072, GELU after the norm",
            option="gelu",
            direction="forward",
            growth=({"batch": 1, "time": 16}, {"batch": 1, "time": 64}, {"batch": 2}),
            gpu={"batch": 256},
        ),
    ),
    contenders=(
        Contender("torch", LAYER, in_torch),
        Contender(
            "torch", LAYER, partial(in_torch, train=False), directions=("forward",), variant="inference"
        ),
        Contender("tensorflow", "keras.layers.MultiHeadAttention", in_keras),
        Contender("jax", "flax.linen.MultiHeadDotProductAttention", in_flax),
    ),
    items=lambda *, batch, time, **_: batch * time,
    unit="tokens",
    flops=flops,
)
