"""What a cell is given: made once, kept beside what is derived from it, and the same for everybody."""

import numpy as np
import pytest

import bench.inputs as page
from bench import pages
from bench.cells.cell import Cell
from bench.inputs import inputs
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

    def other(cell):
        found = made(cell)
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
