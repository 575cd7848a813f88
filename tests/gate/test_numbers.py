"""Outputs of two sides, element by element: an error cannot hide in the range of a known departure."""

from dataclasses import asdict

import numpy as np
import pytest

from bench.cells.cell import Cell
from bench.gate.numbers import departed
from bench.noise import ACCUMULATORS
from bench.tolerance.expected import expectation

CELL = Cell(
    "gelu", "plain", "typical", "small", "reference.activation.gelu", "numpy", "eager", "cpu", "float32",
    "forward",
)  # fmt: skip
SUMS = ACCUMULATORS["float32"]
PATH = "forward.y"
RIGHT = expectation(CELL, accumulator=SUMS)[PATH].value.astype(np.float32)


@pytest.fixture
def told(tmp_path):
    """What is said of outputs of the old side and of the new one."""

    def told(old, new):
        sent = []
        for name, y in (("old", old), ("new", new)):
            np.savez(tmp_path / f"{name}.npz", **{f"0.{PATH}": y})
            sent.append((str(tmp_path / f"{name}.npz"), {"dtypes": {f"0.{PATH}": str(y.dtype)}}))
        return departed(asdict(CELL), SUMS, *sent)["why"]

    return told


def spoiled(y, places, by=2.0**-10):
    found = y.copy()
    found.ravel()[places] *= np.float32(1 + by)
    return found


def test_one_element_that_is_further_off_is_told(told):
    assert told(RIGHT, RIGHT) == ""
    said = told(RIGHT, spoiled(RIGHT, [7]))
    place = ", ".join(map(str, map(int, np.unravel_index(7, RIGHT.shape))))
    assert said.startswith(f"1 element further off, 0 less: {PATH}[{place}] was ")
    assert "(set 0)" in said


def test_it_is_told_beside_elements_that_are_further_off_on_both_sides(told):
    departing = spoiled(RIGHT, range(20, 60), 0.5)
    assert "1 element further off, 0 less" in told(departing, spoiled(departing, [7]))


def test_an_element_that_was_wrong_is_told_when_it_is_further_off_and_not_when_it_is_right_again(told):
    assert told(spoiled(RIGHT, [7]), spoiled(RIGHT, [7], 2.0**-9)) != ""
    assert told(spoiled(RIGHT, [7], 2.0**-9), spoiled(RIGHT, [7])) == ""
    assert told(spoiled(RIGHT, [7]), RIGHT) == ""


def test_what_is_at_no_distance_on_either_side_is_no_news(told):
    assert told(spoiled(RIGHT, [7], np.inf), spoiled(RIGHT, [7], np.nan)) == ""


def test_a_departure_that_moves_at_random_is_no_news_unless_it_grows(told):
    assert told(spoiled(RIGHT, range(20, 60)), spoiled(RIGHT, range(60, 102))) == ""
    assert "elements further off, " in told(spoiled(RIGHT, range(20, 60)), spoiled(RIGHT, range(60, 150)))


def test_an_element_that_is_not_a_number_is_wrong(told):
    lost = RIGHT.copy()
    lost.ravel()[3] = np.nan
    assert "is nan, should be " in told(RIGHT, lost)


def test_a_last_bit_is_not_wrong(told):
    assert told(RIGHT, np.nextafter(RIGHT, np.float32(np.inf))) == ""


def test_a_file_that_is_not_there_is_an_error():
    nowhere = ("/nowhere.npz", {"dtypes": {}})
    assert "FileNotFoundError" in departed(asdict(CELL), SUMS, nowhere, nowhere)["error"]
