"""Layer norm and the Transformer: gradients against finite differences, values against formulas in loops."""

import math

import numpy as np
import pytest

from reference import activation as activations
from reference.multi_head_attention import multi_head_attention
from reference.normalization import layer_norm, layer_norm_vjp
from reference.transformer import (
    encoder,
    encoder_layer,
    encoder_layer_vjp,
    encoder_vjp,
    transformer,
    transformer_vjp,
)
from tests.differences import check_dtype, check_vjp

b, s, t, c, h, d, f = 2, 4, 3, 4, 2, 3, 5


@pytest.mark.parametrize("shape", [(c,), (t, c)], ids=str)
@pytest.mark.parametrize("weights", ["", "gamma", "gamma beta"], ids=str)
@pytest.mark.parametrize("eps", [1e-5, 0.5])
def test_the_gradient_of_layer_norm_is_that_of_finite_differences(shape, weights, eps):
    rng = np.random.default_rng(1)
    inputs = {"x": 3 + rng.normal(size=(b, t, c))} | {
        name: rng.normal(size=shape) for name in weights.split()
    }
    check_vjp(layer_norm, layer_norm_vjp, inputs, options={"eps": eps}, rng=rng)
    check_dtype(layer_norm, layer_norm_vjp, inputs, options={"eps": eps})


def test_layer_norm_is_the_loop_over_rows():
    rng = np.random.default_rng(2)
    x, gamma, beta = rng.normal(size=(t, c)), rng.normal(size=c), rng.normal(size=c)
    y = layer_norm(x, gamma, beta, eps=0.1)
    for i in range(t):
        mean = sum(x[i]) / c
        variance = sum((value - mean) ** 2 for value in x[i]) / c
        for j in range(c):
            want = gamma[j] * (x[i, j] - mean) / math.sqrt(variance + 0.1) + beta[j]
            assert y[i, j] == pytest.approx(want, rel=1e-12)


def draw_layer(rng, names=("heads",)):
    W = {}
    for i, name in enumerate((*names, "feed-forward"), 1):
        W[f"norm{i}"] = {"gamma": rng.normal(size=c), "beta": rng.normal(size=c)}
        if name != "feed-forward":
            W[name] = {f"W_{x}": rng.normal(size=(c, h, d)) for x in "QKV"} | {
                "W_O": rng.normal(size=(h, d, c))
            }
            W[name] |= {f"b_{x}": rng.normal(size=(h, d)) for x in "QKV"} | {"b_O": rng.normal(size=c)}
    W |= {"W1": rng.normal(size=(c, f)), "b1": rng.normal(size=f)}
    return W | {"W2": rng.normal(size=(f, c)), "b2": rng.normal(size=c)}


def draw_stack(rng, names=("heads",), norm=True):
    W = {"layers": [draw_layer(rng, names) for _ in range(2)]}
    return W | {"norm": {"gamma": rng.normal(size=c), "beta": rng.normal(size=c)}} if norm else W


def padding(rng):
    mask = rng.uniform(size=(b, 1, 1, s)) < 0.5
    mask[..., 0] = True
    return mask


OPTIONS = [
    {},
    {"norm_first": True},
    {"activation": "gelu-tanh"},
    {"norm_first": True, "activation": "gelu-tanh", "eps": 0.01},
]


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("option", [*OPTIONS, {"causal": True}], ids=str)
def test_the_gradient_of_an_encoder_layer_is_that_of_finite_differences(option, masked):
    rng = np.random.default_rng(3)
    inputs = {"x": rng.normal(size=(b, s, c)), "W": draw_layer(rng)}
    if masked:
        inputs["mask"] = padding(rng)
    check_vjp(encoder_layer, encoder_layer_vjp, inputs, options=option, rng=rng, samples=15)
    check_dtype(encoder_layer, encoder_layer_vjp, inputs, options=option)


@pytest.mark.parametrize("norm", [False, True])
@pytest.mark.parametrize("option", OPTIONS[1:3], ids=str)
def test_the_gradient_of_an_encoder_is_that_of_finite_differences(option, norm):
    rng = np.random.default_rng(4)
    inputs = {"x": rng.normal(size=(b, s, c)), "W": draw_stack(rng, norm=norm), "mask": padding(rng)}
    check_vjp(encoder, encoder_vjp, inputs, options=option, rng=rng, samples=8)
    check_dtype(encoder, encoder_vjp, inputs, options=option)


@pytest.mark.parametrize("option", OPTIONS[:2], ids=str)
def test_the_gradient_of_the_transformer_is_that_of_finite_differences(option):
    rng = np.random.default_rng(5)
    W = {"encoder": draw_stack(rng), "decoder": draw_stack(rng, ("heads", "heads_cross"))}
    inputs = {"source": rng.normal(size=(b, s, c)), "target": rng.normal(size=(b, t, c)), "W": W}
    inputs["mask"] = padding(rng)
    check_vjp(transformer, transformer_vjp, inputs, options=option, rng=rng, samples=5)
    check_dtype(transformer, transformer_vjp, inputs, options=option)


@pytest.mark.parametrize("norm_first", [False, True])
def test_the_transformer_is_its_formula_written_out(norm_first):
    rng = np.random.default_rng(6)
    W = {"encoder": draw_stack(rng), "decoder": draw_stack(rng, ("heads", "heads_cross"))}
    x, y, mask = rng.normal(size=(b, s, c)), rng.normal(size=(b, t, c)), padding(rng)
    got = transformer(x, y, W, mask, norm_first=norm_first)

    def sublayer(function, x, norm):
        return x + function(layer_norm(x, **norm)) if norm_first else layer_norm(x + function(x), **norm)

    def forward(layer):
        return lambda x: activations.relu(x @ layer["W1"] + layer["b1"]) @ layer["W2"] + layer["b2"]

    for layer in W["encoder"]["layers"]:
        x = sublayer(lambda n, W=layer: multi_head_attention(n, W["heads"], mask=mask), x, layer["norm1"])
        x = sublayer(forward(layer), x, layer["norm2"])
    z = layer_norm(x, **W["encoder"]["norm"])
    for layer in W["decoder"]["layers"]:
        y = sublayer(lambda n, W=layer: multi_head_attention(n, W["heads"], causal=True), y, layer["norm1"])
        y = sublayer(lambda n, W=layer: multi_head_attention(n, W["heads_cross"], z, mask), y, layer["norm2"])
        y = sublayer(forward(layer), y, layer["norm3"])
    np.testing.assert_allclose(got, layer_norm(y, **W["decoder"]["norm"]), rtol=1e-10)


def test_the_decoder_sees_no_future_and_no_hidden_source():
    rng = np.random.default_rng(7)
    W = {"encoder": draw_stack(rng), "decoder": draw_stack(rng, ("heads", "heads_cross"))}
    x, y, mask = rng.normal(size=(b, s, c)), rng.normal(size=(b, t, c)), padding(rng)
    dy = np.zeros((b, t, c))
    dy[:, 0] = rng.normal(size=(b, c))
    grads = transformer_vjp(dy, x, y, W, mask)
    assert not grads["target"][:, 1:].any()
    assert not grads["source"][~mask[:, 0, 0]].any()
    assert grads["source"][mask[:, 0, 0]].all()
