"""Programs that serve further kinds of inputs."""

from dataclasses import replace

import pytest

from bench import pages
from bench.case import Case, Contender
from bench.cells.cell import Cell
from bench.contender import program
from bench.contender.program import Programs
from bench.verdict.judge import judge

UNIT = Cell("product", "plain", "typical", "small", "jax.numpy.matmul", "jax", "jit", "cpu", "float32", "")


def product(x, W):
    return x @ W


def product_vjp(dy, x, W):
    return {"x": dy @ W.T, "W": x.T @ dy}


def inputs(rng, *, regime="typical"):
    rows, sign = {"typical": (7, 1), "negative": (7, -1), "longer": (9, 1)}[regime]
    return {"W": sign * rng.normal(size=(5, 4))}, {"x": sign * rng.uniform(1, 2, size=(rows, 5))}


@pytest.fixture
def judged(monkeypatch):
    """Judges regimes of a product, as `build` computes it, with programs in common."""
    pytest.importorskip("jax")
    shared = Programs()

    def judged(build, *regimes, mode="jit", programs=shared):
        case = Case(
            name="product",
            title="A product",
            reference=product,
            gradient=product_vjp,
            inputs=inputs,
            sizes={"small": {}},
            regimes={"typical": "as usual", "negative": "below zero", "longer": "of more rows"},
            contenders=(Contender("jax", "jax.numpy.matmul", build),),
            items=lambda **size: 1,
            unit="samples",
            flops=lambda **size: 1,
        )
        monkeypatch.setitem(pages.cases(), "product", case)
        units = [replace(UNIT, regime=regime, mode=mode) for regime in regimes]
        both = "forward", "gradient"
        return [judge(unit, both, calls=8, programs=programs).rows["gradient"] for unit in units]

    return judged


def counting(traces, change=lambda x, W: x @ W):
    """A build whose run tells each time that Python runs it."""

    def build(weights):
        def run(params, x):
            traces.append(x.shape)
            return {"y": change(x, params["W"])}

        return weights, run

    return build


def test_one_program_serves_other_values_and_another_one_other_shapes(judged):
    traces = []
    first, second, third = judged(counting(traces), "typical", "negative", "longer")
    assert [row.status for row in (first, second, third)] == ["agrees"] * 3
    assert traces == [(7, 5), (9, 5)]
    assert first.first_call_s and third.first_call_s and second.first_call_s is None
    assert second.repeats and second.checksum != first.checksum and second.judged == first.judged


def test_nothing_is_kept_where_nothing_is_compiled(judged):
    traces = []
    judged(counting(traces), "typical", mode="eager")
    once = len(traces)
    assert judged(counting(traces), "negative", mode="eager")[0].first_call_s
    assert len(traces) >= once + 2


def test_a_program_that_holds_values_is_compiled_again(judged):
    from jax.lax import stop_gradient

    def build(weights):
        own = weights["W"]

        def run(params, x):
            return {"y": x @ (params["W"] + stop_gradient(own - params["W"]))}

        return weights, run

    rows = judged(build, "typical", "negative")
    assert [row.status for row in rows] == ["agrees"] * 2 and rows[1].first_call_s


def test_a_fault_of_some_values_is_that_of_a_program_of_its_own(judged):
    import jax.numpy as jnp

    wrong = counting([], lambda x, W: jnp.where(x < 0, 1.001, 1) * x @ W)
    usual, again = judged(wrong, "typical", "negative")
    (alone,) = judged(wrong, "negative", programs=None)
    assert (usual.status, again.status) == ("agrees", "disagrees")
    assert (alone.status, alone.why, alone.z_worst) == (again.status, again.why, again.z_worst)
    assert again.first_call_s


def test_the_oldest_program_makes_room(judged, monkeypatch):
    monkeypatch.setattr(program, "MOST", 1)
    traces = []
    judged(counting(traces), "typical", "longer", "negative")
    assert traces == [(7, 5), (9, 5), (7, 5)]
