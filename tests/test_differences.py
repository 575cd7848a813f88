"""The finite-difference tool finds what it is there to find."""

from typing import Any

import numpy as np
import pytest

from tests.differences import check_dtype, check_vjp


def square(x: Any, layers: Any, *, scale: float = 1.0) -> Any:
    return {"a": scale * x**2 * layers[0]["w"], "b": np.tanh(x)}


def square_vjp(dy: Any, x: Any, layers: Any, *, scale: float = 1.0) -> Any:
    w = layers[0]["w"]
    return {
        "x": dy["a"] * scale * 2 * x * w + dy["b"] * (1 - np.tanh(x) ** 2),
        "layers": [{"w": (dy["a"] * scale * x**2).sum()}],
    }


def inputs() -> Any:
    return {"x": np.array([[0.3, -1.2, 2.0]]), "layers": [{"w": np.array(0.7)}]}


def check(f: Any = square, f_vjp: Any = square_vjp, **keywords: Any) -> None:
    check_vjp(f, f_vjp, inputs(), rng=np.random.default_rng(0), **keywords)


def test_a_right_gradient_passes():
    check(options={"scale": 1.5})
    check_dtype(square, square_vjp, inputs())


def test_a_gradient_off_by_a_millionth_fails():
    def wrong(*args: Any, **keywords: Any) -> Any:
        g = square_vjp(*args, **keywords)
        return g | {"x": g["x"] * (1 + 1e-6)}

    with pytest.raises(AssertionError, match=r"x\[.*gradient is"):
        check(f_vjp=wrong)


def test_a_missing_gradient_fails():
    with pytest.raises(AssertionError, match="gradients: got"):
        check(f_vjp=lambda *args, **keywords: {"x": square_vjp(*args, **keywords)["x"]})


def test_fixed_inputs_have_no_gradient():
    check(f_vjp=lambda *args, **keywords: {"x": square_vjp(*args, **keywords)["x"]}, fixed=("layers",))


def test_a_function_that_widens_fails():
    with pytest.raises(AssertionError, match="dtype is float64"):
        check_dtype(lambda x: x * np.ones(3), None, {"x": np.ones(3)})


def test_a_gradient_that_writes_to_its_input_fails():
    def writes(dy: Any, x: Any, layers: Any) -> Any:
        g = square_vjp(dy, x, layers)
        x += 1
        return g

    with pytest.raises(AssertionError, match="wrote to its input"):
        check(f_vjp=writes)
