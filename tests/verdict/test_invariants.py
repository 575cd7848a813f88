"""Lane (d): exact invariants."""

from dataclasses import replace

import numpy as np
import pytest

from bench.backends.numpy import NumPy
from bench.contender.prepare import Ready
from bench.verdict import invariants
from bench.verdict.judge import unchanged

PARAMS, DATA = {"W": np.full((3, 2), 0.1)}, {"x": np.full((5, 3), 0.3)}
COTANGENTS = {"y": np.linspace(0.1, 1, 10).reshape(5, 2)}


def product(params, data, cotangents):
    dy = cotangents["y"]
    return {"y": data["x"] @ params["W"]}, {
        "params": {"W": data["x"].T @ dy},
        "data": {"x": dy @ params["W"].T},
    }


def said(vjp) -> str:
    engine = NumPy("cpu", "float64")
    return invariants.broken(engine, vjp, PARAMS, DATA, COTANGENTS, vjp(PARAMS, DATA, COTANGENTS))


def test_an_honest_call_breaks_none():
    assert said(product) == ""


def test_a_call_that_is_not_repeatable_is_named():
    calls = iter(range(10))

    def restless(params, data, cotangents):
        outputs, gradients = product(params, data, cotangents)
        return {"y": outputs["y"] * (1 + next(calls) * 2.0**-52)}, gradients

    assert said(restless) == "the same call gave another output y the second time"


def test_a_gradient_that_is_not_linear_in_its_cotangent_is_named():
    def stabilised(params, data, cotangents):
        outputs, gradients = product(params, data, cotangents)
        return outputs, {**gradients, "data": {"x": gradients["data"]["x"] + 1e-9}}

    assert said(stabilised) == "the cotangent times 128 is not gradient of x times 128, bit by bit"


def test_what_leaves_the_range_of_the_dtype_is_left_out():
    def huge(params, data, cotangents):
        outputs, gradients = product(params, data, cotangents)
        with np.errstate(over="ignore"):
            return outputs, {"params": {"W": gradients["params"]["W"] * 1e307}, "data": {"x": np.zeros(3)}}

    assert said(huge) == ""


def test_what_may_have_been_lost_on_the_way_is_left_out_in_bfloat16_too():
    """A factor below the range is flushed, and 2⁷ times it is not: the result is small and not zero."""
    least = np.float64(2.0**-126)
    before, louder = np.zeros(1), np.array([least * 2.0**10])
    for dtype in ("bfloat16", "float32"):
        assert not invariants._inside(louder, dtype).any() and invariants._inside(before, dtype).all()
        assert invariants._inside(np.array([least * 2.0**25]), dtype).all()


@pytest.mark.parametrize(("device", "words"), [("cpu", "the same call gave another output y"), ("gpu", "")])
def test_only_a_cpu_must_repeat_itself(device, words):
    calls = iter(range(10))

    def restless(params, data, cotangents):
        return {"y": np.full(3, float(next(calls)))}, {"params": {}, "data": {}}

    engine = NumPy("cpu", "float64")
    engine.device = device
    ready = Ready(engine, None, None, (), None, restless, PARAMS, DATA, COTANGENTS)
    assert unchanged(ready).startswith(words) and bool(unchanged(replace(ready))) == bool(words)


def test_a_gpu_that_repeats_itself_is_held_to_its_invariants():
    calls = []

    def stabilised(params, data, cotangents):
        outputs, gradients = product(params, data, cotangents)
        calls.append(1)
        return outputs, {**gradients, "data": {"x": gradients["data"]["x"] + 1e-9}}

    engine = NumPy("cpu", "float64")
    engine.device = "gpu"
    ready = Ready(engine, None, None, (), None, stabilised, PARAMS, DATA, COTANGENTS)
    assert unchanged(ready).startswith("the cotangent times 128 is not gradient of x")

    def by_luck(params, data, cotangents):
        """The same bits in the first calls, and other bits later."""
        outputs, gradients = stabilised(params, data, cotangents)
        return {"y": outputs["y"] + max(0, len(calls) - invariants.GOES - 2)}, gradients

    calls.clear()
    assert unchanged(replace(ready, vjp=by_luck)) == ""


@pytest.mark.parametrize(("dtype", "asked"), [("float16", False), ("bfloat16", True), ("float32", True)])
def test_scaling_is_no_invariant_where_the_range_ends_as_soon_as_in_float16(dtype, asked):
    def louder(params, data, cotangents):
        ones = np.ones(3, np.float32)
        return {"y": ones}, {"params": {}, "data": {"x": ones}}

    engine = NumPy("cpu", "float32")
    engine.dtype = dtype
    found = invariants.broken(engine, louder, PARAMS, DATA, COTANGENTS, louder(PARAMS, DATA, COTANGENTS))
    assert bool(found) == asked
