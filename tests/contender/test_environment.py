"""What a worker records of itself, and that reading it costs no cell its verdict."""

import json
import math

import pytest

from bench.backends import Absent, backend
from bench.backends.numpy import NumPy
from bench.cells.cell import Cell
from bench.contender import environment as environments
from bench.contender.environment import environment, read_back
from bench.contender.prepare import instance
from bench.machine.records import key
from bench.run.work import judge

CELL = Cell(
    "relu", "plain", "typical", "small", "reference.activation.relu", "numpy", "eager", "cpu", "float64", ""
)  # fmt: skip


@pytest.fixture(autouse=True)
def fresh():
    """A process that has recorded nothing."""
    for forget in (environments._READ.clear, instance.cache_clear):
        forget()
    yield
    for forget in (environments._READ.clear, instance.cache_clear):
        forget()


def test_a_worker_tells_its_own_versions_variables_pools_and_flags(monkeypatch):
    monkeypatch.setenv("NPY_DISABLE_CPU_FEATURES", "AVX512_SPR")
    found = environment(CELL)
    assert found["backend"] == "numpy" and found["packages"]["numpy"]
    assert found["variables"]["NPY_DISABLE_CPU_FEATURES"] == "AVX512_SPR"
    assert found["flags"]["threads"] == instance(NumPy, "cpu", "float64").threads()
    assert found["flags"]["blas"] and found["flags"]["simd_baseline"]
    assert key(json.loads(json.dumps(found))) == key(found)


def test_a_row_has_the_key_of_the_record_that_comes_with_it():
    answer = judge(vars(CELL), ["forward", "gradient"], False, False)
    assert {row["environment"] for row in answer["rows"].values()} == {key(answer["environment"])}
    assert answer["environment"]["backend"] == "numpy"


def test_the_record_is_read_once_whatever_is_loaded_later(monkeypatch):
    first = environment(CELL)
    monkeypatch.setattr(environments, "surroundings", lambda flags: 1 / 0)
    assert environment(CELL) == first


def test_an_absent_framework_has_no_record_and_is_asked_again(monkeypatch):
    def absent(self, device, dtype):
        raise Absent("no such device here")

    with monkeypatch.context() as patch:
        patch.setattr(NumPy, "__init__", absent)
        assert environment(CELL) == {}
        (row,) = judge(vars(CELL), ["forward"], False, False)["rows"].values()
        assert (row["status"], row["environment"]) == ("absent", "")
    assert environment(CELL)["backend"] == "numpy"


def test_a_framework_that_cannot_start_is_recorded_with_what_it_raised(monkeypatch):
    def broken(self, device, dtype):
        raise RuntimeError("planted")

    with monkeypatch.context() as patch:
        patch.setattr(NumPy, "__init__", broken)
        assert environment(CELL)["flags"] == {"error": "RuntimeError: planted"}
    assert "error" not in environment(CELL)["flags"]


def test_what_one_question_raises_is_told_in_its_place(monkeypatch):
    class Odd:
        def __str__(self):
            return "odd"

    answers = {
        "raises": lambda: 1 / 0,
        "lacks": lambda: math.no_such_function,
        "odd": lambda: Odd(),
        "nested": lambda: {1: [True, (None, 2), 0.5]},
    }
    monkeypatch.setattr(NumPy, "flags", lambda self: answers)
    found = read_back(NumPy("cpu", "float64"))
    assert {name: found[name] for name in answers} == {
        "raises": "ZeroDivisionError: division by zero",
        "lacks": None,
        "odd": "odd",
        "nested": {"1": [True, [None, 2], "0.5"]},
    }
    (row,) = judge(vars(CELL), ["forward"], False, False)["rows"].values()
    assert row["status"] == "agrees"


def test_questions_that_cannot_be_asked_cost_no_cell_its_verdict(monkeypatch):
    monkeypatch.setattr(NumPy, "flags", lambda self: 1 / 0)
    answer = judge(vars(CELL), ["forward"], False, False)
    assert answer["rows"]["forward"]["status"] == "agrees"
    assert answer["environment"]["flags"] == {"error": "ZeroDivisionError: division by zero"}


@pytest.mark.parametrize(
    ("name", "known"),
    [
        ("numpy", {"blas", "lapack", "simd_baseline", "simd_found"}),
        ("torch", {"cpu_capability", "libraries", "onednn", "interop_threads"}),
        ("onnxruntime", {"build", "providers"}),
    ],
)
def test_a_framework_reads_itself_back(name, known):
    pytest.importorskip(name)
    found = read_back(instance(backend(name), "cpu", "float32"))
    assert all(found[each] not in (None, "", []) for each in known), found
    assert not [value for value in found.values() if "Error" in str(value)]
