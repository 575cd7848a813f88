"""The Transformer: encoder layer and stack, decoder layer, and the encoder-decoder y = Transformer(x; W).

Formula
    FF(x) = act(x W₁ + b₁) W₂ + b₂
    post-norm: x ← LN(x + f(x))         for each sublayer f in turn
    pre-norm:  x ← x + f(LN(x))
    encoder layer: f = self-attention, FF
    decoder layer: f = causal self-attention, attention to the encoder's result z, FF
    encoder, decoder = their layers in turn, then an optional LN
    y = decoder(target, encoder(source))
Shapes
    x : (b, t, c)    a sequence of vectors; y has the shape of x, or of target
    source : (b, s, c)
    target : (b, t, c)
    mask : (b, 1, 1, s)    boolean, True for the keys of x (of source) that may be attended to
    W : of a layer: heads (and heads_cross) as in multi_head_attention, norms 1 to 2 (3), W1, b1, W2, b2;
        of a stack: layers, a list, and norm; of the Transformer: encoder and decoder, two stacks
    gamma : (c,)    of a norm; beta has the same shape
    W1 : (c, f)
    b1 : (f,)
    W2 : (f, c)
    b2 : (c,)
Source
    Vaswani et al. 2017, section 3. arXiv:1706.03762 (post-norm)
    Xiong et al. 2020, On layer normalization in the Transformer architecture. arXiv:2002.04745 (pre-norm)
Choices
    Embedding, positions and the last softmax are not part of it, as in torch.nn.Transformer. No dropout.
    A padding mask hides keys only: outputs at padded positions are computed like the rest.
    The paper has no LN after the stacks; pre-norm needs one, and torch.nn.Transformer always has it.
    Conditioning of transformer/*b_K, transformer-encoder/*b_K, transformer-encoder-layer/*b_K up to 9e8: the
    gradient of b_K is zero for all inputs (multi_head_attention.py); a sum gives the rounding of its terms.
    Conditioning of transformer/*, transformer-encoder/*, transformer-encoder-layer/* up to 32: the weights of
    the keys in dQ, and of the queries in dK, nearly add up to zero, so that what these have in common
    cancels.
"""

from functools import reduce
from operator import add

from reference.activation import ACTIVATIONS
from reference.linear import linear, linear_vjp
from reference.multi_head_attention import multi_head_attention, multi_head_attention_vjp
from reference.normalization import layer_norm, layer_norm_vjp


def encoder_layer(x, W, mask=None, *, norm_first=False, activation="relu", causal=False, eps=1e-5):
    """Self-attention, then FF."""
    return _walk(x, W, _encoder(W, mask, causal, activation), norm_first, eps)[-1]


def encoder_layer_vjp(dy, x, W, mask=None, *, norm_first=False, activation="relu", causal=False, eps=1e-5):
    """The sublayers backwards."""
    dx, dW, _ = _back(dy, x, W, _encoder(W, mask, causal, activation), norm_first, eps)
    return {"x": dx, "W": dW}


def encoder(x, W, mask=None, *, norm_first=False, activation="relu", causal=False, eps=1e-5):
    """The layers W["layers"] in turn, then W["norm"]."""
    parts = [_encoder(layer, mask, causal, activation) for layer in W["layers"]]
    return _up(x, W, parts, norm_first, eps)[-1]


def encoder_vjp(dy, x, W, mask=None, *, norm_first=False, activation="relu", causal=False, eps=1e-5):
    """The layers backwards."""
    parts = [_encoder(layer, mask, causal, activation) for layer in W["layers"]]
    dx, dW, _ = _down(dy, x, W, parts, norm_first, eps)
    return {"x": dx, "W": dW}


def transformer(source, target, W, mask=None, *, norm_first=False, activation="relu", eps=1e-5):
    """Each target position attends to earlier ones, and to all of the encoded source that is not masked."""
    z = encoder(source, W["encoder"], mask, norm_first=norm_first, activation=activation, eps=eps)
    parts = [_decoder(layer, z, mask, activation) for layer in W["decoder"]["layers"]]
    return _up(target, W["decoder"], parts, norm_first, eps)[-1]  # (b, t, c)


def transformer_vjp(dy, source, target, W, mask=None, *, norm_first=False, activation="relu", eps=1e-5):
    """The decoder backwards; each of its layers adds a part to dz, which goes back through the encoder."""
    option = {"norm_first": norm_first, "activation": activation, "eps": eps}
    z = encoder(source, W["encoder"], mask, **option)  # (b, s, c)
    parts = [_decoder(layer, z, mask, activation) for layer in W["decoder"]["layers"]]
    dtarget, decoder, dz = _down(dy, target, W["decoder"], parts, norm_first, eps)
    grads = encoder_vjp(reduce(add, dz), source, W["encoder"], mask, **option)
    return {"source": grads["x"], "target": dtarget, "W": {"encoder": grads["W"], "decoder": decoder}}


def _encoder(W, mask, causal, activation):
    """The sublayers of an encoder layer: pairs of f(x) and vjp(dy, x) -> dx, gradients of W, dz if any."""
    return [_attention(W, "heads", None, mask, causal), _feed_forward(W, activation)]


def _decoder(W, z, mask, activation):
    crossed = _attention(W, "heads_cross", z, mask, False)
    return [_attention(W, "heads", None, None, True), crossed, _feed_forward(W, activation)]


def _attention(W, name, z, mask, causal):
    def vjp(dy, x):
        grads = multi_head_attention_vjp(dy, x, W[name], z, mask, causal=causal)
        return grads["x"], {name: grads["heads"]}, [grads["z"]] if "z" in grads else []

    return lambda x: multi_head_attention(x, W[name], z, mask, causal=causal), vjp


def _feed_forward(W, activation):
    act, act_vjp = ACTIVATIONS[activation]

    def vjp(dy, x):
        h = linear(x, W["W1"], W["b1"])  # (b, t, f)
        second = linear_vjp(dy, act(h), W["W2"], W["b2"])
        first = linear_vjp(act_vjp(second["x"], h)["x"], x, W["W1"], W["b1"])
        return first["x"], {"W1": first["W"], "b1": first["b"], "W2": second["W"], "b2": second["b"]}, []

    return lambda x: linear(act(linear(x, W["W1"], W["b1"])), W["W2"], W["b2"]), vjp


def _walk(x, W, parts, norm_first, eps):
    """x before each sublayer, and after the last."""
    steps = [x]
    for i, (f, _) in enumerate(parts, 1):
        norm, x = W[f"norm{i}"], steps[-1]
        steps.append(
            x + f(layer_norm(x, **norm, eps=eps)) if norm_first else layer_norm(x + f(x), **norm, eps=eps)
        )
    return steps


def _back(dy, x, W, parts, norm_first, eps):
    """dx, dW and dz of a layer. A sum passes its cotangent to both of its terms."""
    steps, dW, dz = _walk(x, W, parts, norm_first, eps), {}, []
    for i, (f, vjp), x in reversed(list(zip(range(1, len(parts) + 1), parts, steps, strict=False))):
        norm = W[f"norm{i}"]
        if norm_first:
            dn, found, more = vjp(dy, layer_norm(x, **norm, eps=eps))
            dnorm = layer_norm_vjp(dn, x, **norm, eps=eps)
            dy = dy + dnorm.pop("x")
        else:
            dnorm = layer_norm_vjp(dy, x + f(x), **norm, eps=eps)
            dsum = dnorm.pop("x")
            dx, found, more = vjp(dsum, x)
            dy = dsum + dx
        dW |= found | {f"norm{i}": dnorm}
        dz = dz + more
    return dy, dW, dz


def _up(x, W, parts, norm_first, eps):
    """x before each layer, before the last norm, and after it."""
    steps = [x]
    for layer, each in zip(W["layers"], parts, strict=True):
        steps.append(_walk(steps[-1], layer, each, norm_first, eps)[-1])
    return [*steps, layer_norm(steps[-1], **W["norm"], eps=eps) if "norm" in W else steps[-1]]


def _down(dy, x, W, parts, norm_first, eps):
    """dx, dW and dz of a stack."""
    *steps, last, _ = _up(x, W, parts, norm_first, eps)
    dW, dz = {"layers": []}, []
    if "norm" in W:
        dW["norm"] = layer_norm_vjp(dy, last, **W["norm"], eps=eps)
        dy = dW["norm"].pop("x")
    for layer, each, step in reversed(list(zip(W["layers"], parts, steps, strict=True))):
        dy, found, more = _back(dy, step, layer, each, norm_first, eps)
        dW["layers"].insert(0, found)
        dz = dz + more
    return dy, dW, dz
