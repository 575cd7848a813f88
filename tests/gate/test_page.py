"""What a gate prints and writes: regressions first, valid files, and text from others as text."""

import io
import json
import math
from dataclasses import replace
from datetime import date
from xml.etree import ElementTree

import numpy as np
import pytest
from rich.console import Console

from bench.cells.cell import cell_of
from bench.gate import page
from bench.gate.accepted import Accepted
from bench.gate.decide import Answer
from bench.gate.gate import Gate, Told
from bench.gate.side import Side
from bench.report.table import markdown, show
from bench.store.rows import load
from tests.rows import row

EVIL = "\x1b[31mred\x1b[0m [bold]b[/bold] | `x` <img src=x> \u202eabc"
SIDES = (
    Side("the other environment", packages={"torch": "2.12.0", "numpy": "2.4.6"}),
    Side("this environment", packages={"torch": "2.13.0", "numpy": "2.4.6"}, variables={"FLAG": "1"}),
)


def answer(name, ratio=1.0, high=1.02, smallest=0.04, witness="wall"):
    return Answer(name, ratio, ratio / 1.02, high, smallest, witness, 5)


def told(case="attention", speed="same", ratio=1.0, old=None, new=None, **other):
    old, new = old or row(case=case, checksum="aa"), new or row(case=case, checksum="aa")
    return Told(cell_of(old.as_dict()), answer(speed, ratio), old, new, **other)


def gate(*cells, **other):
    given = {"limit": 0.05, "alarms": 0.002, "turn": (0.001, 0.002), "replicates": 5, "seconds": 61.5}
    return Gate(SIDES, cells, **(given | other))


SLOWER = told("softmax", "slower", 1.1)
LOST = told("gelu", new=row(case="gelu", bits=20.0, checksum="bb"), broken=("bits",))
GONE = Told(SLOWER.cell, None, broken=("vanished",), fault="new side: ImportError: no torch")
ACCEPTED = replace(SLOWER, accepted=Accepted("softmax/*", "wanted", date(2027, 1, 1)))


def terminal(sections):
    console = Console(file=io.StringIO(), width=100, highlight=False, force_terminal=False)
    show(sections, console)
    return console.file.getvalue()


def test_a_gate_without_a_regression_says_so_in_one_sentence():
    said = page.sentences(gate(told(), told("gelu")))
    assert said[0] == (
        "no cell is slower by more than 2.0%, reliability 0.98 (5 sets of fresh processes, 62 s)"
    )
    assert said[1] == "2 same" and "0 cells of 2 regressed; outputs of 0 of 2 have other bits" in said[2]
    assert said[3].startswith("on this machine today: 0.2% false alarms")
    assert said[3].endswith("smallest slowdown seen with probability 0.95: 4.0%")


def test_regressions_come_first_and_same_cells_are_a_count():
    found = page.sections(gate(told(), told("lstm", "can't tell"), LOST, SLOWER, told("relu", "faster", 0.8)))
    cells = next(each for each in found if each.title == "Cells")
    assert [line[0].partition("/")[0] for line in cells.rows] == ["softmax", "gelu", "lstm", "relu"]
    assert "1 cell with the same speed" in found[-1].note
    text = terminal(found)
    assert max(map(len, text.splitlines())) <= 100
    assert "torch.nn.functional.scaled_dot_product_attention" in text  # no name is broken


@pytest.mark.parametrize(
    ("cells", "strict", "status"),
    [
        ([told()], False, 0),
        ([SLOWER], False, 1),
        ([LOST], False, 1),
        ([GONE], False, 1),
        ([ACCEPTED], False, 0),
        ([told("lstm", "can't tell")], False, 0),
        ([Told(SLOWER.cell, None, fault="old side: it died")], True, 2),
        ([told()], True, 0),
    ],
)
def test_the_exit_status(cells, strict, status):
    assert gate(*cells).status(strict) == status


def test_a_slowdown_of_the_limit_that_could_hide_is_no_success_where_it_must_not():
    blind = replace(told(), speed=answer("same", smallest=0.06))
    assert gate(blind).status() == 0 and gate(blind).status(strict=True) == 2
    assert gate(blind, limit=0.07).status(strict=True) == 0


def test_the_json_has_every_cell_and_no_nan():
    found = json.loads(page.as_json(gate(SLOWER, GONE, alarms=math.nan), status=1))
    assert found["status"] == 1 and found["false_alarms"] is None and found["smallest"] is None
    assert [each["regressed"] for each in found["cells"]] == [True, True]
    assert found["cells"][0]["speed"]["ratio"] == 1.1 and found["cells"][1]["speed"] is None
    assert found["cells"][0]["rows"]["old"]["case"] == "softmax"
    assert found["sides"]["new"]["variables"] == {"FLAG": "1"}


def test_the_xml_has_a_case_for_each_cell():
    unknown = told("lstm", "can't tell")
    suite = ElementTree.fromstring(page.as_junit(gate(told(), SLOWER, LOST, unknown, ACCEPTED))).find(
        "testsuite"
    )
    assert (suite.get("tests"), suite.get("failures"), suite.get("skipped")) == ("5", "2", "1")
    kinds = [[each.tag for each in case] for case in suite]
    assert kinds == [[], ["failure"], ["failure"], ["skipped"], []]
    assert "slower" in suite[1][0].get("message")


def test_text_from_others_is_shown_as_text():
    bad = replace(LOST, new=row(case="gelu", why=EVIL, status="disagrees"), fault=EVIL, since=EVIL)
    bad = replace(bad, accepted=Accepted("*", EVIL, date(2027, 1, 1)))
    found = gate(bad)
    entries = [Accepted(EVIL, EVIL, date(2026, 1, 1))]
    text, marked = terminal(page.sections(found, entries)), markdown(page.sections(found, entries))
    assert "\x1b" not in text and "\u202e" not in text and "[bold]b[/bold]" in text
    assert "<img" not in marked and "\\`x\\`" in marked
    ElementTree.fromstring(page.as_junit(gate(replace(bad, accepted=None))))
    json.loads(page.as_json(found, entries))


def test_an_accepted_regression_is_shown_and_an_expired_one_is_told():
    found = page.sections(gate(ACCEPTED), [Accepted("gelu/*", "old", date(2026, 1, 1))])
    text = terminal(found)
    assert "1 regression accepted on purpose" in text
    assert "accepted until" in text and "2027-01-01: wanted" in text
    assert "no longer accepted since 2026-01-01: gelu/* (old)" in text


def test_of_several_environments_the_first_that_departed_is_named():
    text = terminal(page.sections(gate(replace(LOST, since="environment 2"))))
    assert "since environment 2" in text


def test_rows_of_both_sides_are_written_with_their_records(tmp_path):
    records = {0: [{"backend": "torch", "packages": {"torch": "2.12.0"}}], 2: [{"backend": "torch"}]}
    folders = page.rows(gate(LOST, GONE, records=records), tmp_path)
    assert [each.parent.name for each in folders] == ["old", "new"]
    old, new = (load(each) for each in folders)
    assert (len(old), len(new)) == (1, 1) and (old["bits"][0], new["bits"][0]) == (23.4, 20.0)
    assert old["environment"][0] != new["environment"][0]
    assert np.isfinite(old["bits"]).all()
