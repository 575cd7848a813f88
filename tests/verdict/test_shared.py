"""At the size of a headline an element that is a little outside of its limit gets draws of its own."""

import numpy as np
import pytest

from bench.cells.cell import Cell
from bench.tolerance.spread import Expected
from bench.verdict import row as rows

CELL = Cell(
    "linear-regression", "plain", "typical", "hundred-thousand", "reference.linear.linear", "numpy", "eager",
    "cpu", "float32", "forward",
)  # fmt: skip
VALUE = np.linspace(1, 2, 1000).reshape(10, 100)


@pytest.mark.parametrize(
    ("off", "own", "status", "asked"),
    [
        (1e-9, 1e-6, "agrees", []),
        (3e-5, 1e-5, "agrees", [True]),
        (3e-5, 1e-6, "disagrees", [True, True]),
        (3e-2, 1e-2, "disagrees", [False]),  # a fault, for which nobody waits minutes
    ],
)
def test_draws_of_its_own_decide(off, own, status, asked, monkeypatch):
    taken = []

    def expectation(cell, *, accumulator, number, worst=False, own=False, _own=own):
        if own or worst:
            taken.append(own)
        sigma = np.full(VALUE.shape, _own if own else 1e-6)
        return {"forward.y": Expected(VALUE, sigma, sigma / 6e-8, 0 * sigma)}

    monkeypatch.setattr(rows, "expectation", expectation)
    got = VALUE.copy()
    got[3, 4] += off
    _, agreement = rows._compared(CELL.unit, "forward", {"y": got.astype("float32")}, True, ["float32"], 0)
    assert (agreement.status, taken) == (status, asked)
