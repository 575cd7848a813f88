"""The frameworks' own counters, asked of a cell, and a counter that is not here."""

from dataclasses import replace
from itertools import chain

import pytest

from bench import pages
from bench.backends import Absent, backend
from bench.studies import counters
from bench.studies.counters import cells, count, size

CASE = "perceptron"


def here(name):
    try:
        backend(name).installed()
    except Absent as reason:
        pytest.skip(str(reason))


def unit(name):
    return next(cells(pages.case(CASE), name, "small"))


def test_the_size_is_the_largest_below_the_limit():
    assert size(pages.case("conv2d")) == "large"
    assert size(pages.case("lstm-model")) == "long"


def test_every_contender_is_counted_where_it_is_typical():
    found = list(cells(pages.case("triplet"), "jax", "small"))
    assert [(one.option, one.mode) for one in found] == [("inside", "jit")]


def test_torch_counts_the_products_of_the_formula_exactly():
    here("torch")
    forward, gradient = count(unit("torch"))
    assert (forward.status, forward.why) == ("", "")
    assert forward.counted == forward.formula and gradient.counted == gradient.formula
    assert forward.moved is None and gradient.least > forward.least > 0


def test_torch_counts_what_a_fused_kernel_does():
    here("torch")
    names = ("lstm", "attention", "transformer-encoder-layer")
    units = chain.from_iterable(cells(pages.case(name), "torch", "small") for name in names)
    found = [count(each)[0] for each in units]
    assert {each.ratio for each in found} == {1.0}


def test_a_training_step_is_counted_with_its_gradients():
    here("torch")
    (step,) = count(next(cells(pages.case("lstm-model"), "torch", "small")))
    assert step.counted == step.formula


def test_a_framework_that_is_not_installed_is_absent(monkeypatch):
    def missing(cls):
        raise Absent(f"{cls.name} is not installed")

    monkeypatch.setattr(backend("torch"), "installed", classmethod(missing))
    counters.instance.cache_clear()
    found = count(unit("torch"))
    assert {(one.status, one.why) for one in found} == {("absent", "torch is not installed")}
    assert [one.counted for one in found] == [None, None]


def test_a_backend_without_a_counter_is_absent():
    (found, *_) = count(replace(next(cells(pages.case(CASE), "numpy", "small"))))
    assert (found.status, found.why) == ("absent", "numpy has no counter")


def test_what_a_contender_raises_is_an_error_in_its_row(monkeypatch):
    def broken(*anything):
        raise RuntimeError("no memory")

    monkeypatch.setattr(backend("numpy"), "counted", broken)
    (found, *_) = count(next(cells(pages.case(CASE), "numpy", "small")))
    assert (found.status, found.why) == ("error", "RuntimeError: no memory")


class Program:
    def __init__(self, costs):
        self.costs = costs

    def lower(self, *arguments):
        return self

    compile = lower

    def cost_analysis(self):
        return self.costs


@pytest.mark.parametrize(
    ("costs", "said"),
    [
        ({"flops": 3.0, "transcendentals": 1.0, "bytes accessed": 8.0}, (4.0, 8.0)),
        ([{"flops": 3.0, "bytes accessed": 8.0}], (3.0, 8.0)),
        ({"transcendentals": 2.0}, (2.0, 0.0)),
        (None, (0.0, 0.0)),
    ],
)
def test_xla_may_leave_out_a_kind_or_give_a_list(monkeypatch, costs, said):
    jax = pytest.importorskip("jax")
    monkeypatch.setattr(jax, "jit", lambda call: Program(costs))
    engine = backend("jax").__new__(backend("jax"))
    assert engine.counted(len) == dict(zip(("flops", "bytes"), said, strict=True))
