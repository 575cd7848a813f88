"""Transformer encoder: one layer, and a stack of them, reference/transformer.py against each framework's.

Convention: post-norm as in the paper, x ← LN(x + f(x)); pre-norm is the option norm_first; ε = 1e-5.
torch has both as layers, with a path for training and one for inference. Keras and Flax have the parts;
users write the block as Keras's example TransformerBlock and Flax's Encoder1DBlock do, and so do we.
"""

from bench.case import Case, Contender, Limit
from reference.transformer import encoder, encoder_layer, encoder_layer_vjp, encoder_vjp
from suites.multi_head_attention import draw_heads, draw_padding, flax_heads, torch_heads

SIZES = {
    # Keras rounds 1/√width to float32 (see multi_head_attention): with 4, float64 shows the rest
    "small": {"batch": 2, "time": 7, "heads": 2, "width": 4, "hidden": 13},
    "base": {"batch": 4, "time": 128, "heads": 8, "width": 64, "hidden": 2048},
    "7b": {"batch": 1, "time": 512, "heads": 32, "width": 128, "hidden": 11008},
}
OPTIONS = {
    "post-norm": {},
    "pre-norm": {"norm_first": True},
    "gelu": {"activation": "gelu"},
    "padding-mask": {"padding": True},
    "causal": {"causal": True},
}
STACK_OPTIONS = {name: OPTIONS[name] for name in ("post-norm", "pre-norm", "padding-mask")}


def draw_norm(rng, c):
    return {"gamma": 1 + 0.3 * rng.normal(size=c), "beta": 0.3 * rng.normal(size=c)}


def draw_layer(rng, *, heads, width, hidden, attentions=("heads",)):
    """The weights of a layer with these attentions, then its FF, and a norm for each."""
    c = heads * width
    W = {name: draw_heads(rng, c, heads, width) for name in attentions}
    W |= {f"norm{i + 1}": draw_norm(rng, c) for i in range(len(attentions) + 1)}
    W |= {"W1": rng.normal(size=(c, hidden)) / c**0.5, "b1": 0.3 * rng.normal(size=hidden)}
    return W | {"W2": rng.normal(size=(hidden, c)) / hidden**0.5, "b2": 0.3 * rng.normal(size=c)}


def inputs(rng, *, batch, time, heads, width, hidden, padding=False, **option):
    W = draw_layer(rng, heads=heads, width=width, hidden=hidden)
    data = {"x": rng.normal(size=(batch, time, heads * width))}
    return {"W": W}, data | ({"mask": draw_padding(rng, batch, time)} if padding else {})


def stack_inputs(rng, *, layers=2, heads, width, hidden, **size):
    first, data = inputs(rng, heads=heads, width=width, hidden=hidden, **size)
    rest = [draw_layer(rng, heads=heads, width=width, hidden=hidden) for _ in range(layers - 1)]
    return {"W": {"layers": [first["W"], *rest], "norm": draw_norm(rng, heads * width)}}, data


def torch_layer(W, prefix=""):
    """A layer's weights in torch's names."""
    names = {"heads": "self_attn", "heads_cross": "multihead_attn"}
    params = {f"{names[k]}.{name}": a for k in names if k in W for name, a in torch_heads(W[k]).items()}
    for i in (1, 2):
        params |= {f"linear{i}.weight": W[f"W{i}"].T, f"linear{i}.bias": W[f"b{i}"]}
    for norm in (name for name in W if name.startswith("norm")):
        params |= torch_norm(W[norm], f"{norm}.")
    return {prefix + name: array for name, array in params.items()}


def torch_norm(norm, prefix):
    return {f"{prefix}weight": norm["gamma"], f"{prefix}bias": norm["beta"]}


def torch_stack(W, prefix=""):
    """A stack's weights in torch's names."""
    layers = {
        name: a for i, each in enumerate(W["layers"]) for name, a in torch_layer(each, f"layers.{i}.").items()
    }
    return {prefix + name: array for name, array in (layers | torch_norm(W["norm"], "norm.")).items()}


def in_torch(weights, *, norm_first=False, activation="relu", causal=False, eps=1e-5, train=True, **option):
    import torch

    stack = "layers" in weights["W"]
    layers = weights["W"]["layers"] if stack else [weights["W"]]
    (c, h, _), f = layers[0]["heads"]["W_Q"].shape, layers[0]["b1"].size
    model = torch.nn.TransformerEncoderLayer(
        c, h, f, 0.0, activation, layer_norm_eps=eps, batch_first=True, norm_first=norm_first
    )
    if stack:
        norm = torch.nn.LayerNorm(c, eps=eps)
        model = torch.nn.TransformerEncoder(model, len(layers), norm, enable_nested_tensor=not norm_first)
    model.train(train)

    def run(params, x, mask=None):
        masks = {} if mask is None else {"src_key_padding_mask": ~mask[:, 0, 0]}
        if causal:
            future = ~torch.ones(x.shape[1], x.shape[1], dtype=torch.bool, device=x.device).tril()
            masks |= {"src_mask": future, "is_causal": True}
        return {"y": torch.func.functional_call(model, params, (x,), masks)}

    return torch_stack(weights["W"]) if stack else torch_layer(weights["W"]), run


def in_torch_inference(weights, **option):
    return in_torch(weights, train=False, **option)


def keras_layer(
    x, W, arrays, z=None, mask=None, *, causal=False, norm_first=False, activation="relu", eps=1e-5
):
    """One layer of a functional model; `arrays` collects the weights of its parts by their names."""
    import keras

    def attention(name, z=None, **masks):
        _, h, d = W[name]["W_Q"].shape
        part = keras.layers.MultiHeadAttention(h, d)
        arrays[part.name] = [W[name][f"{kind}_{x}"] for x in "QKVO" for kind in "Wb"]
        return lambda x: part(x, x if z is None else z, **masks)

    def dense(i, **more):
        part = keras.layers.Dense(W[f"b{i}"].size, **more)
        arrays[part.name] = [W[f"W{i}"], W[f"b{i}"]]
        return part

    parts = [attention("heads", use_causal_mask=causal, value_mask=None if z is not None else mask)]
    if z is not None:
        parts.append(attention("heads_cross", z, value_mask=mask))
    first, second = dense(1, activation=activation), dense(2)
    for i, part in enumerate([*parts, lambda x: second(first(x))], 1):
        norm = keras_norm(W[f"norm{i}"], arrays, eps)
        x = x + part(norm(x)) if norm_first else norm(x + part(x))
    return x


def keras_norm(W, arrays, eps):
    import keras

    norm = keras.layers.LayerNormalization(epsilon=eps)
    arrays[norm.name] = [W["gamma"], W["beta"]]
    return norm


def in_keras(
    weights, *, padding=False, eps=1e-5, causal=False, norm_first=False, activation="relu", **option
):
    import keras

    W, arrays = weights["W"], {}
    layers = W.get("layers", [W])
    x = y = keras.Input((None, layers[0]["b2"].size))
    mask = keras.Input((None,), dtype="bool") if padding else None
    how = {"causal": causal, "norm_first": norm_first, "activation": activation, "eps": eps}
    for layer in layers:
        y = keras_layer(y, layer, arrays, mask=mask, **how)
    if "norm" in W:
        y = keras_norm(W["norm"], arrays, eps)(y)
    model = keras.Model([x, mask] if padding else x, y)
    params = [array for part in model.layers for array in arrays.get(part.name, [])]

    def run(params, x, mask=None):
        given = x if mask is None else [x, mask[:, 0, 0]]
        return {"y": model.stateless_call(params, [], given)[0]}

    return params, run


def flax_layer(W, *, norm_first=False, activation="relu", eps=1e-5):
    """A Flax module for layers of this shape: called with x, its mask, and z with its own."""
    import flax.linen as nn

    class Layer(nn.Module):
        @nn.compact
        def __call__(self, x, mask=None, z=None, mask_z=None):
            def attention(name, z=None, mask=None):
                return lambda x: nn.MultiHeadDotProductAttention(W[name]["W_Q"].shape[1], name=name)(
                    x, z, mask=mask
                )

            def feed_forward(x):
                act = {"relu": nn.relu, "gelu": lambda x: nn.gelu(x, approximate=False)}[activation]
                return nn.Dense(W["b2"].size, name="dense2")(act(nn.Dense(W["b1"].size, name="dense1")(x)))

            cross = [] if z is None else [attention("heads_cross", z, mask_z)]
            for i, part in enumerate([attention("heads", mask=mask), *cross, feed_forward], 1):
                norm = nn.LayerNorm(epsilon=eps, name=f"norm{i}")
                x = x + part(norm(x)) if norm_first else norm(x + part(x))
            return x

    return Layer()


def flax_params(W):
    """A layer's weights in the tree of that module."""
    params = {name: flax_heads(W[name]) for name in W if name.startswith("heads")}
    params |= {name: flax_norm(W[name]) for name in W if name.startswith("norm")}
    return params | {f"dense{i}": {"kernel": W[f"W{i}"], "bias": W[f"b{i}"]} for i in (1, 2)}


def flax_norm(norm):
    return {"scale": norm["gamma"], "bias": norm["beta"]}


def in_flax(weights, *, causal=False, padding=False, eps=1e-5, **option):
    import flax.linen

    W = weights["W"]
    layers = W.get("layers", [W])
    module = flax_layer(layers[0], eps=eps, **option)
    params = {"layers": [flax_params(layer) for layer in layers]}
    params |= {"norm": flax_norm(W["norm"])} if "norm" in W else {}

    def run(params, x, mask=None):
        if causal:
            mask = flax.linen.make_causal_mask(x[..., 0])
        for layer in params["layers"]:
            x = module.apply({"params": layer}, x, mask)
        if "norm" in params:
            x = flax.linen.LayerNorm(epsilon=eps).apply({"params": params["norm"]}, x)
        return {"y": x}

    return params, run


def flops(*, batch, time, heads, width, hidden, **_):
    c = heads * width
    return 2 * batch * time * (4 * c * c + 2 * time * c + 2 * c * hidden)


CONSTANTS = Limit(
    "tensorflow",
    "==2.21.*",
    "the GELU rounds its constants to float32 (see activation)",
    "tensorflow/python/ops/nn_ops.py:3754",
    (2e6, 2e7),
    {"dtype": "float64", "option": "gelu"},
)
PARTS = (
    Contender("tensorflow", "keras.layers.MultiHeadAttention", in_keras),
    Contender("jax", "flax.linen.MultiHeadDotProductAttention", in_flax),
)
LAYER = "torch.nn.TransformerEncoderLayer"
STACK = "torch.nn.TransformerEncoder"
NESTED = {
    "padding-mask": "padded places become 0, not what the formula gives (torch/nn/modules/transformer.py:546)"
}

cases = (
    Case(
        name="transformer-encoder-layer",
        title="Transformer encoder layer",
        reference=encoder_layer,
        gradient=encoder_layer_vjp,
        inputs=inputs,
        sizes=SIZES,
        options=OPTIONS,
        limits=(CONSTANTS,),
        rare=("gelu", "causal"),
        contenders=(
            Contender("torch", LAYER, in_torch),
            Contender("torch", LAYER, in_torch_inference, directions=("forward",), variant="inference"),
            *PARTS,
        ),
        items=lambda *, batch, time, **_: batch * time,
        unit="tokens",
        flops=flops,
    ),
    Case(
        name="transformer-encoder",
        title="Transformer encoder of two layers",
        reference=encoder,
        gradient=encoder_vjp,
        inputs=stack_inputs,
        sizes=SIZES,
        options=STACK_OPTIONS,
        rare=("padding-mask", "pre-norm"),
        contenders=(
            Contender("torch", STACK, in_torch),
            Contender(
                "torch", STACK, in_torch_inference, NESTED, directions=("forward",), variant="inference"
            ),
            *PARTS,
        ),
        items=lambda *, batch, time, **_: batch * time,
        unit="tokens",
        flops=lambda **size: 2 * flops(**size),
    ),
)
