"""What a cell is given: made once, kept beside what is derived from it, and the same for everybody."""

import re

import numpy as np
import pytest

import bench.inputs as page
from bench import pages
from bench.case import Case
from bench.cells.cell import Cell
from bench.inputs import inputs, make
from bench.tolerance import expected
from bench.tolerance.expected import expectation, key
from bench.tree import flatten, floating, tree_map
from bench.verdict.judge import run

WHERE = ("numpy", "eager", "cpu", "float64", "training")
ADAM = Cell("adam", "plain", "typical", "small", "suites.adam.adam_step", *WHERE)


@pytest.fixture(autouse=True)
def _(tmp_path, monkeypatch):
    monkeypatch.setenv("GAUGEBLOCK_CACHE", str(tmp_path))


def elsewhere(monkeypatch):
    """From now on as on a machine whose BLAS gives other bits; more of them, so that none is lost."""
    made = page.make

    def other(cell, number=0):
        found = made(cell, number)
        starts = tree_map(lambda x: x * (1 + 2.0**-30) if floating(x) else x, found.starts)
        return page.Inputs(found.weights, found.data, found.cotangents, starts)

    monkeypatch.setattr(page, "make", other)
    page._inputs.cache_clear()
    page._GIVEN.clear()
    expected._expectation.cache_clear()


def bits(given):
    trees = (given.weights, dict(given.data), given.cotangents, given.starts)
    return [leaf.tobytes() for leaf in flatten(trees).values() if hasattr(leaf, "tobytes")]


def test_inputs_are_made_once_and_given_to_every_machine_that_has_the_cache(monkeypatch):
    first = bits(inputs(ADAM))
    elsewhere(monkeypatch)
    assert bits(inputs(ADAM)) == first


def test_machines_that_share_no_cache_have_inputs_and_limits_of_their_own(monkeypatch, tmp_path):
    first, named = bits(inputs(ADAM)), key(ADAM, False, "float64")
    elsewhere(monkeypatch)
    monkeypatch.setenv("GAUGEBLOCK_CACHE", str(tmp_path / "other"))
    assert bits(inputs(ADAM)) != first and key(ADAM, False, "float64") != named


def test_a_training_is_judged_on_the_inputs_that_its_limits_were_derived_from(monkeypatch):
    expectation(ADAM)
    elsewhere(monkeypatch)
    monkeypatch.setattr(expected, "derive", None)  # its limits are in the cache
    row = run(ADAM)
    assert row.status == "agrees", row.why


def test_limits_that_belong_to_other_inputs_are_not_taken(monkeypatch, tmp_path):
    """As where a cache has lost the inputs and kept the limits: nobody is judged by the limits of others."""
    expectation(ADAM)
    for file in tmp_path.glob("inputs-*.npz"):
        file.unlink()
    elsewhere(monkeypatch)
    row = run(ADAM)
    assert row.status == "agrees", row.why


def test_a_process_that_was_given_other_inputs_before_says_so(monkeypatch, tmp_path):
    """As where another run has emptied the cache, and somebody has made them anew."""
    inputs(ADAM)
    first = dict(page._GIVEN)
    elsewhere(monkeypatch)
    page._GIVEN.update(first)
    for file in tmp_path.glob("inputs-*.npz"):
        file.unlink()
    row = run(ADAM)
    assert row.status == "error" and "got new ones, should be those of before" in row.why


def test_a_further_set_has_the_weights_of_the_first_and_none_of_its_own_in_the_cache(tmp_path):
    cell = Cell("linear-regression", "plain", "typical", "small", "", "", "", "", "float32", "")
    first, second = inputs(cell), inputs(cell, 1)
    assert second.weights is first.weights and second.digest != first.digest
    assert second.data["x"].shape == first.data["x"].shape
    page._inputs.cache_clear()
    again = inputs(cell, 1)
    assert bits(again) == bits(second) and again.digest == second.digest
    sizes = sorted(file.stat().st_size for file in tmp_path.glob("inputs-*.npz"))
    assert len(sizes) == 2 and sizes[0] < sizes[1]


def test_a_cache_serves_every_version_of_numpy(monkeypatch):
    before = key(ADAM, False, "float64")
    monkeypatch.setattr(np, "__version__", "9.9.9")
    page._inputs.cache_clear()
    assert key(ADAM, False, "float64") == before


@pytest.mark.parametrize("dtype", ["float64", "float32", "bfloat16", "float16"])
def test_inputs_come_back_as_they_were_made(dtype):
    for name, case in pages.cases().items():
        if case.training and dtype not in ("float64", "float32"):
            continue
        place = (name, *(next(iter(each)) for each in (case.options, case.regimes, case.sizes)))
        cell = Cell(*place, "", "", "", "", dtype, "")
        made, _ = page.make(cell), inputs(cell)
        page._inputs.cache_clear()
        found = inputs(cell)
        for part in ("weights", "data", "cotangents", "starts"):
            one, other = flatten(getattr(made, part)), flatten(getattr(found, part))
            assert list(one) == list(other)
            for path, x in one.items():
                y = other[path]
                assert type(x) is type(y) and getattr(x, "dtype", None) == getattr(y, "dtype", None)
                assert np.array_equal(x, y, equal_nan=floating(x)) and np.shape(x) == np.shape(y)


X = np.ones(7)
# by slip: what a ReLU has in place of what, and what is said of it
SLIPS = {
    "one-thing": ({"inputs": lambda rng, n: {"x": X}}, "its inputs give a dict, should give (weights, data)"),
    "nothing": ({"inputs": lambda rng, n: None}, "its inputs give nothing, should give (weights, data)"),
    "array": ({"inputs": lambda rng, n: ({}, X)}, "its inputs give a ndarray for data, should give"),
    "list": (
        {"inputs": lambda rng, n: ({}, {"x": [1.0]})},
        "its inputs give a list for x, should give NumPy",
    ),
    "number": ({"inputs": lambda rng, n: ({"w": 3}, {"x": X})}, "its inputs give a int for w, should give"),
    "complex": (
        {"inputs": lambda rng, n: ({}, {"x": X * 1j})},
        "its inputs give an array of complex128 for x, should give NumPy's arrays of floats",
    ),
    "objects": (
        {"inputs": lambda rng, n: ({}, {"x": X.astype(object)})},
        "its inputs give an array of object for x, should give NumPy's arrays of floats",
    ),
    "nan": (
        {"inputs": lambda rng, n: ({}, {"x": X * np.nan})},
        "its inputs give NaN in x, should give numbers",
    ),
    "other-names": (
        {"inputs": lambda rng, n: ({}, {"z": X})},
        "reference: missing a required argument: 'x', should take what inputs give: z",
    ),
    "weight": (
        {"inputs": lambda rng, n: ({"W": X}, {"x": X})},
        "reference: got an unexpected keyword argument 'W', should take what inputs give: x, W",
    ),
    "no-output": ({"reference": lambda x: None}, "its reference gives nothing for y, should give an array"),
    "listed": ({"reference": lambda x: {"y": [x]}}, "its reference gives a list for y, should give an array"),
    "integers": (
        {"inputs": lambda rng, n: ({}, {"x": np.arange(7)})},
        "its gradient is of no floating output, should be left out, or inputs draw floats",
    ),
    "no-gradient": (
        {"gradient": lambda cotangent, x: None},
        "its gradient gives nothing, should give a dict of arrays by name: x",
    ),
    "lone-gradient": (
        {"gradient": lambda cotangent, x: cotangent},
        "its gradient gives a ndarray, should give a dict of arrays by name: x",
    ),
    "other-gradient": (
        {"gradient": lambda cotangent, x: {"z": x}},
        "its gradient gives z, should give a dict",
    ),
    "fewer": ({"gradient": lambda cotangent, x: {}}, "its gradient gives nothing, should give a dict"),
    "shape": (
        {"gradient": lambda cotangent, x: {"x": x[0]}},
        "its gradient gives x of shape (), should be (7,)",
    ),
    "no-cotangent": (
        {"gradient": lambda x: {"x": x}},
        "its gradient: multiple values for argument 'x', should take a cotangent and what inputs give: x",
    ),
}


@pytest.mark.parametrize("name", SLIPS)
def test_a_formula_that_does_not_fit_its_inputs_is_told_in_one_sentence(name):
    more, words = SLIPS[name]
    relu = {
        "inputs": lambda rng, n: ({}, {"x": X}),
        "reference": lambda x: np.maximum(x, 0),
        "gradient": lambda cotangent, x: {"x": cotangent * (x > 0)},
    }
    n = {"items": lambda n: n, "flops": lambda n: n}
    case = Case(name=name, title="", sizes={"small": {"n": 7}}, contenders=(), unit="", **n, **relu | more)
    with pages.also(case), pytest.raises((TypeError, ValueError), match=re.escape(f"case {name}: {words}")):
        make(Cell(name, "plain", "typical", "small", "", "", "", "", "float32", "", 0))
