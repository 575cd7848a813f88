"""One machine under several instruction sets, as a report tells it."""

import pytest

from bench.report.header import setups
from bench.report.instruction_sets import OWN, instruction_sets
from bench.report.table import markdown
from tests.rows import frame, row


def run(name, settings, isa="", **statuses):
    return [
        row(run_id=name, case=case, settings=settings, isa=isa, status=status)
        for case, status in statuses.items()
    ]


def found(*runs):
    return instruction_sets(setups(frame(*(each for run in runs for each in run))))


def test_runs_of_one_instruction_set_have_no_table():
    assert found(run("a", "", softmax="agrees"), run("b", "as shipped", softmax="agrees")) == []
    assert found(run("a", "at most avx2", softmax="agrees")) == []


def test_statuses_are_counted_by_level_the_narrowest_first():
    table, _ = found(
        run("a", "", "avx512", softmax="agrees", gelu="agrees"),
        run("b", "as shipped, at most sse4", "sse4", softmax="agrees", gelu="limited"),
    )
    assert table.columns[:3] == ("limit", "backend", "reported")
    assert [line[:3] for line in table.rows] == [("sse4", "torch", "sse4"), (OWN, "torch", "avx512")]
    at = {name: place for place, name in enumerate(table.columns)}
    assert [line[at["agrees"]] for line in table.rows] == ["1", "2"]
    assert [line[at["limited"]] for line in table.rows] == ["1", ""]


def test_a_cell_that_changes_with_the_instruction_set_is_listed():
    _, changing = found(
        run("a", "", softmax="agrees", gelu="agrees", only="agrees"),
        run("b", "at most sse4", softmax="agrees", gelu="disagrees"),
    )
    assert changing.columns == ("of 2", "sse4", OWN)
    assert len(changing.rows) == 1 and changing.rows[0][0].startswith("gelu/")
    assert changing.rows[0][1:] == ("✗", "✓")


def test_where_none_changes_that_is_said_with_how_many_were_looked_at():
    runs = run("a", "", softmax="agrees"), run("b", "at most avx2", softmax="agrees")
    assert "| 1 | 0 |" in " ".join(markdown(found(*runs)).split())


@pytest.mark.parametrize("status", ["absent", "missing"])
def test_what_did_not_run_belongs_to_its_run(status):
    """Such a row has no settings of its own."""
    runs = (
        run("a", "at most avx2", softmax="agrees"),
        run("a", "", gelu=status),
        run("b", "", softmax="agrees"),
    )
    table, _ = found(*runs)
    assert [line[0] for line in table.rows] == ["avx2", OWN]
    assert table.rows[0][table.columns.index(status)] == "1"
