"""A page with wrong flops is listed; a difference needs a reason, and an unneeded reason is stale."""

from dataclasses import replace
from types import SimpleNamespace

import pytest

from bench import pages
from bench.cells.cell import Cell
from bench.report.table import Table
from bench.studies.counters import Count, cells, count
from bench.studies.flops import Known, faults, status, tables, write

CASES = [SimpleNamespace(name="dense")]
NONE = Known()


def counted(flops, *, backend="torch", direction="forward", formula=1000.0, **more):
    cell = Cell("dense", "plain", "typical", "small", "Dense", backend, "", "cpu", "float32", direction)
    return Count(cell, formula, counted=flops, least=100, **more)


@pytest.mark.parametrize(
    ("backend", "direction", "flops", "said"),
    [
        ("torch", "forward", 1000, "agrees"),
        ("torch", "gradient", 1011, "disagrees"),
        ("torch", "training", 975, "disagrees"),
        ("torch", "forward", 0, "uncounted"),
        ("jax", "forward", 1999, "agrees"),
        ("jax", "forward", 2001, "disagrees"),
        ("jax", "forward", 989, "disagrees"),
        ("jax", "forward", 0, "disagrees"),
        ("jax", "gradient", 334, "agrees"),
        ("jax", "gradient", 333, "disagrees"),
    ],
)
def test_torch_must_be_exact_and_xla_within_its_bounds(backend, direction, flops, said):
    assert status(counted(flops, backend=backend, direction=direction), NONE) == said


def test_a_formula_without_arithmetic_is_one_of_indices():
    assert status(counted(99, backend="jax", formula=0.0), NONE) == "agrees"
    assert status(counted(101, backend="jax", formula=0.0), NONE) == "disagrees"


def test_a_program_cannot_move_fewer_bytes_than_it_must():
    found = counted(1000, backend="jax", moved=90.0)
    assert faults([found], CASES, NONE) == [
        "jax/dense/Dense/forward: got 90 bytes, should be at least 100",
        "dense: no counter confirms its flops; give a reason in suites/exemptions/flops.py",
    ]


def test_a_page_with_wrong_flops_is_listed():
    pytest.importorskip("torch")
    case = pages.case("perceptron")
    wrong = replace(case, name="wrong", flops=lambda **size: 2 * case.flops(**size))
    with pages.also(wrong):
        found = count(next(cells(wrong, "torch", "small")))
    listed = faults(found, [wrong], NONE)
    assert listed[0] == (
        "torch/wrong/torch.nn.Sequential/forward at small: counted 7154 flops, 0.5 of the page's 14308, "
        "should be 0.99 to 1.01"
    )
    assert listed[0] in [text for text, _ in tables(found, [wrong], NONE)[0].items]


def test_a_departure_has_a_reason_within_its_range_only():
    known = Known({"torch/dense/*": (0.4, 0.6, "half")})
    half = counted(500)
    assert status(half, known) == "explained" and faults([half], CASES, known) == []
    assert tables([half], CASES, known)[1].items == [("torch/dense/Dense/forward at small, 0.5: half", "")]
    assert status(counted(700), known) == "disagrees"


def test_a_reason_that_nothing_needs_is_stale():
    known = Known(
        {"torch/dense/*": (0.4, 0.6, "half"), "torch/other/*": (1, 2, "not asked")}, {"dense": "silent"}
    )
    stale = " is a stale reason: no count needs it"
    assert faults([counted(1000)], CASES, known) == [f"'torch/dense/*'{stale}", f"'dense'{stale}"]


def test_a_reason_to_raise_is_none_for_another_count():
    known = Known({"torch/dense/*": (0, 0, "too large")})
    broken = counted(None, status="error", why="RuntimeError: no memory")
    assert status(broken, known) == "explained"
    assert faults([broken], CASES, NONE)[0] == "torch/dense/Dense/forward: RuntimeError: no memory"
    assert status(broken, Known({"torch/dense/*": (0.4, 0.6, "half")})) == "error"


def test_a_case_that_nobody_counts_needs_a_reason():
    silent = counted(0)
    assert faults([silent], CASES, NONE) == [
        "dense: no counter confirms its flops; give a reason in suites/exemptions/flops.py"
    ]
    assert faults([silent], CASES, Known(unconfirmed={"dense": "elementwise"})) == []


def test_an_absent_framework_is_no_fault_and_makes_no_reason_stale():
    absent = counted(None, status="absent", why="torch is not installed")
    assert faults([absent], CASES, Known({"torch/dense/*": (0.4, 0.6, "half")})) == []


def test_what_is_written_is_what_was_counted(tmp_path):
    found = [counted(1000, version="2"), counted(1500, backend="jax", version="3", moved=250.0)]
    text, rows = write(found, CASES, NONE, tmp_path)
    assert rows.read_text().splitlines()[1:] == [
        "dense,plain,small,torch,2,Dense,forward,1000,1000,1,100,,agrees",
        "dense,plain,small,jax,3,Dense,forward,1000,1500,1.5,100,2.5,agrees",
    ]
    table = tables(found, CASES, NONE)[2]
    assert isinstance(table, Table) and table.title == "dense at small"
    assert "### dense at small" in text.read_text()
