"""A Transformer's encoder under a mask that is boolean, added to the scores, or both, with shifts or without.

Formula
    FF(x) = act(x W₁ + b₁) W₂ + b₂
    post-norm: x ← LN(x + f(x)); pre-norm: x ← x + f(LN(x));  f = self-attention, then FF
    The scores of the self-attention are Q Kᵀ / √d + B, and −∞ where the mask is False.
Shapes
    x : (b, t, c)    a sequence of vectors; y has the same shape
    mask : (b, 1, t, t)    boolean, True where attention is allowed; any shape that broadcasts
    bias : (b, 1, t, t)    B, any shape that broadcasts
    W : layers, a list of weights as in transformer.py, and norm, the last one
    W1 : (c, f)
    b1 : (f,)
    W2 : (f, c)
    b2 : (c,)
Source
    Vaswani et al. 2017, sections 3.1 to 3.3. arXiv:1706.03762
    Shaw et al. 2018, section 3 (numbers added to the scores of pairs). arXiv:1803.02155
Choices
    B is given, not trained: it has no gradient here (attention.py has it).
    Every shift, b₁, b₂, those of the projections and the β of the norms, may be left out.
    Conditioning of masked-encoder/*b_K up to 9e8: the gradient of b_K is zero for all inputs
    (multi_head_attention.py); a sum gives the rounding of its terms.
    Conditioning of masked-encoder/* up to 45: the weights of the keys in dQ, and of the queries in dK, nearly
    add up to zero, so that what these have in common cancels.
"""

from reference.activation import ACTIVATIONS
from reference.linear import linear, linear_vjp
from reference.multi_head_attention import multi_head_attention, multi_head_attention_vjp
from reference.transformer import _down, _up


def masked_encoder(x, W, mask=None, bias=None, *, norm_first=False, activation="relu", eps=1e-5):
    """The layers W["layers"] in turn, then W["norm"]."""
    return _up(x, W, _parts(W, mask, bias, activation), norm_first, eps)[-1]


def masked_encoder_vjp(dy, x, W, mask=None, bias=None, *, norm_first=False, activation="relu", eps=1e-5):
    """The layers backwards."""
    dx, dW, _ = _down(dy, x, W, _parts(W, mask, bias, activation), norm_first, eps)
    return {"x": dx, "W": dW}


def _parts(W, mask, bias, activation):
    """The sublayers of each layer: pairs of f(x) and vjp(dy, x) -> dx, gradients of W, and no dz."""
    return [[_attention(each, mask, bias), _feed_forward(each, activation)] for each in W["layers"]]


def _attention(W, mask, bias):
    def vjp(dy, x):
        grads = multi_head_attention_vjp(dy, x, W["heads"], None, mask, bias)
        return grads["x"], {"heads": grads["heads"]}, []

    return lambda x: multi_head_attention(x, W["heads"], None, mask, bias), vjp


def _feed_forward(W, activation):
    act, act_vjp = ACTIVATIONS[activation]
    first, second = ((W[f"W{i}"], W.get(f"b{i}")) for i in (1, 2))

    def vjp(dy, x):
        h = linear(x, *first)  # (b, t, f)
        back = linear_vjp(dy, act(h), *second)
        dx = linear_vjp(act_vjp(back.pop("x"), h)["x"], x, *first)
        grads = {f"{name}2": g for name, g in back.items()}
        return dx.pop("x"), {f"{name}1": g for name, g in dx.items()} | grads, []

    return lambda x: linear(act(linear(x, *first)), *second), vjp
