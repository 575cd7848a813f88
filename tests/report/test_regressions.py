"""What of the changes between two runs is a regression, in groups, and as JSON and XML."""

import json
from dataclasses import replace
from xml.etree import ElementTree

from typer.testing import CliRunner

from bench import cli
from bench.report.changes import page
from bench.report.compare import Side, compare, read
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


# what a run measured of each backend

PRINT = {
    "backend": "torch",
    "mode": "eager",
    "device": "cpu",
    "dtype": "float32",
    "repeats": {"matmul": True},
}
OTHERWISE = PRINT | {"repeats": {"matmul": False}}


def sides(old, new):
    """Two runs of the same rows with these fingerprints."""
    return (replace(side(*OLD), fingerprints=each) for each in (old, new))


def test_a_fingerprint_that_changed_is_told_and_breaks_the_rule_that_nothing_may_change():
    apart = compare(*sides([PRINT], [OTHERWISE]))
    assert apart.changed and not compare(*sides([PRINT], [PRINT])).changed
    (each,) = apart.otherwise
    assert (each.what, each.old, each.new) == ("torch/eager/float32: run to run", "same", "differs")
    assert regressions(apart, rules(USUAL)).status == 0
    known = regressions(apart, rules("changed"))
    assert known.status == 1 and "run to run changed: same → differs" in as_junit(known)
    assert json.loads(as_json(known, "a", "b"))["otherwise"] == [
        {"what": "torch/eager/float32: run to run", "old": "same", "new": "differs"}
    ]
    told = {each.title: each for each in page(apart, known)}
    assert told["Arithmetic and conventions (1 measured setting)"].rows == [
        ("torch/eager/float32: run to run", "same → differs")
    ]
    assert "What changed: 1 measured setting changed" in told
    assert ("regressions", "1") in told["What changed: 1 measured setting changed"].rows


def test_a_fingerprint_that_only_one_run_has_is_no_change():
    assert not compare(*sides([PRINT], [])).changed and not compare(*sides([], [PRINT])).changed


def test_a_convention_that_changed_is_told():
    def adam(option, status):
        return row(case="adam", option=option, status=status, bits=None if status == "absent" else 23.0)

    old, new = (
        side(*(adam(option, status) for option, status in zip(("plain", "hat"), statuses, strict=True)))
        for statuses in (("agrees", "absent"), ("absent", "agrees"))
    )
    told = [each for each in compare(old, new).otherwise if "Adam" in each.what]
    assert told and all(each.what.startswith("torch: ") and each.old != each.new for each in told)
    assert not compare(old, old).otherwise


def test_fingerprints_are_read_beside_the_rows(tmp_path):
    a = run(tmp_path / "a", *OLD)
    (a / "fingerprints.jsonl").write_text(json.dumps(PRINT) + "\n")
    assert list(read(a).fingerprints) == [PRINT]
