"""What only further calls show: kept results, rare faults, and inputs that a call changes."""

import re
from dataclasses import replace

import numpy as np
import pytest

from bench import pages
from bench.backends import backend
from bench.cells.cell import Cell
from bench.failure.repro import given, tensors
from bench.inputs import FORWARD, inputs, shared
from bench.size import spelled
from bench.tolerance.expected import derive, expectation
from bench.verdict import again
from bench.verdict.again import CALLS, LEAST, LONG, SLOW, repeat
from bench.verdict.judge import judge

PLUGIN = '''
import itertools
import numpy as np
from gaugeblock import NumPy


class Wrapped(NumPy):
    """Wraps every call, judged or timed."""

    def vjp(self, run, mode, wrt):
        return self.wrapped(super().vjp(run, mode, wrt))

    def forward(self, run, mode):
        return self.wrapped(super().forward(run, mode))

    def bind(self, run, mode):
        from bench.backends import Bound
        call = self.forward(run, mode)
        return lambda params, data, _: Bound(call, (params, data), lambda y: (y, None))

    def bind_vjp(self, vjp, run, mode, wrt):
        from bench.backends import Bound
        return lambda *given: Bound(vjp, given)

    def wrapped(self, call):
        return call


def shapes(tree):
    if isinstance(tree, dict):
        return tuple((name, shapes(each)) for name, each in tree.items())
    if isinstance(tree, (list, tuple)):
        return tuple(map(shapes, tree))
    return getattr(tree, "shape", ())


class ByShape(Wrapped):
    """Keeps its first result for each shape."""
    name = "by-shape"

    def wrapped(self, call):
        kept = {}
        def again(*given):
            if shapes(given) not in kept:
                kept[shapes(given)] = call(*given)
            return kept[shapes(given)]
        return again


class Late(Wrapped):
    """Gives the result of the call before."""
    name = "late"

    def wrapped(self, call):
        before = []
        def again(*given):
            before.append(call(*given))
            return before[-2:][0]
        return again


def spoil(tree, how):
    outputs, gradients = tree if isinstance(tree, tuple) else (tree, None)
    name, y = next(iter(outputs.items()))
    y = np.array(y)
    how(y.reshape(-1))
    outputs = {**outputs, name: y}
    return (outputs, gradients) if isinstance(tree, tuple) else outputs


class Rarely(Wrapped):
    every = 50

    @staticmethod
    def how(y):
        y[-1:] = np.nan

    def wrapped(self, call):
        count = itertools.count(1)
        def again(*given):
            found = call(*given)
            return spoil(found, self.how) if next(count) % self.every == 0 else found
        return again


class NaNs(Rarely):
    name = "nans"


class Flips(Rarely):
    """One bit of one element, far below the limit."""
    name, every = "flips", 20

    @staticmethod
    def how(y):
        y[:1] = np.nextafter(y[:1], y.dtype.type(9))


class InPlace(Wrapped):
    """Computes into its input, which a second call does not change any more."""
    name = "in-place"

    def wrapped(self, call):
        def again(params, data, *more):
            found = call(params, data, *more)
            y = found[0]["y"] if isinstance(found, tuple) else found["y"]
            if data["x"].shape == y.shape:
                data["x"][...] = y
            return found
        return again


class Weights(Wrapped):
    """Changes its weights by rounding them."""
    name = "weights"

    def wrapped(self, call):
        def again(params, *more):
            found = call(params, *more)
            for w in params.values():
                w[...] = np.rint(w)
            return found
        return again


class Honest(Wrapped):
    name = "honest"


class Widening(Wrapped):
    """Gives float64 from the third call on."""
    name = "widening"

    def wrapped(self, call):
        count = itertools.count(1)
        def again(*given):
            found = call(*given)
            if next(count) < 3:
                return found
            outputs, gradients = found if isinstance(found, tuple) else (found, None)
            outputs = {name: y.astype("float64") for name, y in outputs.items()}
            return (outputs, gradients) if isinstance(found, tuple) else outputs
        return again


class More(Wrapped):
    """Has an output more in every 20th call."""
    name = "more"

    def wrapped(self, call):
        count = itertools.count(1)
        def again(*given):
            found = call(*given)
            outputs, gradients = found if isinstance(found, tuple) else (found, None)
            if next(count) % 20 == 0:
                outputs = {**outputs, "more": outputs["y"]}
            return (outputs, gradients) if isinstance(found, tuple) else outputs
        return again


class Others(Wrapped):
    """Changes inputs that are not the first, where a relu does not depend on them."""
    name = "others"

    def wrapped(self, call):
        first = []
        def again(params, data, *more):
            found = call(params, data, *more)
            first.append(data["x"])
            if data["x"] is not first[0]:
                data["x"][data["x"] < 0] = -1
            return found
        return again


class Training(NumPy):
    """Changes what follows a step without a load."""

    def loop(self, training, mode):
        from dataclasses import replace
        loop, held = super().loop(training, mode), {}

        def load(*given):
            held.clear()
            loop.load(*given)

        return replace(loop, load=load, step=lambda batch: self.trained(loop, held, batch))


class Once(Training):
    """Trains in the first step after a load only."""
    name = "once"

    @staticmethod
    def trained(loop, held, batch):
        if "loss" not in held:
            held["loss"] = loop.step(batch)
        return held["loss"]


class ByBatch(Training):
    """Keeps the loss of a batch."""
    name = "by-batch"
    losses = {}

    def trained(self, loop, held, batch):
        loss = loop.step(batch)
        return self.losses.setdefault(b"".join(x.tobytes() for x in batch.values()), loss)


class Diligent(Training):
    name = "diligent"

    @staticmethod
    def trained(loop, held, batch):
        return loop.step(batch)
'''
LINEAR = Cell(
    "linear-regression", "plain", "typical", "small", "reference.linear.linear", "", "eager", "cpu",
    "float32", "",
)  # fmt: skip
ADAM = replace(LINEAR, case="adam", contender="suites.adam.adam_step")
RELU = replace(LINEAR, case="relu", contender="reference.activation.relu")


@pytest.fixture(scope="module")
def faulty(tmp_path_factory):
    file = tmp_path_factory.mktemp("plugins") / "faults.py"
    file.write_text(PLUGIN)
    return lambda name: f"{file}:{name}"


def found(unit, spec, *directions):
    backend(spec)
    return judge(replace(unit, backend=spec), directions).rows


@pytest.mark.parametrize("directions", [("forward",), ("forward", "gradient")])
@pytest.mark.parametrize("unit", [LINEAR, RELU], ids=["linear", "relu"])
def test_an_honest_contender_agrees_and_says_how_often_it_was_called(unit, directions, faulty, monkeypatch):
    monkeypatch.setattr("bench.verdict.again.SLOW", 1.0)  # on a busy machine too
    for row in found(unit, faulty("Honest"), *directions).values():
        assert row.status == "agrees", row.why
        assert row.repeats >= CALLS and row.judged == "2"


FAULTS = {
    "ByShape": r"on further inputs \(set 1\): .*",
    "Late": r"on further inputs \(set 1\): .*|the same call gave another .*",
    "NaNs": r"the same call gave another output y: in call \d+, 1 of \d+ elements differ .*",
    "Widening": r"the same call gave another output y: in call 1, its dtype is float64, and was float32 .*",
    "More": r"the same call gave another output more: in call \d+, it is not there in each call",
    "Flips": r"the same call gave another output y: in call \d+, 1 of \d+ elements differ .*",
}


@pytest.mark.parametrize("directions", [("forward",), ("forward", "gradient")])
@pytest.mark.parametrize("name", FAULTS)
def test_a_result_that_is_not_of_this_call_disagrees(name, directions, monkeypatch, faulty):
    monkeypatch.setattr("bench.verdict.again.SLOW", 1.0)  # on a busy machine too
    row = found(LINEAR, faulty(name), *directions)["forward"]
    assert row.status == "disagrees" and re.match(FAULTS[name], row.why), row.why


def test_what_is_wrong_on_further_inputs_is_told_with_them(faulty):
    """Its folder has the inputs, outputs and limits of that set."""
    unit = replace(LINEAR, backend=faulty("ByShape"))
    judged = judge(unit, ("forward",))
    row = judged.rows["forward"]
    assert row.input_set == 1 and row.z_worst > 1
    assert np.array_equal(given(unit, row)["data"]["x"], inputs(unit, 1).data["x"])
    expected = tensors(replace(unit, direction="forward"), row, judged.ready.engine, judged.places)["y"]
    assert (np.abs(judged.got["forward.y"] - expected[0]) > expected[1]).any()
    assert np.array_equal(expected[0], expectation(unit, number=1)["forward.y"].value)


@pytest.mark.parametrize("directions", [("forward",), ("forward", "gradient")])
def test_an_input_that_is_changed_disagrees(directions, faulty):
    """A relu into its own input: every output is right, and so is that of a second call."""
    for row in found(RELU, faulty("InPlace"), *directions).values():
        assert (row.status, row.why) == (
            "disagrees", "the call changes input x, should leave its inputs as they are",
        )  # fmt: skip


@pytest.mark.parametrize("directions", [("forward",), ("forward", "gradient")])
def test_a_further_input_that_is_changed_disagrees(directions, faulty):
    for row in found(RELU, faulty("Others"), *directions).values():
        assert (row.status, row.why) == (
            "disagrees", "the call changes input x of set 1, should leave its inputs as they are",
        )  # fmt: skip


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("Once", "weights.W after 4 steps in a row is not what single steps leave"),
        ("ByBatch", "the loss of each of 4 batches is the same with other weights"),
        ("Diligent", ""),
    ],
)
def test_steps_in_a_row_are_held_against_single_ones(name, why, faulty):
    row = found(ADAM, faulty(name), "training")["training"]
    assert row.status == ("disagrees" if why else "agrees") and row.why.startswith(why), row.why


def test_weights_that_are_changed_disagree(faulty):
    row = found(LINEAR, faulty("Weights"), "forward")["forward"]
    assert row.status == "disagrees"
    assert "the call changes parameter" in row.why or "on further inputs" in row.why


def test_what_a_contender_changes_is_its_own(faulty):
    """Else the next contender of the process is judged on other inputs than the reference."""
    before = inputs(RELU).data["x"].tobytes()
    found(RELU, faulty("InPlace"), "forward")
    assert inputs(RELU).data["x"].tobytes() == before


def test_float64_is_called_again_a_few_times(monkeypatch, faulty):
    monkeypatch.setattr("bench.verdict.again.SLOW", 1.0)  # on a busy machine too
    row = found(replace(LINEAR, dtype="float64"), faulty("Honest"), "forward")["forward"]
    assert row.status == "agrees" and row.repeats >= CALLS // 8


@pytest.mark.parametrize("calls", [3, 64, 300])
def test_so_many_calls_are_made_at_least(calls):
    first = ({"y": np.ones(3)}, None)
    found, _ = repeat(lambda number: first, [first, first], calls, slow=1.0)  # on a busy machine too
    assert found >= max(calls, LEAST * 2)


def test_a_call_that_another_job_holds_up_is_repeated_as_often(monkeypatch):
    """One that took long by itself would take long each time."""
    first, made = ({"y": np.ones(3)}, None), []
    monkeypatch.setattr(again, "perf_counter", lambda: 0.3 * (len(made) > 1) + 1e-4 * len(made))
    found, _ = repeat(lambda number: made.append(number) or first, [first, first], 64, slow=1.0)
    assert found >= 64


def test_fewer_calls_are_made_if_each_takes_long(monkeypatch):
    first, made = ({"y": np.ones(3)}, None), []
    monkeypatch.setattr(again, "perf_counter", lambda: length * SLOW * len(made))

    def slow(number):
        made.append(number)
        return first

    length = 3
    assert repeat(slow, [first], 64)[0] == 22
    made.clear()
    assert repeat(slow, [first], 64, slow=2 * SLOW)[0] == 43
    made.clear()
    assert repeat(slow, [first], 3)[0] == LEAST
    made.clear()
    length = 1.1 * LONG / SLOW
    assert repeat(slow, [first, first], 64)[0] == 2


def test_other_bits_count_unless_they_are_right_too():
    first, other = ({"y": np.ones(3)}, None), ({"y": np.array([1, 1, 1 + 1e-16 * 4])}, None)
    calls, faults = repeat(lambda number: other, [first], 9)
    assert calls == 1 and "1 of 3 elements differ" in faults["forward"]
    assert repeat(lambda number: other, [first], 9, alike=lambda number, result: True)[1] == {}
    nans = ({"y": np.array([np.nan])}, None)
    assert repeat(lambda number: nans, [nans], 9)[1] == {}


SCHEDULE = replace(LINEAR, case="cosine-decay")
BAG = replace(LINEAR, case="ragged-bag")
LARGE = replace(LINEAR, size="diabetes")
MODELS = ("linear-regression", "relu", "lstm", "transformer-encoder-layer", "layer-norm")


@pytest.mark.parametrize("cell", [LINEAR, RELU, SCHEDULE, BAG, LARGE], ids=lambda cell: cell.place)
def test_the_outputs_of_a_further_set_are_others(cell):
    """Else a kept result passes on it too: schedules draw nothing, and ragged data have drawn shapes."""
    cell = shared(cell)
    first, second, third = (expectation(cell, number=number) for number in range(3))
    for one, other in ((first, second), (first, third), (second, third)):
        assert {path: y.value.shape for path, y in one.items()} == {
            path: y.value.shape for path, y in other.items()
        }
        assert any(not np.array_equal(y.value, other[path].value) for path, y in one.items())
        assert any(
            not np.array_equal(y.value, other[path].value)
            for path, y in one.items() if path.startswith(FORWARD)
        )  # fmt: skip


@pytest.mark.parametrize("case", MODELS)
def test_the_limits_of_examples_in_another_order_are_those_that_would_be_derived(case):
    """At other sizes than a case's first, they are not derived again."""
    cell = other_size(case)
    assert inputs(cell, 1).order is not None
    mapped, derived = expectation(cell, number=1), derive(cell, number=1)
    for path, one in mapped.items():
        away = np.abs(one.value - derived[path].value)
        assert (away <= derived[path].sigma + 1e-12 * np.abs(one.value)).all(), path
        some = derived[path].sigma > 0
        if some.sum() > 30:
            ratio = np.sqrt(np.mean(one.sigma[some] ** 2) / np.mean(derived[path].sigma[some] ** 2))
            assert 0.7 < ratio < 1.4, path


def other_size(name):
    """A cell of a case with its first option and regime, a little larger than its first size."""
    case = pages.case(name)
    larger = {
        side: value + 1 if isinstance(value, int) and value > 1 else value
        for side, value in next(iter(case.sizes.values())).items()
    }
    option, regime = next(iter(case.options)), next(iter(case.regimes))
    return shared(replace(LINEAR, case=name, option=option, regime=regime, size=spelled(larger)))


def test_the_cotangent_of_a_number_beside_those_of_examples_stays_an_array():
    given = inputs(other_size("wavenet"), 1)
    assert given.order is not None
    assert all(isinstance(dy, np.ndarray) for dy in given.cotangents.values())


def test_a_formula_whose_examples_depend_on_each_other_gets_other_draws():
    """The mean of a loss is the same for examples in another order."""
    assert inputs(other_size("mean-squared-error"), 1).order is None
