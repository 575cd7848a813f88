"""The folder of the published report: what it holds, and what it refuses to write over."""

import json
import math

import pytest
from typer.testing import CliRunner

from bench import cli
from bench.machine.records import key
from bench.report.prices import Price
from bench.site.run import cells
from bench.site.write import MARK, publish
from bench.store.row import STATUSES, TIMED
from tests.report.test_compare import run
from tests.report.test_hardware import CASES, ran
from tests.rows import ENVIRONMENT, MACHINE, frame, row, timed

EVIL = "</script><img src=x onerror=alert(1)>\u2028'\"`=1+1"


def rows():
    """One row of each status, and two speeds."""
    found = [
        row(option=f"o{n}", status=each, bits=20.0, why=EVIL, limit="cancels" if each == "limited" else "")
        for n, each in enumerate(STATUSES)
    ]
    return [
        *found,
        timed(1e-3, case="softmax"),
        timed(2e-3, case="softmax", backend="jax", contender="jax.a"),
    ]


def part(folder, name):
    text = (folder / "data" / f"{name}.js").read_text(encoding="utf-8")
    start = f'GB.put("{name}",'
    assert text.startswith(start) and text.endswith(");\n")
    return json.loads(text[len(start) : -3])


@pytest.fixture
def written(tmp_path):
    source = run(tmp_path / "run", *rows())
    return publish([source], tmp_path / "site").parent


def test_a_report_is_one_folder(written):
    names = {file.name for file in written.iterdir()}
    assert names == {"index.html", "style.css", "app.js", "data", MARK}
    index = part(written, "index")
    assert [each["name"] for each in index["formulas"]] == ["attention", "softmax"] or len(
        index["formulas"]
    ) == 2
    assert index["runs"][0]["statuses"]["disagrees"] == 1 and index["runs"][0]["cpu"] == MACHINE["cpu"]
    assert set(index["statuses"]) == set(STATUSES) and index["timed"] == list(TIMED)
    assert index["runs"][0]["packages"] == ENVIRONMENT["packages"]


def test_the_worst_cell_of_a_formula_is_told(written):
    found = part(written, "verdicts-0-0")["float32"]["attention"]["torch"]["fwd"]
    assert found[0] == "error" and found[2] == len(STATUSES) and found[3] == 1


def test_what_departs_is_listed_once_and_what_is_wrong_comes_first(written):
    found = part(written, "index")["departures"]
    assert [each["status"] for each in found] == ["disagrees", "mistrusted", "error", "limited"] or {
        each["status"] for each in found[:-1]
    } == {"disagrees", "mistrusted", "error"}
    assert found[-1]["status"] == "limited" and found[-1]["lost"] == 4.0 and found[-1]["why"] == EVIL
    assert [each["of"] for each in found] == [*3 * [row().contender], "cancels"]


def test_texts_cannot_leave_their_script(written):
    for file in (written / "data").iterdir():
        text = file.read_text(encoding="utf-8")
        assert "<" not in text and "\u2028" not in text


def test_every_cell_is_in_the_list_and_on_the_page_of_its_formula(written):
    cells = part(written, "cells-0-0")
    assert cells["rows"] == cells["of"] == len(rows())
    number = [each["name"] for each in part(written, "index")["formulas"]].index("softmax")
    shard = part(written, f"formula-{number}-0-0")
    assert len(shard["ids"]) == 2 and shard["columns"]["median_s"] == [0.001, 0.002]
    assert shard["ids"][0].startswith("softmax/plain/typical/small/torch.")


def test_a_large_run_lists_what_departs(monkeypatch):
    monkeypatch.setattr("bench.site.run.MOST", 3)
    found = cells(frame(*rows()))
    assert found["of"] == len(rows()) and found["rows"] == 5
    assert "agrees" not in found["columns"]["status"]["texts"]


def test_numbers_that_json_lacks_are_none_or_words(tmp_path):
    source = run(
        tmp_path / "run", row(status="disagrees", z_worst=math.inf, bits=3.0), row(option="b", bits=None)
    )
    folder = publish([source], tmp_path / "site").parent
    columns = part(folder, "formula-0-0-0")["columns"]
    assert columns["z_worst"][0] == "inf" and columns["bits"] == [3.0, None]


def test_what_was_got_and_should_be_keep_every_digit(tmp_path):
    source = run(tmp_path / "run", row(status="disagrees", bits=3.0, got=1.0000001, expected=1.0))
    columns = part(publish([source], tmp_path / "site").parent, "formula-0-0-0")["columns"]
    assert (columns["got"], columns["expected"]) == ([1.0000001], [1.0])


def test_machines_side_by_side_are_computed_for_the_page(tmp_path):
    """Two runs of one machine, 10 % apart, and one of a machine that is twice as fast as their median."""
    sides = [(MACHINE, 1, 1.0), (MACHINE, 2, 1.1), (MACHINE | {"cpu": "Fast"}, 3, 0.525)]
    folders = [
        run(tmp_path / f"{day}", *ran(factor=factor), machine=machine, name=f"2026010{day}T000000Z-a")
        for machine, day, factor in sides
    ]
    priced = {key(MACHINE): Price(per_hour=1.0, currency="EUR", note=EVIL)}
    folder = publish(folders, tmp_path / "site", prices=priced).parent
    found = part(folder, "hardware")
    one, two = found["states"]
    assert (len(one["runs"]), one["noise"], one["cells"], two["noise"]) == (2, 0.1, 8, None)
    assert two["machine"].startswith("Fast") and EVIL in one["price"] and two["price"] == ""
    assert [each["currency"] for each in (one, two)] == ["EUR", ""]
    mean = next(each for each in found["means"] if each["framework"] == "best")
    assert (mean["relative"], mean["n"], mean["state"], mean["beyond"]) == (2.0, 4, 1, None)
    back = found["pairs"]["1-0"]
    assert back["means"][0]["relative"] == 0.5 and back["floor"] is None and back["differs"] == []
    line = next(each for each in found["lines"] if each["framework"] == "torch")
    assert [each["relative"] for each in line["at"]] == [1.0, 2.0] and line["at"][0]["per_price"] > 0
    assert "<" not in (folder / "data" / "hardware.js").read_text(encoding="utf-8")
    multiples = part(folder, "speeds-0-0")["multiples"]
    assert multiples["n"] == 4 and [each["mean"] for each in multiples["lines"]] == [1.0, 2.0]
    assert [each["first"] for each in multiples["lines"]] == [4, 0]


def test_what_dispatch_bounds_and_what_one_lacks_take_no_part_in_multiples(tmp_path):
    rows = ran(cases=CASES[1:]) + ran(cases=CASES[:1], bound="dispatch")
    rows = [each for each in rows if (each.case, each.backend) != (CASES[1], "jax")]
    folder = publish([run(tmp_path / "run", *rows)], tmp_path / "site").parent
    assert part(folder, "speeds-0-0")["multiples"]["n"] == 2


def test_without_speeds_there_is_nothing_side_by_side(written):
    assert part(written, "hardware") == {"states": [], "base": 0, "lines": [], "means": [], "pairs": {}}


def test_a_formula_that_nobody_built_has_its_cells_and_no_code(tmp_path):
    source = run(tmp_path / "run", row(), row(case="softmax", status="missing", contender="", bits=None))
    shard = part(publish([source], tmp_path / "site").parent, "formula-1-0-0")
    assert shard["columns"]["status"] == ["missing"] and shard["code"] == {}


def test_a_foreign_formula_needs_no_page(tmp_path):
    source = run(tmp_path / "run", row(case="../../strange"), timed(1.0, case="a stranger's formula"))
    folder = publish([source], tmp_path / "site").parent
    names = [each["name"] for each in part(folder, "index")["formulas"]]
    assert sorted(names) == ["../../strange", "a stranger's formula"]
    assert not (tmp_path / "strange").exists()


def test_a_formula_that_only_its_run_knows_has_its_title(tmp_path):
    source = run(tmp_path / "run", row(case="strange"))
    (source / "formulas.json").write_text(json.dumps({"strange": {"title": "A strange formula"}}))
    (found,) = part(publish([source], tmp_path / "site").parent, "index")["formulas"]
    assert found["title"] == "A strange formula" and found["options"] == {}


def test_a_folder_that_holds_something_else_is_refused(tmp_path):
    source, other = run(tmp_path / "run", row()), tmp_path / "thesis"
    other.mkdir()
    (other / "text").touch()
    for to, words in ((other, "holds something else"), (other / "text", "is a file")):
        with pytest.raises(ValueError, match=words):
            publish([source], to)
    assert (other / "text").exists()


def test_a_report_is_written_anew(tmp_path):
    first, second = (run(tmp_path / name, row(option=name)) for name in "ab")
    publish([first], tmp_path / "site")
    (tmp_path / "site" / "data" / "old.js").touch()
    publish([second], tmp_path / "site")
    assert not (tmp_path / "site" / "data" / "old.js").exists()


def test_the_command_names_the_page(tmp_path):
    source = run(tmp_path / "run", row())
    answer = CliRunner().invoke(cli.app, ["report", str(source), "--to", str(tmp_path / "site")])
    assert answer.exit_code == 0 and answer.output.strip().endswith("index.html")
    answer = CliRunner().invoke(cli.app, ["report", str(source), "--to", str(source)])
    assert answer.exit_code == 2 and "holds something else" in answer.output


def test_without_rows_nothing_is_written(tmp_path):
    source = run(tmp_path / "run", row())
    (source / "rows.jsonl").write_text("")
    with pytest.raises(ValueError, match="got no rows"):
        publish([source], tmp_path / "site")
    assert not (tmp_path / "site").exists()


def test_runs_are_the_newest_first(tmp_path):
    old = "20250101T000000Z-bbbbbbbb"
    folders = [run(tmp_path / "old", row(option="x"), name=old), run(tmp_path / "new", row())]
    found = part(publish(folders, tmp_path / "site").parent, "index")["runs"]
    assert [each["id"] for each in found] == ["20260102T030405Z-a", old]


def test_large_runs_are_written_by_several_processes_and_give_the_same_folder(tmp_path, monkeypatch):
    folders = [
        run(
            tmp_path / name,
            *ran(factor=factor),
            row(status="limited", why=name),
            name=f"2026010{name}T000000Z-a",
        )
        for name, factor in (("1", 1.0), ("2", 1.1))
    ]
    whole = {
        file.name: file.read_bytes()
        for file in (publish(folders, tmp_path / "one").parent / "data").iterdir()
    }
    monkeypatch.setattr("bench.site.write.LARGE", 0)
    said = []
    several = publish(folders, tmp_path / "several", said=said.append).parent / "data"
    assert {file.name: file.read_bytes() for file in several.iterdir()} == whole
    assert said == ["1 of 2: 20260101T000000Z-a", "2 of 2: 20260102T000000Z-a"]


def test_the_speeds_of_a_run_are_compared_where_it_is_written_and_not_again_for_the_index(
    tmp_path, monkeypatch
):
    monkeypatch.setattr("bench.report.ratios.races", lambda rows: pytest.fail("compared once more"))
    folders = [run(tmp_path / f"{n}", *ran(factor=n), name=f"2026010{n}T000000Z-a") for n in (1, 2)]
    found = part(publish(folders, tmp_path / "site").parent, "hardware")
    assert [len(each["runs"]) for each in found["states"]] == [2]


def test_a_run_has_the_settings_of_what_ran(tmp_path):
    found = [row(status="absent", bits=None), row(settings="at most sse4", option="b")]
    (told,) = part(publish([run(tmp_path / "run", *found)], tmp_path / "site").parent, "index")["runs"]
    assert told["settings"] == "at most sse4"


def test_a_run_whose_rows_lie_in_two_files_is_one(tmp_path):
    folders = [run(tmp_path / name, row(option=name), name="20260101T000000Z-a") for name in "ab"]
    (found,) = part(publish(folders, tmp_path / "site").parent, "index")["runs"]
    assert found["cells"] == 2


def test_one_name_on_two_machines_is_two_runs(tmp_path):
    machines = MACHINE, MACHINE | {"cpu": "Fast"}
    folders = [
        run(tmp_path / each["cpu"], row(option=each["cpu"]), machine=each, name="20260101T000000Z-a")
        for each in machines
    ]
    found = part(publish(folders, tmp_path / "site").parent, "index")["runs"]
    first, second = [each["id"] for each in found]
    assert first == "20260101T000000Z-a" and second.startswith(first) and second != first
