"""Every parameter of every API that a page names is covered or has a reason, and no reason is stale."""

import inspect
import json
import math
import typing

import numpy as np
import pytest

from bench.backends import Absent, backend
from bench.studies.calls import Call, kind, recording, shown
from bench.studies.coverage import FILES, NAMES, faults, line, paired, reason, study, tables, write
from bench.studies.signature import call_of, constructor, function

HERE = __name__


class Parent:
    def __init__(self, kind, units, *, slope=0.0, **more):
        self.kind, self.units, self.slope = kind, units, slope

    def __call__(self, *anything, **keywords):
        return self.call(*anything, **keywords)


class Layer(Parent):
    def __init__(self, units, bias=True, **more):
        super().__init__("layer", units, **more)

    def call(self, x, mask=None):
        return x


class Overloaded(Parent):
    @typing.overload
    def __init__(self, size: int, bidirectional: bool = False) -> None: ...

    @typing.overload
    def __init__(self, *anything) -> None: ...

    def __init__(self, *anything, **more):
        super().__init__("overloaded", *anything, **more)


def scaled(x, scale=1.0):
    return x * scale


def call(defaults, passed):
    names = {"name": "keras.layers.Some", "cases": ["some"], "together": []}
    return {**names, "defaults": defaults, "passed": passed}


def found(default, values, choices=None):
    passed = {"bias": {value: ["some/plain"] for value in values}}
    return line("torch", call({"bias": default}, passed), "bias", choices or {})


def test_a_constructor_has_the_parameters_that_it_passes_on_but_not_what_it_gives_itself():
    assert list(constructor(Layer).parameters) == ["units", "bias", "slope", "more"]


def test_overloads_are_what_a_class_documents():
    assert list(constructor(Overloaded).parameters) == ["size", "bidirectional", "anything"]


def test_the_method_that_is_called_is_the_one_that_names_what_it_takes():
    assert call_of(Layer) == "call"
    assert call_of(type("Plain", (), {})) is None


def test_calls_are_kept_by_the_names_of_their_parameters_and_the_class_is_whole_again():
    calls: dict[str, Call] = {}
    with recording(f"{HERE}.Layer", "some/plain", calls):
        globals()["Layer"](3, False, slope=0.5)(np.zeros(2, np.float32))
    made, called = calls[f"{HERE}.Layer"], calls[f"{HERE}.Layer.call"]
    assert made.defaults == {"units": "needed", "bias": "True", "slope": "0.0"}
    assert made.passed["bias"] == {"False": ["some/plain"]}
    assert made.passed["slope"] == {"0.5": ["some/plain"]}
    assert called.passed == {"x": {"float array": ["some/plain"]}}
    assert Layer is globals()["Layer"] and inspect.isclass(Layer)
    assert Layer.call.__qualname__ == "Layer.call" and not hasattr(Layer.call, "__wrapped__")


def test_a_function_is_recorded_and_put_back_where_it_raises():
    calls: dict[str, Call] = {}
    with pytest.raises(TypeError), recording(f"{HERE}.scaled", "some/plain", calls):
        globals()["scaled"](None, 2)
    assert calls[f"{HERE}.scaled"].passed["scale"] == {"2": ["some/plain"]}
    assert not hasattr(scaled, "__wrapped__")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "None"),
        ("same", "'same'"),
        ((1, 2), "(1, 2)"),
        ([0] * 9, "[0]"),
        (np.float64(0.5), "0.5"),
        (np.zeros(3, bool), "bool array"),
        (np.zeros(3, np.int64), "int array"),
        ({"a": 1}, "{a: 1}"),
        (math.tanh, "tanh"),
    ],
)
def test_a_value_is_shown_by_what_tells_it_apart(value, text):
    assert shown(value) == text


def test_covered_is_another_value_than_the_default():
    assert found("0", ["0", "1"]).status == "covered"
    assert found("0", ["0"]).missed == ["other than 0"]
    assert found("needed", []).missed == ["a value"]


def test_of_true_and_false_both_are_met():
    assert found("True", ["False"]).status == "covered"
    assert found("False", ["False"]).missed == ["True"]
    assert found("needed", ["True"]).status == "covered"  # None of the two is a default


def test_each_of_the_listed_strings_is_met():
    choices = {"*(bias)": ("a", "b")}
    assert found("'a'", [], choices).missed == ["'b'"]
    assert found("'a'", ["'b'"], choices).status == "covered"


def test_pairs_of_kinds_of_values_are_counted_at_the_first_of_the_two_parameters():
    given = call({"x": "needed", "bias": "True", "mask": "None", "axis": "-1"}, {})
    given["together"] = [
        {"x": "float array", "mask": "bool array"},
        {"x": "float array", "bias": "False"},
        {"x": "float array", "bias": "False", "mask": "float array"},
    ]
    assert paired(given, "bias") == (6, 3) and paired(given, "mask") == (0, 0)
    assert paired(given, "x") == paired(given, "axis") == (0, 0)  # one kind of value each


@pytest.mark.parametrize(
    ("value", "default", "found"),
    [
        (True, "True", "default"),
        (False, "True", "False"),
        (2, "1", "another"),
        (3.5, "1", "another"),
        ((2, 2), "1", "another"),
        ("sum", "'mean'", "'sum'"),
        (None, "needed", "None"),
        (np.zeros(2, bool), "None", "bool array"),
    ],
)
def test_a_number_is_one_kind_of_value_and_each_flag_word_and_array_its_own(value, default, found):
    assert kind(value, default) == found


def test_a_call_keeps_the_kinds_that_it_passes_together_once():
    calls = {}
    with recording(f"{HERE}.scaled", "some/plain", calls):
        for given in ({}, {}, {"scale": 3.0}):
            scaled(1.0, **given)
    assert calls[f"{HERE}.scaled"].together == [{"x": "another"}, {"x": "another", "scale": "another"}]


def test_the_first_pattern_is_the_reason_and_a_covered_parameter_has_none():
    reasons = {"keras.*(bias)": "first", "*(bias)": "second"}
    assert reason(found("0", []), reasons) == "first"
    assert reason(found("0", ["1"]), reasons) == ""


def test_a_forgotten_parameter_is_a_fault():
    (fault,) = faults([found("0", [])], {}, {})
    assert fault == (
        "keras.layers.Some(bias) has no reason: got nothing in its calls, not other than 0; let an option of "
        "some pass it, or give a reason in suites/exemptions/coverage.py"
    )


@pytest.mark.parametrize("pattern", ["*(bias)", "*(gone)"])
def test_a_reason_is_stale_where_its_parameter_is_covered_or_no_more(pattern):
    (fault,) = faults([found("0", ["1"])], {pattern: "why"}, {})
    assert "stale reason" in fault


def test_a_choice_that_no_parameter_has_is_stale():
    (fault,) = faults([found("0", ["1"])], {}, {"*(gone)": ("a",)})
    assert "stale choice" in fault


def test_the_parameters_of_compiled_functions_are_read_from_torch():
    torch = pytest.importorskip("torch")
    attention = function(torch.nn.functional.scaled_dot_product_attention)
    assert {"attn_mask", "scale", "enable_gqa"} <= {*attention.parameters}
    pool = function(torch.nn.functional.max_pool2d)
    assert {"dilation", "ceil_mode", "return_indices"} <= {*pool.parameters}
    assert list(function(torch.tanh).parameters) == ["input", "out"]
    assert {"window_length", "periodic"} <= {*function(torch.hann_window).parameters}  # takes no tensor


@pytest.fixture(scope="module")
def studied():
    for name in NAMES:
        try:
            backend(name).installed()
        except Absent as reason:
            pytest.skip(str(reason))
    return study()


def test_every_parameter_is_covered_or_has_a_reason_and_no_reason_is_stale(studied):
    assert not studied[1]


def test_the_table_is_written_as_it_is_shown(studied, tmp_path):
    lines = studied[0]
    first, second = write(lines, tmp_path)
    assert (first.name, second.name) == FILES
    rows = [json.loads(each) for each in first.read_text().splitlines()]
    assert len(rows) == len(lines) > len(tables(lines))
    assert {row["backend"] for row in rows} == {*NAMES}
    assert all(row["reason"] for row in rows if row["status"] != "covered")
    assert second.read_text().count("\n### ") == len(tables(lines)) - 1
