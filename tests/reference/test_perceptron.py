"""The perceptron: gradients against finite differences, values against a loop over neurons."""

from itertools import pairwise
from math import tanh

import numpy as np
import pytest

from reference.activation import ACTIVATIONS
from reference.perceptron import perceptron, perceptron_vjp
from tests.differences import check_dtype, check_vjp

WIDTHS = (4, 5, 3, 2)


def draw(widths=WIDTHS, rows=6):
    rng = np.random.default_rng(1)
    layers = [{"W": rng.normal(size=(d, m)), "b": rng.normal(size=m)} for d, m in pairwise(widths)]
    return rng, {"x": rng.normal(size=(rows, widths[0])), "layers": layers}


@pytest.mark.parametrize("hidden", ACTIVATIONS)
@pytest.mark.parametrize("output", ["identity", "softmax", "log-softmax"])
def test_the_gradient_is_that_of_finite_differences(hidden, output):
    rng, inputs = draw()
    option = {"hidden": hidden, "output": output}
    # SciPy's erf has no longdouble
    extended = {} if hidden != "gelu" else {"dtype": np.float64, "rtol": 1e-6}
    check_vjp(perceptron, perceptron_vjp, inputs, options=option, rng=rng, **extended)
    check_dtype(perceptron, perceptron_vjp, inputs, options=option)


def test_one_layer_is_a_linear_layer_and_its_output_activation():
    rng, inputs = draw((3, 2))
    check_vjp(perceptron, perceptron_vjp, inputs, options={"output": "tanh"}, rng=rng)
    layer = inputs["layers"][0]
    np.testing.assert_allclose(perceptron(**inputs), inputs["x"] @ layer["W"] + layer["b"], rtol=1e-15)


def test_forward_propagation_is_the_loop_over_neurons():
    _, inputs = draw()
    for x, got in zip(inputs["x"], perceptron(**inputs, hidden="tanh"), strict=True):
        h = list(x)
        for number, layer in enumerate(inputs["layers"]):
            d, m = layer["W"].shape
            z = [sum(h[i] * layer["W"][i, j] for i in range(d)) + layer["b"][j] for j in range(m)]
            h = z if number == len(WIDTHS) - 2 else [tanh(a) for a in z]
        np.testing.assert_allclose(got, h, rtol=1e-13)
