"""The order of a run: what may stand beside what."""

from dataclasses import replace

import pytest

from bench.cells.cell import Cell
from bench.run.plan import plan
from bench.run.session import Session


@pytest.mark.parametrize(
    ("backend", "size", "curve", "alone"),
    [
        ("torch", "small", False, False),
        ("torch", "small", True, True),
        ("torch", "large", False, True),
        ("numpy", "large", False, True),
        ("jax", "large", True, False),
    ],
)
def test_what_computes_long_in_threads_that_spin_runs_beside_no_other_such(backend, size, curve, alone):
    cell = Cell("sigmoid", "plain", "typical", size, "x", backend, "eager", "cpu", "float32", "forward")
    ((unit,),) = [group.units for group in plan([cell], (), lambda unit: curve, lambda cell: False)]
    assert unit.alone == alone


def test_limits_of_large_arrays_are_derived_one_after_the_other():
    """Each may take gigabytes; those of a first size are small."""
    cell = Cell("sigmoid", "plain", "typical", "small", "x", "jax", "jit", "cpu", "float32", "forward")
    large = [replace(cell, size="large"), replace(cell, size="large", dtype="float64")]
    groups = plan([cell, *large], (), lambda unit: False, lambda cell: False)
    assert [group.alone for group in groups] == [False, True, True]

    session = object.__new__(Session)
    session._groups, session._busy = groups[1:], set()
    assert session._next(0) == (groups[1], ("limits", 0))
    groups[1].state = "running"
    assert session._next(1) is None
    session._groups = [*groups[1:], groups[0]]  # a small one may stand beside it
    assert session._next(1) == (groups[0], ("limits", 1))
    groups[1].state = "done"
    groups[1].units[0].state = "done"
    assert session._next(1) == (groups[2], ("limits", 1))


def test_limits_of_large_arrays_come_first_in_one_slot_and_pages_in_their_order_in_the_other():
    """Else they are what is left at the end, when nothing stands beside them."""
    small = Cell("sigmoid", "plain", "typical", "small", "x", "jax", "jit", "cpu", "float32", "forward")
    cells = [small, replace(small, dtype="float64"), replace(small, size="large")]
    groups = plan(cells, (), lambda unit: False, lambda cell: False)
    session = object.__new__(Session)
    session._groups, session._busy = groups, set()
    assert session._next(0) == (groups[2], ("limits", 0))
    assert session._next(1) == (groups[0], ("limits", 1))
    groups[2].state = "done"
    assert session._next(0) == (groups[0], ("limits", 0))
