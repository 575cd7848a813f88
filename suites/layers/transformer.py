"""Layers of the Transformer: attentions, then a feed-forward part of W1, b1, W2, b2, and a norm for each.

torch has these layers. For Keras and Flax they are composed as in Keras's example TransformerBlock and Flax's
Encoder1DBlock; in a decoder with a second attention, to the encoder's result.
"""

from suites.layers.attention import draw_heads, flax_heads, torch_heads

EPS = 1e-5  # torch's default; Keras 1e-3, Flax 1e-6


def draw_norm(rng, c):
    return {"gamma": 1 + 0.3 * rng.normal(size=c), "beta": 0.3 * rng.normal(size=c)}


def draw_layer(rng, *, heads, width, hidden, attentions=("heads",)):
    """The weights of a layer with these attentions, then its FF, and a norm for each."""
    c = heads * width
    W = {name: draw_heads(rng, c, heads, width) for name in attentions}
    W |= {f"norm{i + 1}": draw_norm(rng, c) for i in range(len(attentions) + 1)}
    W |= {"W1": rng.normal(size=(c, hidden)) / c**0.5, "b1": 0.3 * rng.normal(size=hidden)}
    return W | {"W2": rng.normal(size=(hidden, c)) / hidden**0.5, "b2": 0.3 * rng.normal(size=c)}


def torch_layer(W, prefix=""):
    """A layer's weights by torch's names."""
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
    """A stack's weights by torch's names."""
    layers = {
        name: a for i, each in enumerate(W["layers"]) for name, a in torch_layer(each, f"layers.{i}.").items()
    }
    return {prefix + name: array for name, array in (layers | torch_norm(W["norm"], "norm.")).items()}


def keras_layer(x, W, arrays, z=None, mask=None, *, causal=False, norm_first=False, activation="relu"):
    """One layer of a functional model; adds the weights of its parts to `arrays`, by name."""
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
        norm = keras_norm(W[f"norm{i}"], arrays)
        x = x + part(norm(x)) if norm_first else norm(x + part(x))
    return x


def keras_norm(W, arrays):
    import keras

    norm = keras.layers.LayerNormalization(epsilon=EPS)
    arrays[norm.name] = [W["gamma"], W["beta"]]
    return norm


def flax_layer(W, *, norm_first=False, activation="relu"):
    """A Flax module for a layer of this shape: call it with x and its mask, and z and its mask."""
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
                norm = nn.LayerNorm(epsilon=EPS, name=f"norm{i}")
                x = x + part(norm(x)) if norm_first else norm(x + part(x))
            return x

    return Layer()


def flax_params(W):
    """A layer's weights as the tree of that module."""
    params = {name: flax_heads(W[name]) for name in W if name.startswith("heads")}
    params |= {name: flax_norm(W[name]) for name in W if name.startswith("norm")}
    return params | {f"dense{i}": {"kernel": W[f"W{i}"], "bias": W[f"b{i}"]} for i in (1, 2)}


def flax_norm(norm):
    return {"scale": norm["gamma"], "bias": norm["beta"]}
