"""The first sentences of a report: what disagrees, what is known to depart, and who leads in speed."""

from dataclasses import replace

import pytest

from bench.report.header import setups
from bench.report.opening import opening
from bench.report.workloads import speeds
from tests.report.test_speeds import race
from tests.rows import MACHINE, frame, row


def said(*rows, machines=None, moments=()):
    found = setups(frame(*rows))
    return [text for text, _ in opening(found, speeds(found), machines or {}, moments).items]


def test_a_run_in_which_nothing_disagrees_says_how_many_cells_agree_and_how_many_depart():
    limited = row(mode="x", status="limited", bits=3.2, why="known")
    assert said(row(), limited, row(mode="y", status="absent")) == [
        "Nothing disagrees: of 2 cells that ran, 1 agrees and 1 departs for a known reason.",
        "Known departures: 1 cell in 1 of 1 formula (torch in 1). The fewest correct bits are 3 of "
        "float32's 24 (attention in torch).",
        "Speed: none was measured.",
    ]
    assert said(row())[:2] == [
        "Nothing disagrees: of 1 cell that ran, 1 agrees.",
        "No known departure was seen.",
    ]


@pytest.mark.parametrize(
    ("status", "words"),
    [
        ("disagrees", "1 disagrees"),
        ("error", "1 raised an error"),
        ("mistrusted", "1 is mistrusted"),
        ("imprecise", "1 is imprecise"),
    ],
)
def test_what_fails_is_counted_and_named(status, words):
    assert (
        said(row(), row(mode="x", status=status))[0] == f"Of 2 cells that ran, {words} (attention in torch)."
    )


def test_many_that_fail_are_counted_and_the_first_are_named():
    rows = [row(case=f"c{number}", status="disagrees", backend="jax") for number in range(5)]
    text = said(*rows, row(mode="x", status="error"))[0]
    named = "c0 in jax, c1 in jax, c2 in jax and 2 more"
    assert text == f"Of 6 cells that ran, 5 disagree ({named}) and 1 raised an error (attention in torch)."


def test_a_run_of_which_no_cell_ran_says_so():
    assert (
        said(row(status="absent"), row(mode="x", status="missing"))[0] == "Nothing ran: 2 cells should have."
    )


def test_the_fewest_bits_are_those_of_each_dtype_and_never_below_zero():
    known = {"status": "limited", "why": "known"}
    rows = [
        row(bits=-3.0, **known),
        row(bits=9.0, mode="x", **known),
        row(dtype="float64", bits=20.0, **known),
    ]
    text = said(*rows, row(case="lstm", backend="jax", bits=12.0, **known))[1]
    assert text == (
        "Known departures: 4 cells in 2 of 2 formulas (torch in 1 and jax in 1). The fewest correct bits are "
        "20 of float64's 53 (attention in torch) and 0 of float32's 24 (attention in torch)."
    )


def test_the_framework_that_leads_is_counted_where_no_other_can_be_as_fast():
    rows = [
        *race("adam", torch=1e-3, jax=2e-3),
        *race("lstm", torch=1e-3, jax=4e-3),
        *race("conv2d", torch=3e-3, jax=1e-3),
        *race("max-pool", torch=1e-3, jax=1.05e-3, spread=0.2),
        *race("perceptron", torch=1e-3),
    ]
    rows = [replace(each, status="limited", why="w") if each.case == "lstm" else each for each in rows]
    assert said(*rows, machines={"aaaaaaaa": MACHINE})[2] == (
        "Speed on Acme Three, 2 cores: of 5 headline workloads, torch leads in 2 (the next takes 3.0 times "
        "as long, as the median), jax leads in 1 (the next takes 3.0 times as long, as the median), no lead "
        "is clear in 1 and 1 ran in one framework only. In 1 the leader has a known departure."
    )


def test_each_machine_has_a_sentence_of_its_own_and_a_busy_one_says_so():
    rows = [*race("adam", torch=1e-3, jax=2e-3)]
    rows += [replace(each, machine="cccccccc", run_id="other") for each in race("adam", torch=2e-3, jax=1e-3)]
    found = said(*rows, moments=[{"others_cores": 1.0, "cores": 2}])
    assert [text.partition(":")[0] for text in found[2:]] == ["Speed on A", "Speed on B"]
    assert "torch leads in 1" in found[2] and "jax leads in 1" in found[3]
    assert found[3].endswith(" The machine was busy at 1 of 1 look: other processes use 1.0 of 2 cores.")


def test_a_record_of_a_machine_in_another_shape_costs_its_name_alone():
    rows = race("adam", torch=1e-3, jax=2e-3)
    for record in ({"cpu": 7, "cores": "many"}, {"cpu": None}, {}):
        assert "torch leads in 1" in said(*rows, machines={"aaaaaaaa": record})[2]
