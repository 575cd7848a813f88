"""Recurrent layers: gradients against finite differences, values against loops over plain Python floats."""

from math import exp, tanh

import numpy as np
import pytest

from reference.gru import gru, gru_vjp
from reference.lstm import lstm, lstm_vjp
from reference.rnn import rnn, rnn_vjp
from tests.differences import check_dtype, check_vjp

b, t, d, m = 2, 3, 4, 3
STACKS = [(1, 1), (2, 1), (1, 2), (2, 2)]


def draw(rng, gates, depth=1, directions=1, biases="b", carry=""):
    layers = []
    for level in range(depth):
        width = d if level == 0 else m * directions
        shapes = {"W": (width, gates * m), "U": (m, gates * m)} | {name: (gates * m,) for name in biases}
        layers.append(
            [{name: rng.normal(size=shape) for name, shape in shapes.items()} for _ in range(directions)]
        )
    starts = {name: rng.normal(size=(depth * directions, b, m)) for name in (["h0", "c0"] if carry else [])}
    return {"x": rng.normal(size=(b, t, d)), "layers": layers} | {
        name: start for name, start in starts.items() if name[0] in carry
    }


@pytest.mark.parametrize("last", [False, True])
@pytest.mark.parametrize("activation", ["tanh", "relu"])
@pytest.mark.parametrize("stack", STACKS)
def test_the_gradient_of_the_rnn_is_that_of_its_formula(stack, activation, last):
    rng = np.random.default_rng(1)
    options = {"activation": activation, "last": last}
    check_vjp(rnn, rnn_vjp, draw(rng, 1, *stack), options=options, rng=rng, samples=12)


@pytest.mark.parametrize("last", [False, True])
@pytest.mark.parametrize("stack", STACKS)
def test_the_gradient_of_the_lstm_is_that_of_its_formula(stack, last):
    rng = np.random.default_rng(2)
    check_vjp(lstm, lstm_vjp, draw(rng, 4, *stack), options={"last": last}, rng=rng, samples=12)


@pytest.mark.parametrize("last", [False, True])
def test_states_are_carried_with_their_gradients(last):
    rng = np.random.default_rng(3)
    options = {"last": last}
    check_vjp(rnn, rnn_vjp, draw(rng, 1, 2, 2, carry="h"), options=options, rng=rng, samples=12)
    check_vjp(lstm, lstm_vjp, draw(rng, 4, 2, 2, carry="hc"), options=options, rng=rng, samples=12)


def test_layers_without_a_bias_have_no_gradient_of_one():
    rng = np.random.default_rng(4)
    check_vjp(rnn, rnn_vjp, draw(rng, 1, biases=""), rng=rng, samples=12)
    check_vjp(lstm, lstm_vjp, draw(rng, 4, biases=""), rng=rng, samples=12)


def test_a_second_bias_adds_to_the_first_and_has_its_gradient():
    rng = np.random.default_rng(9)
    for f, f_vjp, gates in ((rnn, rnn_vjp, 1), (lstm, lstm_vjp, 4)):
        inputs = draw(rng, gates, biases="bc")
        check_vjp(f, f_vjp, inputs, rng=rng, samples=12)
        cell = inputs["layers"][0][0]
        one = {"W": cell["W"], "U": cell["U"], "b": cell["b"] + cell["c"]}
        np.testing.assert_allclose(f(**inputs), f(inputs["x"], [[one]]), rtol=1e-12)


@pytest.mark.parametrize("dtype", [np.float32, np.longdouble])
def test_the_dtype_of_the_inputs_is_kept(dtype):
    rng = np.random.default_rng(5)
    for last in (False, True):
        check_dtype(rnn, rnn_vjp, draw(rng, 1, 2, 2), options={"last": last}, dtype=dtype)
        check_dtype(lstm, lstm_vjp, draw(rng, 4, 2, 2), options={"last": last}, dtype=dtype)
    check_dtype(rnn, rnn_vjp, draw(rng, 1, carry="h"), dtype=dtype)
    check_dtype(lstm, lstm_vjp, draw(rng, 4, carry="hc"), dtype=dtype)


def affine(cell, row, x, h):
    z = sum(float(w) * v for w, v in zip(cell["W"][:, row], x, strict=True)) + float(cell["b"][row])
    return z + sum(float(u) * v for u, v in zip(cell["U"][:, row], h, strict=True))


def loop(cell, sequence, h, c=None):
    """One direction over one sequence, one float at a time; the gates by their names."""
    out = []
    for x in sequence:
        if c is None:
            h = [tanh(affine(cell, row, x, h)) for row in range(m)]
        else:
            z = {gate: [affine(cell, k * m + row, x, h) for row in range(m)] for k, gate in enumerate("ifgo")}
            i, f, o = ([1 / (1 + exp(-v)) for v in z[gate]] for gate in "ifo")
            c = [f[j] * c[j] + i[j] * tanh(z["g"][j]) for j in range(m)]
            h = [o[j] * tanh(c[j]) for j in range(m)]
        out.append(h)
    return out, h, c


def test_one_layer_is_the_loop_of_its_formula():
    rng = np.random.default_rng(6)
    for f, gates, carry in ((rnn, 1, "h"), (lstm, 4, "hc")):
        inputs = draw(rng, gates, carry=carry)
        y = f(**inputs)
        for n in range(b):
            state = [inputs[name][0, n].tolist() for name in ("h0", "c0")[: len(carry)]]
            out, *ends = loop(inputs["layers"][0][0], inputs["x"][n].tolist(), *state)
            np.testing.assert_allclose(y["y"][n], out, rtol=1e-12)
            for name, end in zip(carry, ends, strict=False):
                np.testing.assert_allclose(y[name][0, n], end, rtol=1e-12)


@pytest.mark.parametrize("f, gates", [(rnn, 1), (gru, 3), (lstm, 4)])
def test_a_stack_in_both_directions_is_made_of_single_layers(f, gates):
    inputs = draw(np.random.default_rng(7), gates, 2, 2)
    x = inputs["x"]
    for forward, backward in inputs["layers"]:
        there, back = f(x, [[forward]]), f(x[:, ::-1], [[backward]])
        x = np.concatenate([there, back[:, ::-1]], axis=-1)
    assert np.array_equal(f(**inputs), x)
    assert np.array_equal(f(**inputs, last=True), np.concatenate([there[:, -1], back[:, -1]], axis=-1))


@pytest.mark.parametrize("f, gates, carry", [(rnn, 1, "h"), (gru, 3, "h"), (lstm, 4, "hc")])
def test_a_carried_state_continues_the_sequence(f, gates, carry):
    inputs = draw(np.random.default_rng(8), gates, 2, carry=carry)
    whole = f(**inputs)
    first = f(**(inputs | {"x": inputs["x"][:, :1]}))
    second = f(**(inputs | {"x": inputs["x"][:, 1:]} | {f"{name}0": first[name] for name in carry}))
    np.testing.assert_allclose(np.concatenate([first["y"], second["y"]], axis=1), whole["y"], rtol=1e-12)
    for name in carry:
        np.testing.assert_allclose(second[name], whole[name], rtol=1e-12)


def draw_gru(rng, depth=1, directions=1, *, after=True, carry=""):
    inputs = draw(rng, 3, depth, directions, carry=carry)
    for layer in inputs["layers"] if after else ():
        for cell in layer:
            cell["c"] = rng.normal(size=m)
    return inputs


@pytest.mark.parametrize("last", [False, True])
@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("stack", STACKS)
def test_the_gradient_of_the_gru_is_that_of_its_formula(stack, after, last):
    rng = np.random.default_rng(10)
    options = {"reset_after": after, "last": last}
    for carry in ("", "h"):
        inputs = draw_gru(rng, *stack, after=after, carry=carry)
        check_vjp(gru, gru_vjp, inputs, options=options, rng=rng, samples=12)
    check_dtype(gru, gru_vjp, inputs, options=options)


@pytest.mark.parametrize("after", [False, True])
def test_a_gru_without_biases_has_no_gradient_of_them(after):
    rng = np.random.default_rng(11)
    options = {"reset_after": after}
    check_vjp(gru, gru_vjp, draw(rng, 3, 2, biases=""), options=options, rng=rng, samples=12)


@pytest.mark.parametrize("after", [False, True])
def test_a_gru_is_the_loop_of_its_formula(after):
    inputs = draw_gru(np.random.default_rng(12), after=after, carry="h")
    y, cell = gru(**inputs, reset_after=after), inputs["layers"][0][0]

    def times(name, k, v):
        block = cell[name][:, k * m : (k + 1) * m].T.tolist()
        return [sum(w * x for w, x in zip(row, v, strict=True)) for row in block]

    for i in range(b):
        h = inputs["h0"][0, i].tolist()
        for t, x in enumerate(inputs["x"][i].tolist()):
            r, z = (
                [
                    1 / (1 + exp(-(wx + uh + bias)))
                    for wx, uh, bias in zip(
                        times("W", k, x), times("U", k, h), cell["b"][k * m :][:m], strict=True
                    )
                ]
                for k in (0, 1)
            )
            if after:
                reset = [r[j] * (uh + cell["c"][j]) for j, uh in enumerate(times("U", 2, h))]
            else:
                reset = times("U", 2, [r[j] * h[j] for j in range(m)])
            wx = times("W", 2, x)
            n = [tanh(wx[j] + cell["b"][2 * m + j] + reset[j]) for j in range(m)]
            h = [(1 - z[j]) * n[j] + z[j] * h[j] for j in range(m)]
            np.testing.assert_allclose(y["y"][i, t], h, rtol=1e-12)
        np.testing.assert_allclose(y["h"][0, i], h, rtol=1e-12)
