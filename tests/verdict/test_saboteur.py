"""Forged outputs must fail, in every case."""

from dataclasses import replace

import numpy as np
import pytest

from bench import pages
from bench.case import Case
from bench.cells.cell import Cell
from bench.tolerance.expected import expectation
from bench.verdict import saboteur
from bench.verdict.judge import run


def cell(case: Case, dtype: str) -> Cell:
    option, regime, size = next(iter(case.options)), next(iter(case.regimes)), next(iter(case.sizes))
    return Cell(case.name, option, regime, size, "", "numpy", "eager", "cpu", dtype, "")


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("name", pages.cases())
def test_no_saboteur_passes(name, dtype):
    case = pages.case(name)
    for direction in case.directions:
        assert saboteur.passing(cell(case, dtype), direction) == ""


def test_a_check_that_lets_a_saboteur_pass_is_mistrusted(monkeypatch):
    found = replace(
        cell(pages.case("tanh"), "float64"), contender="reference.activation.tanh", direction="forward"
    )
    assert run(found).status == "agrees" and run(replace(found, dtype="float32")).bits > 20

    def wide(cell, **more):
        every = expectation(cell, **more)
        return {path: replace(one, sigma=0.12 * np.abs(one.value)) for path, one in every.items()}

    monkeypatch.setattr(saboteur, "expectation", wide)
    monkeypatch.setattr(saboteur, "kept", lambda name, make: make())  # it remembers
    row = run(found)
    assert row.status == "mistrusted"
    assert row.why == "the answer times 1.2 would pass this check as well"
    assert row.bits is None


@pytest.mark.parametrize("name", ["relu", "tanh"])  # a saboteur passes; the limits are larger
def test_where_zeros_are_right_too_a_dtype_does_not_resolve_a_formula(name):
    found = replace(
        cell(pages.case(name), "float32"),
        contender=f"reference.activation.{name}", regime="subnormal", direction="forward",
    )  # fmt: skip
    row = run(found)
    assert row.status == "absent" and row.why.startswith("float32 does not resolve it")
    assert run(replace(found, dtype="float64")).status == "agrees"


@pytest.mark.parametrize("regime", ["all-zeros", "near-zero"])
def test_a_loss_that_is_the_same_for_all_inputs_of_a_kind_is_told_from_others(regime):
    """That of equal logits is the logarithm of the number of classes."""
    unit = replace(cell(pages.case("cross-entropy"), "float64"), regime=regime)
    assert saboteur.passing(unit, "forward") == ""


def test_an_answer_that_is_right_is_no_saboteur():
    """Flattening echoes its input, and should."""
    assert saboteur.passing(cell(pages.case("flatten"), "float32"), "forward") == ""


def test_the_largest_numbers_times_more_are_infinite_without_a_warning():
    forge = dict(saboteur._saboteurs(cell(pages.case("tanh"), "float64")))["the answer times 1.2"]
    largest = {"y": np.array([np.finfo(np.float64).max])}
    assert np.isinf(saboteur._forged(forge, largest, largest, "float64")["y"]).all()
