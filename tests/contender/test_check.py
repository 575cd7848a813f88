"""What a build or its run returns and should not is one sentence; a gradient of zero is no fault."""

import inspect
import re
import warnings
from dataclasses import replace

import numpy as np
import pytest

from bench import pages
from bench.backends import Absent, backend
from bench.case import Case, Contender, Limit, Seen, Training
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
    "a-tuple": (
        lambda params, x: (linear(params, x),),
        "its run returns a tuple, should be a dict of arrays",
    ),
    "a-function": (lambda params, x: {"y": print}, "its run returns y as a builtin_function_or_method, sho"),
    "none-beside": (
        lambda params, x: {"y": linear(params, x), "z": None},
        "its run returns z as a NoneType, should be an array",
    ),
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
GRADIENTS = {  # what the vjp of a NumPy plug-in gives for W, b and x
    "fewer": (
        lambda W, b, x: {"W": W, "x": x},
        "its run.vjp returns W, x, should return a dict of arrays by name",
    ),
    "misnamed": (
        lambda W, b, x: {"w": W, "b": b, "x": x},
        "its run.vjp returns w, b, x, should return a dict",
    ),
    "a-tuple": (
        lambda W, b, x: (W, b, x),
        "its run.vjp returns a tuple, should return a dict of arrays by name",
    ),
    "nothing": (
        lambda W, b, x: None,
        "its run.vjp returns a NoneType, should return a dict of arrays by name",
    ),
    "none": (
        lambda W, b, x: {"W": None, "b": b, "x": x},
        "its run.vjp returns W as a NoneType, should return",
    ),
    "shape": (lambda W, b, x: {"W": W[0], "b": b, "x": x}, "parameter W: got shape (3,), should be (10, 3)"),
}


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


@pytest.mark.parametrize("directions", [["forward", "gradient"], ["forward"]])
@pytest.mark.parametrize("name", RUNS)
def test_a_run_of_a_numpy_plug_in_that_gives_no_dict_of_the_outputs_is_told(name, directions):
    bad, words = RUNS[name]

    def build(weights, **_):
        def run(*given, **data):  # one that has a gradient
            return bad(*given, **data)

        run.__signature__ = inspect.signature(bad)
        run.vjp = lambda params, data, cotangents: {"x": data["x"], **params}
        return dict(weights), run

    for row in rows("numpy", "eager", build, None, directions).values():
        if name == "shape":
            assert row.status == "disagrees"
        else:
            assert row.status == "error" and re.search(f"an.api: {words}", row.why), row.why
    if name == "shape":
        assert rows("numpy", "eager", build, None, directions)["forward"].why.startswith("y has shape (3,)")


@pytest.mark.parametrize("name", GRADIENTS)
def test_a_vjp_of_a_numpy_plug_in_that_gives_no_gradients_is_told(name):
    bad, words = GRADIENTS[name]

    def build(weights, **_):
        def run(params, x):
            return {"y": linear(params, x)}

        def vjp(params, data, cotangents):
            dy = cotangents["y"]
            return bad(data["x"].T @ dy, dy.sum(0), dy @ params["W"].T)

        run.vjp = vjp
        return dict(weights), run

    found = rows("numpy", "eager", build)["gradient"]
    assert found.status == "error" and words in found.why, found.why


@pytest.mark.parametrize("directions", [["forward", "gradient"], ["forward"]])
@pytest.mark.parametrize(("framework", "mode"), EACH)
def test_a_text_or_a_number_in_place_of_an_array_is_told(framework, mode, directions):
    for value in ("text", 1.0):
        build = lambda weights, value=value, **_: (dict(weights), lambda params, x: {"y": value})  # noqa: E731
        for row in rows(framework, mode, build, None, directions).values():
            compiled = mode != "eager" and row.status == "disagrees" and row.why.startswith("y has shape ()")
            words = f"an.api: its run returns y as a {type(value).__name__}, should be an "
            assert compiled or (row.status == "error" and words in row.why), row.why


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


def momentum(weights, state, x):
    m = 0.5 * state["m"] + x
    return {"w": weights["w"] - m}, {"m": m}, (weights["w"] * x).sum()


TRAINED = Case(
    name="trained",
    title="a step",
    inputs=lambda rng: ({"w": np.ones(3)}, {"x": rng.normal(size=(4, 3))}),
    sizes={"small": {}},
    contenders=(),
    items=lambda: 1,
    unit="steps",
    flops=lambda: 1,
    start=lambda weights: {"m": np.zeros(3)},
    step=momentum,
)
STEPS = {  # of a pure step: what it gives in place of (params, state, loss)
    "two": (lambda w, s, loss: (w, s), "its step returns a tuple of 2, should return (params, state, loss)"),
    "four": (
        lambda w, s, loss: (w, s, loss, loss),
        "its step returns a tuple of 4, should return (params, sta",
    ),
    "the-loss-alone": (lambda w, s, loss: loss, "should return (params, state, loss)"),
    "nothing": (lambda w, s, loss: None, "its step returns a NoneType, should return (params, state, loss)"),
    "a-dict": (
        lambda w, s, loss: {"loss": loss},
        "its step returns a dict, should return (params, state, loss)",
    ),
    "no-params": (
        lambda w, s, loss: (None, s, loss),
        "an.api: params.w is gone after a step, should be an array",
    ),
    "none": (
        lambda w, s, loss: ({"w": None}, s, loss),
        "an.api: params.w is gone after a step, should be an",
    ),
    "misnamed": (
        lambda w, s, loss: ({"v": w["w"]}, s, loss),
        "an.api: params.w is gone after a step, should",
    ),
    "shape": (
        lambda w, s, loss: ({"w": w["w"][:2]}, s, loss),
        "an.api: params.w has shape (2,) after a step, should be (3,)",
    ),
    "no-state": (
        lambda w, s, loss: (w, None, loss),
        "an.api: state.m is gone after a step, should be an array",
    ),
}
LOSSES = {
    "none": (lambda loss: None, "an.api: its step returns a NoneType for the loss, should be an array"),
    "tuple": (lambda loss: (loss,), "an.api: its step returns a tuple for the loss, should be an array"),
    "dict": (lambda loss: {"loss": loss}, "an.api: its step returns a dict for the loss, should be an array"),
    "shape": (lambda loss: loss.reshape(1), "an.api: its step returns a loss of shape (1,), should be ()"),
}
PURE = [("numpy", "eager"), ("jax", "eager"), ("jax", "jit")]


def trained(framework, mode, build, limits=()):
    place = ("trained", "plain", "typical", "small", "an.api", framework, mode, "cpu", "float32", "")
    case = replace(TRAINED, contenders=(Contender(framework, "an.api", build),), limits=limits)
    try:
        engine = instance(backend(framework), "cpu", "float32")
    except Absent as reason:
        pytest.skip(str(reason))
    with pages.also(case):
        return attempt(case, case.contenders[0], engine, Cell(*place), ["training"]).rows["training"]


def pure(bad):
    def build(weights, state, **_):
        return Training(weights, state, lambda p, s, x: bad(*momentum(p, s, x)))

    return build


@pytest.mark.parametrize("name", [None, *STEPS])
@pytest.mark.parametrize(("framework", "mode"), PURE)
def test_a_pure_step_that_gives_other_things_is_told(framework, mode, name):
    bad, words = STEPS[name] if name else (lambda *given: given, "")
    row = trained(framework, mode, pure(bad))
    assert row.status == ("error" if name else "agrees") and words in row.why, row.why


def test_a_state_that_the_formula_has_not_may_be_a_known_departure():
    def build(weights, state, **_):
        def step(params, held, x):
            params, kept, loss = momentum(params, {"m": held["m"]}, x)
            return params, {**kept, "spare": held["spare"] + 1}, loss

        return Training(weights, {**state, "spare": np.zeros(3, "float32")}, step)

    row = trained("numpy", "eager", build)
    assert row.status == "error" and "training moved 1.spare, which the formula has not" in row.why
    seen = Seen(np.__version__, {"dtype": "float32"}, (np.inf, np.inf))
    limit = Limit("numpy", "counts its calls", "a.py:1", {"backend": "numpy"}, name="spare", seen=(seen,))
    assert trained("numpy", "eager", build, (limit,)).status == "limited"


@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize(("framework", "mode"), PURE)
def test_a_loss_of_a_pure_step_that_is_no_number_is_told(framework, mode, name):
    bad, words = LOSSES[name]
    row = trained(framework, mode, pure(lambda p, s, loss: (p, s, bad(loss))))
    assert row.status == "error" and words in row.why, row.why


def in_torch(bad, names=("w",)):
    def build(weights, state, **_):
        import torch

        model = {"w": torch.nn.Parameter(torch.tensor(weights["w"]))}
        optimizer = torch.optim.SGD(model.values(), lr=1.0, momentum=0.5)

        def step(x):
            optimizer.zero_grad()
            loss = (model["w"] * x).sum()
            loss.backward()
            optimizer.step()
            return bad(loss)

        held = {"momentum_buffer": dict.fromkeys(names, state["m"])}
        return Training(weights, held, step, live=(model, optimizer))

    return build


def in_keras(bad, arrays=1):
    def build(weights, state, **_):
        import keras
        import tensorflow as tf

        variables, optimizer = [keras.Variable(weights["w"])], keras.optimizers.SGD(1.0, momentum=0.5)

        def step(x):
            with tf.GradientTape() as tape:
                loss = tf.reduce_sum(variables[0] * x)
            optimizer.apply_gradients(zip(tape.gradient(loss, [variables[0].value]), variables, strict=True))
            return bad(loss)

        return Training(
            [weights["w"]], {"variables": [state["m"]] * arrays}, step, live=(variables, optimizer)
        )

    return build


@pytest.mark.parametrize("name", LOSSES)
def test_a_loss_of_torch_that_is_no_number_is_told(name):
    bad, words = LOSSES[name]
    assert trained("torch", "eager", in_torch(lambda loss: loss)).status == "agrees"
    row = trained("torch", "eager", in_torch(bad))
    assert row.status == "error" and words in row.why, row.why


@pytest.mark.parametrize("name", [name for name in LOSSES if name != "shape"])
@pytest.mark.parametrize("mode", ["eager", "function"])
def test_a_loss_of_keras_that_is_no_number_is_told(mode, name):
    bad, words = LOSSES[name]
    row = trained("tensorflow", mode, in_keras(bad))
    assert row.status == "error" and words in row.why, row.why


def test_a_state_that_is_not_the_optimizers_is_told():
    row = trained("torch", "eager", in_torch(lambda loss: loss, names=("v",)))
    assert row.status == "error"
    assert "momentum_buffer in the state of its Training is of v, should be of w" in row.why
    row = trained("tensorflow", "eager", in_keras(lambda loss: loss, arrays=2))
    assert row.status in ("error", "absent")
    assert "variables in the state of its Training are 2 arrays, should be 1" in row.why
