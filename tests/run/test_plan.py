"""The order of a run: what may stand beside what."""

import time
from dataclasses import replace
from types import SimpleNamespace

import pytest

from bench.cells.cell import Cell
from bench.run.plan import plan
from bench.run.session import JUDGE, Session
from bench.store.row import Row


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


def test_limits_of_large_arrays_are_derived_one_after_the_other(monkeypatch):
    """Each may take gigabytes; those of a first size are small."""
    monkeypatch.setattr("bench.run.session.LARGE", 1)
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


def test_limits_of_large_arrays_come_first_in_one_slot_and_pages_in_their_order_in_the_other(monkeypatch):
    """Else they are what is left at the end, when nothing stands beside them."""
    monkeypatch.setattr("bench.run.session.LARGE", 1)
    small = Cell("sigmoid", "plain", "typical", "small", "x", "jax", "jit", "cpu", "float32", "forward")
    cells = [small, replace(small, dtype="float64"), replace(small, size="large")]
    groups = plan(cells, (), lambda unit: False, lambda cell: False)
    session = object.__new__(Session)
    session._groups, session._busy = groups, set()
    assert session._next(0) == (groups[2], ("limits", 0))
    assert session._next(1) == (groups[0], ("limits", 1))
    groups[2].state = "done"
    assert session._next(0) == (groups[0], ("limits", 0))


def test_machines_with_memory_derive_several_large_limits_at_once_and_judge_two_cells_still(monkeypatch):
    monkeypatch.setattr("bench.run.session.LARGE", 2)
    small = Cell("sigmoid", "plain", "typical", "small", "x", "jax", "jit", "cpu", "float32", "forward")
    cells = [
        small,
        *(replace(small, size="large", dtype=dtype) for dtype in ("float64", "float32", "float16")),
    ]
    groups = plan(cells, (), lambda unit: False, lambda cell: False)
    session = object.__new__(Session)
    session._groups, session._busy = groups, set()
    groups[1].state = "running"
    assert session._next(1) == (groups[2], ("limits", 1))
    assert session._next(2) == (groups[0], ("limits", 2))
    groups[2].state = "running"
    assert session._next(1) == (groups[0], ("limits", 1))

    cells = [replace(small, backend=name, mode="eager") for name in ("torch", "tensorflow", "numpy")]
    (group,) = session._groups = plan(cells, (), lambda unit: False, lambda cell: False)
    group.state, (one, two, three) = "done", group.units
    session.workers = SimpleNamespace(key=lambda cell: (cell.backend,))
    assert session._next(0) == (one, ("torch",))
    one.state = two.state = "running"
    assert session._next(2) is None
    one.state = "done"
    assert session._next(2) == (three, ("numpy",))


def test_a_few_small_limits_are_derived_in_one_process_and_more_or_large_ones_in_several():
    small = Cell("sigmoid", "plain", "typical", "small", "x", "jax", "jit", "cpu", "float32", "forward")
    session = object.__new__(Session)
    for cells, several in (
        ([replace(small, seed=seed) for seed in range(4)], False),
        ([replace(small, seed=seed) for seed in range(5)], True),
        ([small, replace(small, size="large")], True),
    ):
        session._groups, session._busy = plan(cells, (), lambda unit: False, lambda cell: False), set()
        assert session._next(0) is not None
        assert (session._next(1) is not None) == several


def row(cell):
    return Row(case=cell.case, status="agrees", direction=cell.direction).as_dict()


def test_a_speed_is_taken_as_soon_as_its_workload_is_judged_and_nothing_runs_beside_it(monkeypatch):
    """A run that is cut then has some speeds."""
    early = Cell("sigmoid", "plain", "typical", "small", "x", "numpy", "eager", "cpu", "float32", "forward")
    late = [replace(early, case="softmax", seed=seed) for seed in range(50)]
    under_way, judged = [], []

    class Worker:
        def request(self, function, cell, *arguments):
            under_way.append(function)
            time.sleep(0.01)
            if function == JUDGE:
                judged.append(cell)
            under_way.remove(function)
            return {"rows": {"forward": row(Cell(**cell))}, "environment": {}, "curve": [], "lost": False}

    def rounds(cells, ask, **how):
        assert [cell.case for cell in cells] == ["sigmoid"]
        for _ in range(5):
            assert not under_way and len(judged) < len(late)
            time.sleep(0.01)
        return dict.fromkeys(cells, "no speed")

    monkeypatch.setattr("bench.run.session.rounds", rounds)
    monkeypatch.setattr("bench.run.session.Workers.of", lambda self, key: Worker())
    nobody = {"threads": 1, "done": {}, "finished": lambda row: None, "drawn": print}
    running = Session([early, *late], [early], lambda unit: False, **nobody)
    try:
        assert running.speed(early)[0].why == "no speed"
        assert running.row(late[-1]).status == "agrees"
    finally:
        running.close()
