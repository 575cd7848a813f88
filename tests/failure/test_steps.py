"""A model that disagrees names the first of its steps that does so by itself."""

from dataclasses import replace
from functools import wraps
from operator import attrgetter
from types import CodeType, ModuleType, SimpleNamespace

import numpy as np
import pytest

from bench import pages
from bench.cells.cell import Cell
from bench.failure import steps as page
from bench.failure.steps import explained, steps
from bench.store.row import Row
from bench.verdict.judge import judge

# torch with one function off by a thousandth, wherever the framework itself calls it
FAULTY = """
from bench.backends.torch import Torch


class Faulty(Torch):
    def __init__(self, device, dtype):
        import torch

        super().__init__(device, dtype)
        owner = {owner}
        honest = owner.{function}
        honest = getattr(honest, "honest", honest)

        def planted(*arguments, **keywords):
            y = honest(*arguments, **keywords)
            return {fault}

        planted.honest = honest
        owner.{function} = planted
"""


@pytest.fixture
def faulty(tmp_path, monkeypatch):
    """A backend that plants the fault when it starts, and removes it after the test."""
    torch = pytest.importorskip("torch")

    def plant(owner, function, fault="1.001 * y"):
        file = tmp_path / f"{function}.py"
        file.write_text(FAULTY.format(owner=owner, function=function, fault=fault))
        place = attrgetter(owner.removeprefix("torch."))(torch)
        monkeypatch.setattr(place, function, getattr(place, function))  # put back with the test
        return f"{file}:Faulty"

    return plant


def ended(spec, case, option, contender, direction):
    unit = Cell(case, option, "typical", "small", contender, spec, "eager", "cpu", "float64", "")
    row = judge(unit, pages.case(case).directions).rows[direction]
    assert row.status == "disagrees"
    return explained(replace(unit, direction=direction), row).why.rpartition("; ")[2]


CNN = ("cnn", "plain", "torch.nn.Sequential")
MLP = ("perceptron", "tanh", "torch.nn.Sequential")
LAYER = ("transformer-encoder-layer", "post-norm", "torch.nn.TransformerEncoderLayer")
FORECAST = ("lstm-model", "adam", "torch.nn.LSTM")


@pytest.mark.parametrize(
    ("model", "direction", "function", "step"),
    [
        (CNN, "forward", "max_pool2d", "max-pool 1"),
        (CNN, "gradient", "relu", "relu 1"),
        (MLP, "forward", "linear", "linear-regression 1"),
        (MLP, "forward", "softmax", "softmax 1"),
        (LAYER, "gradient", "layer_norm", "layer-norm 1"),
        (FORECAST, "training", "mse_loss", "mean-squared-error 1"),
    ],
)
def test_the_first_step_that_diverges_is_named(faulty, model, direction, function, step):
    fault = "y + 0.001 * (y - y.detach())" if direction == "gradient" else "1.001 * y"
    said = ended(faulty("torch.nn.functional", function, fault), *model, direction)
    assert said.startswith(f"the first step that diverges is {step}, torch.nn.")
    assert said.endswith(" by itself")


def test_a_fault_in_what_joins_the_steps_is_in_none_of_them(faulty):
    said = ended(faulty("torch.nn.Sequential", "forward"), *MLP, "forward")
    steps = [f"{name} {n}" for n, name in ((1, "linear-regression"), (1, "tanh"), (2, "linear-regression"))]
    assert said.startswith(f"each of its steps agrees by itself: {', '.join(steps)}, ")
    assert said.endswith("linear-regression 3, softmax 1")


def test_what_agrees_or_is_composed_of_nothing_says_nothing_more(faulty):
    unit = Cell(
        "layer-norm", "plain", "typical", "small", "torch.nn.LayerNorm", "", "eager", "cpu", "float64", ""
    )
    unit = replace(unit, backend=faulty("torch.nn.functional", "layer_norm"))
    row = judge(unit, ("forward",)).rows["forward"]
    cell = replace(unit, direction="forward")
    assert row.status == "disagrees" and explained(cell, row) == row
    agreed = replace(row, status="agrees", why="")
    assert explained(cell, agreed) is agreed


def names(case, option):
    cell = Cell(case, option, "typical", "small", "", "torch", "eager", "cpu", "float64", "forward")
    return [step.name for step in steps(cell, Row(status="disagrees"))]


def test_the_steps_of_a_model_are_its_references_own():
    layers = ["conv2d 1", "relu 1", "max-pool 1", "conv2d 2", "relu 2", "max-pool 2"]
    assert names("cnn", "plain") == [*layers, "dense-flatten 1", "relu 3", "linear-regression 1", "softmax 1"]
    block = ["multi-head-attention 1", "layer-norm 1", "linear-regression 1", "relu 1", "linear-regression 2"]
    assert names("transformer-encoder-layer", "post-norm") == [*block, "layer-norm 2"]
    assert names("layer-norm", "plain") == []


def module(name, text):
    """The function of a module of this text, or code."""
    made = ModuleType(name)
    exec(text if isinstance(text, CodeType) else compile(text, f"{name}.py", "exec"), made.__dict__)
    return made.shifted


def twin(scale):
    """A reference that shares its code object with others: only what it closes over differs."""

    def scaled(x):
        return scale * x

    return scaled


def wrapped(function):
    return wraps(function)(lambda *arguments: function(*arguments))


TWIN = "def shifted(x):\n    return x + 1\n"
LAMBDA = "shifted = lambda x: x + 1"
CODE = compile(TWIN, "one.py", "exec")
TWINS = {
    "functions of two modules": (module("one", TWIN), module("two", TWIN)),
    "lambdas of two modules": (module("one", LAMBDA), module("two", LAMBDA)),
    "lambdas of one line": (lambda x: x + 1, lambda x: x + 1),
    "one text that is run twice": (module("one", CODE), module("one", CODE)),
    "two that one decorator wraps": (wrapped(module("one", TWIN)), wrapped(module("two", TWIN))),
    "closures of one function": (twin(2.0), twin(3.0)),
}


@pytest.mark.parametrize("kind", TWINS)
@pytest.mark.parametrize("called", [0, 1])
def test_references_of_equal_code_are_told_apart(kind, called, monkeypatch):
    first, second = TWINS[kind]
    cases = {name: replace(pages.case("relu"), name=name) for name in ("first", "second")}
    for case, reference in zip(cases.values(), (first, second), strict=True):
        object.__setattr__(case, "reference", reference)
    monkeypatch.setattr(pages, "cases", lambda: cases)
    model = SimpleNamespace(reference=lambda x: TWINS[kind][called](x), step=None, options={"plain": {}})
    monkeypatch.setattr(pages, "case", lambda name: model)
    monkeypatch.setattr(
        page, "inputs", lambda cell, number: SimpleNamespace(data={"x": np.ones(3)}, weights={})
    )
    found = steps(Cell("model", "plain", "", "", "", "", "", "", "", ""), Row(status="disagrees"))
    assert [(step.name, list(step.arguments)) for step in found] == [(f"{list(cases)[called]} 1", ["x"])]
