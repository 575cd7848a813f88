"""What of the changes between two runs is a regression, in groups, and as JSON and XML."""

import json
from xml.etree import ElementTree

from typer.testing import CliRunner

from bench import cli
from bench.report.compare import Side, compare
from bench.report.regressions import as_json, as_junit, causes, regressions
from bench.report.rules import USUAL, rules
from tests.report.test_compare import run
from tests.rows import frame, row

EVIL = "\x1b[31mred\x1b[0m <img src=x> \u202eabc"
NEW = {"version": "2.14.0", "package_version": "2.14.0"}


def side(*rows):
    return Side("a path", frame(*rows), 0, {}, {}, {})


def found(old, new, text=USUAL):
    return regressions(compare(side(*old), side(*new)), rules(text))


OLD = [row(case=case, checksum="aa") for case in ("one", "two", "three", "four", "five")]
AFTER = [
    row(case="one", checksum="aa", **NEW),
    row(case="two", checksum="bb", **NEW),
    row(case="three", status="disagrees", bits=3.0, why=f"{EVIL}: 12 elements", **NEW),
    row(case="four", bits=22.0, **NEW),
    row(case="six", **NEW),
]


def test_the_worst_regressions_come_first_and_what_is_the_same_is_a_count():
    known = found(OLD, AFTER)
    names = [each.name.partition("/")[0] for each in known.changes]
    assert (
        set(names[:3]) == {"three", "four", "five"}
        and names[0] == "five"
        and set(names[3:]) == {"two", "six"}
    )
    assert known.same == 1 and known.status == 1
    assert [list(each.broken) for each in known.changes[:3]] == [["vanished"], ["worse", "bits"], ["bits"]]


def test_changes_have_causes():
    (table,) = causes(found(OLD, AFTER))
    lines = {line[0].split("\n")[0]: line[1:] for line in table.rows}
    assert lines["agrees → disagrees"] == ("torch 2.13.0 → 2.14.0", "1", "+20.4", "worse, bits")
    assert lines["gone"][-1] == "vanished" and lines["new"][-1] == ""
    assert "1 cell did not change" in table.note


def test_nothing_that_changed_has_no_cause():
    assert causes(found(OLD, OLD)) == [] and found(OLD, OLD).status == 0


def test_json_and_xml_are_valid_whatever_a_row_says():
    known = found(OLD, AFTER)
    record = json.loads(as_json(known, "a", "b"))
    assert record["status"] == 1 and record["regressed"] == 3 and len(record["changes"]) == 5
    assert record["changes"][1]["bits_lost"] > 20
    suite = ElementTree.fromstring(as_junit(known)).find("testsuite")
    assert (suite.get("tests"), suite.get("failures")) == ("5", "3")


def test_the_command_exits_with_what_was_asked_for(tmp_path):
    a, b = run(tmp_path / "a", *OLD), run(tmp_path / "b", *OLD[:-1], row(case="five", checksum="bb"))
    files = ["--json", str(tmp_path / "c.json"), "--junit", str(tmp_path / "c.xml")]
    for more, status in (([], 0), (["--fail-on", "outputs"], 1), (["--fail-on", "often"], 2)):
        answer = CliRunner().invoke(cli.app, ["compare", str(a), str(b), *more, *files])
        assert answer.exit_code == status, answer.output
    assert json.loads((tmp_path / "c.json").read_text())["status"] == 1
    ElementTree.parse(tmp_path / "c.xml")
