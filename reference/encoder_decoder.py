"""The Transformer under masks of pairs and of keys, with shifts or without.

Formula
    y = decoder(target, encoder(source)), with the sublayers and norms of transformer.py
    The scores of each attention are Q Kᵀ / √d + B, and −∞ where its mask is False.
Shapes
    source : (b, s, c)
    target : (b, t, c)
    mask_source : (b, 1, s, s)    boolean, of the encoder; True where attention is allowed, any shape that
        broadcasts
    bias_source : (b, 1, s, s)    its B, any shape that broadcasts
    mask_target : (b, 1, t, t)    of the decoder's self-attention, beside its causal mask
    mask_memory : (b, 1, t, s)    of the attention to the encoder's result, and bias_memory alike
    W : encoder and decoder, two stacks of weights as in transformer.py
    gamma : (c,)    of a norm; beta has the same shape
    W1 : (c, f)
    b1 : (f,)
    W2 : (f, c)
    b2 : (c,)
Source
    Vaswani et al. 2017, section 3. arXiv:1706.03762
    Shaw et al. 2018, section 3 (numbers added to the scores of pairs). arXiv:1803.02155
Choices
    B is given, not trained: it has no gradient here (attention.py has it).
    Masks hide keys only: what stands at a place that is masked as a key is computed like the rest, and the
    decoder sees it unless its own mask hides it.
    Every shift, b₁, b₂, those of the projections and the β of the norms, may be left out.
    Conditioning of encoder-decoder/*b_K up to 9e8: the gradient of b_K is zero for all inputs
    (multi_head_attention.py); a sum gives the rounding of its terms.
    Conditioning of encoder-decoder/* up to 45: the weights of the keys in dQ, and of the queries in dK,
    nearly add up to zero, so that what these have in common cancels.
"""

from functools import reduce
from operator import add

from reference.masked_encoder import _feed_forward, masked_encoder, masked_encoder_vjp
from reference.multi_head_attention import multi_head_attention, multi_head_attention_vjp
from reference.transformer import _down, _up


def encoder_decoder(
    source, target, W, mask_source=None, bias_source=None, mask_target=None, mask_memory=None,
    bias_memory=None, *, causal=True, norm_first=False, activation="relu", eps=1e-5,
):  # fmt: skip
    """Each target position attends to the target, and to all of the encoded source that is not masked."""
    option = {"norm_first": norm_first, "activation": activation, "eps": eps}
    z = masked_encoder(source, W["encoder"], mask_source, bias_source, **option)  # (b, s, c)
    parts = _parts(W["decoder"], z, mask_target, mask_memory, bias_memory, causal, activation)
    return _up(target, W["decoder"], parts, norm_first, eps)[-1]  # (b, t, c)


def encoder_decoder_vjp(
    dy, source, target, W, mask_source=None, bias_source=None, mask_target=None, mask_memory=None,
    bias_memory=None, *, causal=True, norm_first=False, activation="relu", eps=1e-5,
):  # fmt: skip
    """The decoder backwards; each of its layers adds a part to dz, which goes back through the encoder."""
    option = {"norm_first": norm_first, "activation": activation, "eps": eps}
    z = masked_encoder(source, W["encoder"], mask_source, bias_source, **option)
    parts = _parts(W["decoder"], z, mask_target, mask_memory, bias_memory, causal, activation)
    dtarget, decoder, dz = _down(dy, target, W["decoder"], parts, norm_first, eps)
    grads = masked_encoder_vjp(reduce(add, dz), source, W["encoder"], mask_source, bias_source, **option)
    return {"source": grads["x"], "target": dtarget, "W": {"encoder": grads["W"], "decoder": decoder}}


def _parts(W, z, mask_target, mask_memory, bias_memory, causal, activation):
    """The sublayers of each decoder layer: pairs of f(x) and vjp(dy, x) -> dx, gradients of W, dz if any."""
    return [
        [
            _attention(each, "heads", None, mask_target, None, causal),
            _attention(each, "heads_cross", z, mask_memory, bias_memory, False),
            _feed_forward(each, activation),
        ]
        for each in W["layers"]
    ]


def _attention(W, name, z, mask, bias, causal):
    def vjp(dy, x):
        grads = multi_head_attention_vjp(dy, x, W[name], z, mask, bias, causal=causal)
        return grads["x"], {name: grads["heads"]}, [grads["z"]] if "z" in grads else []

    return lambda x: multi_head_attention(x, W[name], z, mask, bias, causal=causal), vjp
