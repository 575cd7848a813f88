"""What a build or its run returns and should not is one sentence; a gradient of zero is no fault."""

import re
import warnings

import numpy as np
import pytest

from bench import pages
from bench.backends import Absent, backend
from bench.case import Case, Contender, Training
from bench.cells.cell import Cell
from bench.contender.prepare import instance
from bench.verdict.judge import attempt

PAGE = "linear-regression"


def linear(params, x):
    return x @ params["W"] + params["b"]


BUILDS = {
    "no-params": (
        lambda weights, **_: linear,
        "its build returns only a function, should return (params, run)",
    ),
    "three": (
        lambda weights, **_: (weights, linear, 1),
        "its build returns a tuple of 3, should return (params,",
    ),
    "nothing": (lambda weights, **_: None, "its build returns a NoneType, should return (params, run)"),
    "no-run": (lambda weights, **_: (weights, {}), "its build returns a dict for run, should be a function"),
    "turned": (
        lambda weights, **_: (linear, linear),
        "its build returns a function for params, should return",
    ),
    "lists": (
        lambda weights, **_: ({name: array.tolist() for name, array in weights.items()}, linear),
        "its build returns params with a float at W.0.0, should be NumPy arrays only",
    ),
    "object": (
        lambda weights, **_: ({"W": object()}, linear),
        "its build returns params with a object at W, should be NumPy arrays only",
    ),
}
RUNS = {
    "array": (linear, r"its run returns a \w+ \w+, should be a dict of arrays by name: y"),
    "name": (lambda params, x: {"z": linear(params, x)}, "its run returns z, should return y"),
    "nothing": (lambda params, x: {}, "its run returns nothing, should return y"),
    "a-list": (
        lambda params, x: {"y": [linear(params, x)]},
        r"its run returns y as a list, should be an array",
    ),
    "a-dict": (
        lambda params, x: {"y": {"z": linear(params, x)}},
        "its run returns y as a dict, should be an",
    ),
    "none": (lambda params, x: {"y": None}, "its run returns y as a NoneType, should be an array"),
    "arguments": (
        lambda params, z: {"y": linear(params, z)},
        r"its run: missing a required argument: 'z', should take params, x",
    ),
    "no-params": (lambda x: {"y": x}, "its run: multiple values for argument 'x', should take params, x"),
    "shape": (
        lambda params, x: {"y": linear(params, x)[0]},
        r"its run returns y of shape \(3,\), should be \(65, 3\)",
    ),
}
KEPT = "should reach it; its run detaches a value"
MODES = {"torch": ["eager"], "tensorflow": ["eager", "function"], "jax": ["eager", "jit"]}
EACH = [(name, mode) for name, modes in MODES.items() for mode in modes]


def cut(framework):
    """What detaches a value: of a framework, and by a way through NumPy."""
    if framework == "torch":
        import torch

        return torch.Tensor.detach, lambda y: torch.from_numpy(y.detach().numpy())
    if framework == "jax":
        import jax

        return jax.lax.stop_gradient, lambda y: jax.numpy.asarray(np.asarray(y))
    import tensorflow

    return tensorflow.stop_gradient, lambda y: tensorflow.constant(y.numpy())


def rows(framework, mode, build, case=None, directions=("forward", "gradient")):
    case = case or pages.case(PAGE)
    unit = Cell(case.name, "plain", "typical", "small", "an.api", framework, mode, "cpu", "float32", "")
    try:
        engine = instance(backend(framework), "cpu", "float32")
    except Absent as reason:
        pytest.skip(str(reason))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of a framework, about what it cannot do with it
        return attempt(case, Contender(framework, "an.api", build), engine, unit, list(directions)).rows


@pytest.mark.parametrize("name", BUILDS)
def test_a_build_that_gives_no_params_and_run_is_told(name):
    build, words = BUILDS[name]
    for row in rows("torch", "eager", build).values():
        assert row.status == "error" and f"an.api: {words}" in row.why


@pytest.mark.parametrize("directions", [["forward", "gradient"], ["forward"]])
@pytest.mark.parametrize("name", RUNS)
@pytest.mark.parametrize(("framework", "mode"), EACH)
def test_a_run_that_gives_no_dict_of_the_outputs_is_told(framework, mode, name, directions):
    run, words = RUNS[name]
    for row in rows(framework, mode, lambda weights, **_: (dict(weights), run), None, directions).values():
        if name == "shape" and directions == ["forward"]:
            assert row.status == "disagrees" and row.why == "y has shape (3,), should be (65, 3)"
        else:
            assert row.status == "error" and re.search(f"an.api: {words}", row.why), row.why


@pytest.mark.parametrize(("framework", "mode"), EACH)
def test_what_is_detached_is_told_by_its_name(framework, mode):
    stop, _ = cut(framework)
    slips = {
        "W, b, x": lambda params, x: {"y": stop(linear(params, x))},
        "x": lambda params, x: {"y": linear(params, stop(x))},
        "W": lambda params, x: {"y": x @ stop(params["W"]) + params["b"]},
    }
    for names, run in slips.items():
        found = rows(framework, mode, lambda weights, run=run, **_: (dict(weights), run))
        assert found["forward"].status == "agrees"
        assert found["gradient"].status == "error"
        assert f"no gradient reaches {names}, {KEPT}" in found["gradient"].why


@pytest.mark.parametrize(("framework", "mode"), EACH)
def test_a_way_through_numpy_is_told_as_one_that_detaches(framework, mode):
    _, through = cut(framework)

    def run(params, x):
        return {"y": through(linear(params, x))}

    row = rows(framework, mode, lambda weights, **_: (dict(weights), run))["gradient"]
    assert row.status == "error" and f"no gradient reaches W, b, x, {KEPT}" in row.why


@pytest.mark.parametrize("framework", MODES)
def test_an_array_of_numpy_is_told(framework):
    def run(params, x):
        y = linear(params, x)
        return {"y": y.detach().numpy() if framework == "torch" else np.asarray(y)}

    row = rows(framework, "eager", lambda weights, **_: (dict(weights), run))["gradient"]
    assert row.status == "error"
    assert f"its run returns y as a numpy ndarray, should be an array of {framework}" in row.why


def steps(x, k):
    return {"y": np.sign(x) * 1.0 + k}


def steps_vjp(dy, x, k):
    return {"x": np.zeros_like(x)}


def inputs(rng, *, n):
    return {}, {"x": rng.standard_normal(n), "k": rng.integers(3, size=n)}


FLAT = Case(
    name="flat",
    title="a step",
    inputs=inputs,
    sizes={"small": {"n": 33}},
    contenders=(),
    items=lambda *, n: n,
    unit="elements",
    flops=lambda *, n: n,
    reference=steps,
    gradient=steps_vjp,
)


@pytest.mark.parametrize(("framework", "mode"), EACH)
def test_a_gradient_that_is_zero_by_right_is_not_called_detached(framework, mode):
    stop, _ = cut(framework)

    def build(weights, **_):
        def run(params, x, k):
            if framework == "tensorflow":
                import tensorflow

                k = tensorflow.cast(k, x.dtype)
            return {"y": stop(x / abs(x)) + k}

        return {}, run

    with pages.also(FLAT):
        for row in rows(framework, mode, build, FLAT).values():
            assert row.status in ("agrees", "mistrusted") and "detach" not in row.why, row.why


@pytest.mark.parametrize(("framework", "mode"), EACH)
def test_a_gradient_of_zero_that_a_framework_computes_disagrees_and_is_not_called_detached(framework, mode):
    stop, _ = cut(framework)

    def run(params, x):
        y = linear(params, x)
        return {"y": stop(y) + 0 * y}

    found = rows(framework, mode, lambda weights, **_: (dict(weights), run))
    assert (found["forward"].status, found["gradient"].status) == ("agrees", "disagrees")


def test_a_training_build_that_gives_no_training_is_told():
    case = next(each for each in pages.cases().values() if each.training)
    option, regime = next(iter(case.options)), next(iter(case.regimes))
    unit = Cell(
        case.name, option, regime, next(iter(case.sizes)), "an.api", "torch", "eager", "cpu", "float64", ""
    )
    engine = instance(backend("torch"), "cpu", "float64")
    build = Contender("torch", "an.api", lambda weights, state, **_: (weights, state))
    row = attempt(case, build, engine, unit, ["training"]).rows["training"]
    assert row.status == "error"
    assert "an.api: its build returns a tuple, should return a Training(params, state, step)" in row.why


def gradient_descent(made):
    """The row of a page's training, of which `made` gives the Training of a torch model and its steps."""

    def build(weights, state, **_):
        import torch

        names = {name: torch.nn.Parameter(torch.tensor(array)) for name, array in weights.items()}
        return made(dict(weights), names, torch.optim.SGD(names.values(), 0.1))

    case = pages.case("gradient-descent")
    unit = Cell(
        case.name, next(iter(case.options)), next(iter(case.regimes)), next(iter(case.sizes)), "an.api",
        "torch", "eager", "cpu", "float64", "",
    )  # fmt: skip
    engine = instance(backend("torch"), "cpu", "float64")
    return attempt(case, Contender("torch", "an.api", build), engine, unit, ["training"]).rows["training"]


TRAININGS = {
    "no-live": (
        lambda w, model, sgd: Training(w, {}, print),
        "live of its Training is None, should be (model",
    ),
    "one-live": (
        lambda w, model, sgd: Training(w, {}, print, live=sgd),
        "an.api: its Training has a torch SGD for live, should be (model, optimizer)",
    ),
    "no-step": (
        lambda w, model, sgd: Training(w, {}, None, live=(model, sgd)),
        "an.api: its Training has a NoneType for step, should be a function",
    ),
    "names": (
        lambda w, model, sgd: Training(
            {f"{name}.x": y for name, y in w.items()}, {}, print, live=(model, sgd)
        ),
        "params of its Training are W.x, b.x, should be named as the model's: W, b",
    ),
}


@pytest.mark.parametrize("name", TRAININGS)
def test_a_training_that_cannot_run_is_told(name):
    made, words = TRAININGS[name]
    row = gradient_descent(made)
    assert row.status == "error" and words in row.why
