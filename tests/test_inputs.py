"""What a cell is given: made once, kept beside what is derived from it, and the same for everybody."""

import re
from dataclasses import replace

import numpy as np
import pytest

import bench.inputs as page
from bench import pages
from bench.case import Case, Contender
from bench.cells.cell import Cell
from bench.inputs import inputs, make
from bench.tolerance import expected
from bench.tolerance.expected import expectation, key
from bench.tree import flatten, floating, tree_map
from bench.verdict.judge import judge, run

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
        return replace(found, starts=starts)

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


def test_the_data_of_a_free_training_are_drawn_once(monkeypatch):
    cell = replace(ADAM, size="odd")
    weights, data = page.drawn(cell)
    expected = flatten(page.rounded(page.draw(pages.case(cell.case), cell), cell.dtype))
    assert {path: x.tobytes() for path, x in flatten((weights, data)).items()} == {
        path: x.tobytes() for path, x in expected.items()
    }
    monkeypatch.setattr(page, "draw", None)
    again = flatten(page.drawn(cell))
    assert {path: x.tobytes() for path, x in again.items()} == {
        path: x.tobytes() for path, x in expected.items()
    }


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


def raises(*given, **option):
    raise ZeroDivisionError("planted")


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
    "none-in-a-gradient": (
        {"gradient": lambda cotangent, x: {"x": None}},
        "its gradient gives nothing for x, should give a dict of arrays by name: x",
    ),
    "list-in-a-gradient": (
        {"gradient": lambda cotangent, x: {"x": x.tolist()}},
        "its gradient gives a float for x.0, should give a dict of arrays by name: x",
    ),
    "one-more": (
        {"gradient": lambda cotangent, x: {"x": x, "z": x}},
        "its gradient gives x, z, should give a dict of arrays by name: x",
    ),
    "no-array": ({"reference": lambda x: {}}, "its reference gives no array, should give an array of"),
    "none-beside": (
        {"reference": lambda x: {"y": x, "z": None}},
        "its reference gives nothing for z, should give an array of numbers, or a dict of arrays",
    ),
    "none-inside": (
        {"reference": lambda x: {"y": {"z": None}}},
        "its reference gives nothing for y.z, should give an array of numbers",
    ),
    "objects-out": (
        {"reference": lambda x: x.astype(object)},
        "its reference gives an array of object for y, should give an array of numbers",
    ),
    "number-name": ({"reference": lambda x: {0: x}}, "its reference gives an output with the name 0, should"),
    "twice": (
        {"inputs": lambda rng, n: ({"x": X}, {"x": X})},
        "its inputs give x as a weight and as data, should give (weights, data)",
    ),
    **{
        f"{name}-raises": (
            {name: raises},
            f"a call of its {name} raises ZeroDivisionError: planted (in raises, tests/test_inputs.py, line ",
        )
        for name in ("inputs", "reference", "gradient")
    },
    "no-cotangent": (
        {"gradient": lambda x: {"x": x}},
        "its gradient: multiple values for argument 'x', should take a cotangent and what inputs give: x",
    ),
}


@pytest.mark.parametrize("name", SLIPS)
def test_a_formula_that_does_not_fit_its_inputs_is_told_in_one_sentence(name):
    more, words = SLIPS[name]
    case = formula(name, more)
    with pages.also(case), pytest.raises((TypeError, ValueError), match=re.escape(f"case {name}: {words}")):
        make(Cell(name, "plain", "typical", "small", "", "", "", "", "float32", "", 0))


def formula(name, more):
    relu = {
        "inputs": lambda rng, n: ({}, {"x": X}),
        "reference": lambda x: np.maximum(x, 0),
        "gradient": lambda cotangent, x: {"x": cotangent * (x > 0)},
    }
    n = {"items": lambda n: n, "flops": lambda n: n}
    return Case(name=name, title="", sizes={"small": {"n": 7}}, contenders=(), unit="", **n, **relu | more)


BUILDS = {
    "torch": lambda weights, **_: ({}, lambda params, x: {"y": x.relu()}),
    "jax": lambda weights, **_: ({}, lambda params, x: {"y": x * (x > 0)}),
    "numpy": lambda weights, **_: ({}, lambda params, x: {"y": x * (x > 0)}),
}


@pytest.mark.parametrize("framework", BUILDS)
@pytest.mark.parametrize(
    "name", ["fewer", "shape", "none-in-a-gradient", "one-more", "gradient-raises", "no-array"]
)
def test_a_mistake_of_the_page_is_told_as_its_own_in_the_cells_of_every_framework(name, framework):
    more, words = SLIPS[name]
    contender = Contender(framework, "an.api", BUILDS[framework])
    case = replace(formula(f"{name}-{framework}", more), contenders=(contender,))
    unit = Cell(case.name, "plain", "typical", "small", "an.api", framework, "eager", "cpu", "float32", "")
    with pages.also(case):
        rows = judge(unit, case.directions).rows.values()
    absent = {row.status for row in rows} == {"absent"}  # no such framework here
    assert absent or all(row.status == "error" and f"case {case.name}: {words}" in row.why for row in rows)


def test_an_error_on_arrays_that_round_is_told_with_its_place_and_not_as_the_contenders():
    """The reference runs once plainly, and then on the arrays that add noise."""
    calls = []

    def reference(x):
        calls.append(x)
        if len(calls) > 1:
            raise ZeroDivisionError("planted")
        return np.maximum(x, 0)

    case = formula("second-call", {"reference": reference, "gradient": None})
    unit = Cell(case.name, "plain", "typical", "small", "", "", "", "", "float32", "")
    words = (
        "case second-call: a call of its formula raises ZeroDivisionError: planted (in reference, tests/test_"
    )
    with pages.also(case), pytest.raises(ValueError, match=re.escape(words)):
        expectation(unit)


W = {"w": np.ones(3)}
STEPS = {  # what a step gives in place of (weights, state, loss)
    "two": (lambda w, s, x: (w, s), "its step gives a tuple of 2, should give (weights, state, loss)"),
    "nothing": (lambda w, s, x: None, "its step gives nothing, should give (weights, state, loss)"),
    "dict": (lambda w, s, x: {"loss": 1.0}, "its step gives a dict, should give (weights, state, loss)"),
    "no-loss": (lambda w, s, x: (w, s, None), "its step gives nothing for the loss, should give a number"),
    "losses": (
        lambda w, s, x: (w, s, x),
        "its step gives an array of float64 of shape (3,) for the loss, should give a number",
    ),
    "fewer": (
        lambda w, s, x: ({}, s, 1.0),
        "its step gives nothing, should give weights like those before the step",
    ),
    "misnamed": (
        lambda w, s, x: ({"v": w["w"]}, s, 1.0),
        "its step gives weights.v, should give weights like those before the step",
    ),
    "none": (
        lambda w, s, x: ({"w": None}, s, 1.0),
        "its step gives nothing for weights.w, should give weights like those before the step",
    ),
    "shape": (
        lambda w, s, x: ({"w": w["w"][:2]}, s, 1.0),
        "its step gives weights.w of shape (2,), should be (3,)",
    ),
    "no-counter": (
        lambda w, s, x: (w, {"m": s["m"]}, 1.0),
        "its step gives state.m, should give state like those before the step",
    ),
    "no-momentum": (
        lambda w, s, x: (w, {"m": None, "t": 1}, 1.0),
        "its step gives nothing for state.m, should give state like those before the step",
    ),
    "other-batch": (
        lambda w, s, y: (w, s, 1.0),
        "step: missing a required argument: 'y', should take weights, state and what inputs give: x",
    ),
    "raises": (
        raises,
        "a call of its step raises ZeroDivisionError: planted (in raises, tests/test_inputs.py",
    ),
}
STARTS = {
    "raises": (
        raises,
        "a call of its start raises ZeroDivisionError: planted (in raises, tests/test_inputs.py",
    ),
    "nobody": (lambda: {}, "start: too many positional arguments, should take the weights and keywords of"),
}


def training(name, **functions):
    return Case(
        name=name,
        title="",
        inputs=lambda rng: (dict(W), {"x": np.ones((4, 3))}),
        sizes={"small": {}},
        contenders=(),
        unit="",
        items=lambda: 1,
        flops=lambda: 1,
        **{"start": lambda w: {"m": np.zeros(3), "t": 0}, "step": lambda w, s, x: (w, s, 1.0)} | functions,
    )


@pytest.mark.parametrize(
    ("what", "name"), [*(("step", name) for name in STEPS), *(("start", name) for name in STARTS)]
)
def test_a_step_of_a_page_that_does_not_fit_is_told_in_one_sentence(what, name):
    function, words = {"step": STEPS, "start": STARTS}[what][name]
    case = training(f"{what}-{name}", **{what: function})
    unit = Cell(case.name, "plain", "typical", "small", "", "", "", "", "float32", "", 0)
    with (
        pages.also(case),
        pytest.raises((TypeError, ValueError), match=re.escape(f"case {case.name}: {words}")),
    ):
        make(unit)


def test_a_step_whose_state_is_counters_and_nothing_is_a_step():
    case = training(
        "counts", start=lambda w: {"t": 0, "none": None}, step=lambda w, s, x: (w, s | {"t": 1}, x.sum())
    )
    with pages.also(case):
        assert (
            len(make(Cell(case.name, "plain", "typical", "small", "", "", "", "", "float32", "", 0)).starts)
            == 4
        )
