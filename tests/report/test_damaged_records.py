"""What stands beside a run's rows and is damaged costs its own table, and one sentence."""

import json
import os
import random
import re
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bench import cli, pages
from bench.report import kill_matrix
from bench.report import write as report
from bench.store.results import start
from bench.store.rows import ROWS
from tests.rows import ENVIRONMENT, MACHINE, row, timed
from tests.test_arrows import ROOT

SEED = os.environ.get("DAMAGE_SEED", "14")
PUBLISHED = ROOT / "results" / "amd-epyc-589bd1b6" / "2026-11-28-instruction-sets" / "own"
KEPT = ROOT / "results" / "amd-epyc-a110ffb4"
LINES = (
    "fingerprints.jsonl",
    "moments.jsonl",
    "roofs.jsonl",
    "environments.jsonl",
    "curves.jsonl",
    "mutants.jsonl",
)
RECORDS = ("machine.json", "environment.json")
DAMAGES = {
    "cut off": lambda text: text[: len(text) - 20],
    "no JSON": lambda text: text[:-1] + b"x\n" if text.count(b"\n") > 3 else b"nonsense\n",
    "several": lambda text: text[:-1] + b" {}\n",
    "a scalar": lambda text: b"17\n",
    "latin-1": lambda text: '{"größe": 1}\n'.encode("latin-1"),
    "UTF-16": lambda text: text.decode().encode("utf-16"),
    "deep": lambda text: b"[" * 100_000,
    "binary": lambda text: bytes(range(256)),
}
EVIL = "\x1b[31m[bold]|`<b>"
VERDICT = "## Verdicts and correct bits"


@pytest.fixture(autouse=True)
def few_pages(monkeypatch):
    few = {name: pages.case(name) for name in ("attention", "lstm")}
    monkeypatch.setattr(pages, "cases", lambda: few)


@pytest.fixture
def folder(tmp_path):
    """A run with a little of everything that a run leaves."""
    run = start(tmp_path, MACHINE, ENVIRONMENT)
    run.append(timed(1e-3, run_id="", machine="", environment=""))
    run.append(row(case="lstm", mode="x", status="limited", why="w", run_id="", machine="", environment=""))
    for name in LINES:
        alone = name in ("roofs.jsonl", "mutants.jsonl")
        source = KEPT / f"2026-11-26-{name}" if alone else PUBLISHED / name
        kept = source.read_bytes().split(b"\n")[: 1 if name == "curves.jsonl" else 20]
        (run.folder / name).write_bytes(b"".join(line + b"\n" for line in kept if line))
    return run.folder


def page(folder: Path) -> str:
    """The report as it is written at the end of a run: it reads all that stands beside the rows."""
    report.write(folder)
    return "\n".join(file.read_text(encoding="utf-8") for file in sorted(folder.glob("*.md")))


def test_nothing_is_left_out_where_nothing_is_damaged(folder):
    for text in (report.text([folder]), page(folder)):
        assert "Left out" not in text and VERDICT in text and "## Roofline" in text
    assert kill_matrix.read(folder) and "## Kill matrix" in text


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_file_beside_the_rows_is_told_in_one_sentence(folder, damage):
    for name in (*LINES, *RECORDS):
        (folder / name).write_bytes(DAMAGES[damage]((folder / name).read_bytes()))
    text = page(folder)
    assert VERDICT in text and "records of another shape" not in text
    for name in (*LINES, *RECORDS):
        (told,) = (line for line in text.splitlines() if line.startswith("- ") and f"/{name}" in line)
        assert re.match("- [0-9]+ records? left out, the first: .* should be ", told), told


@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir], ids=["pipe", "folder"])
def test_what_is_no_file_is_told_and_never_waited_for(folder, make):
    for name in (*LINES, *RECORDS):
        (folder / name).unlink()
        make(folder / name)
    text = page(folder)
    assert VERDICT in text
    assert all(f"{name}: got no regular file" in text for name in LINES)
    assert all(f"{name}: got something else" in text for name in RECORDS)


def bent(value, rng):
    """The value with something in it of another type."""
    if isinstance(value, dict) and value and rng.random() < 0.8:
        name = rng.choice(list(value))
        if rng.random() < 0.2:
            return {other: each for other, each in value.items() if other != name}
        return value | {name: bent(value[name], rng)}
    if isinstance(value, list) and value and rng.random() < 0.7:
        at = rng.randrange(len(value))
        return [*value[:at], bent(value[at], rng), *value[at + 1 :]]
    return rng.choice(
        [None, True, 0, -1, 1e308, 10**30, "", "x", "\x1b[31m[bold]|`<b>", [], [1, None], {}, {"a": []}]
    )


def test_a_record_of_any_shape_ends_no_report(folder):
    files = [folder / name for name in (*LINES, *RECORDS)]
    whole = {
        file: [json.loads(line) for line in file.read_text().splitlines()]
        if file.name in LINES
        else [json.loads(file.read_text())]
        for file in files
    }
    for number in range(12):
        rng = random.Random(f"{SEED}/{number}")
        for file, records in whole.items():
            found = (bent(each, rng) for each in records)
            objects = (each if isinstance(each, dict) else {"x": each} for each in found)
            file.write_text("".join(f"{json.dumps(each)}\n" for each in objects))
        try:
            printed = page(folder) if number % 4 == 0 else report.text([folder])
        except Exception as error:
            raise AssertionError(f"DAMAGE_SEED={SEED}, {number}: {error!r}") from error
        assert VERDICT in printed and "\x1b" not in printed and "<b>" not in printed


def test_compare_tells_of_damaged_records_and_refuses_damaged_curves_unless_lenient(folder, tmp_path):
    other = shutil.copytree(folder, tmp_path / "other")
    (other / "environment.json").write_text("[]")
    answer = CliRunner().invoke(cli.app, ["compare", str(folder), str(other)])
    assert answer.exit_code == 0 and "environment record" in answer.stderr and "nothing" in answer.stdout
    with (other / "curves.jsonl").open("a") as file:
        file.write("nonsense\n")
    answer = CliRunner().invoke(cli.app, ["compare", str(folder), str(other)])
    assert answer.exit_code == 2 and "curves.jsonl, line " in answer.stderr
    answer = CliRunner().invoke(cli.app, ["compare", str(folder), str(other), "--lenient"])
    assert answer.exit_code == 0 and "1 record left out, the first: curves " in answer.stderr


def test_rows_that_are_left_out_are_counted_in_the_report_and_by_compare(folder):
    with (folder / ROWS).open("a") as file:
        file.write('{"case": "attention"}\nnonsense\n{"case": "att')
    for words in (["report", folder], ["report", "--markdown", folder], ["compare", folder, folder]):
        answer = CliRunner().invoke(cli.app, [*map(str, words)])
        assert answer.exit_code == 2 and "rows.jsonl, line 3, " in answer.stderr
        assert len(answer.stderr.splitlines()) == 1
        answer = CliRunner().invoke(cli.app, [*map(str, words), "--lenient"])
        assert answer.exit_code == 0 and "3 lines left out, the first: rows " in answer.output.replace(
            "\n", " "
        )


def test_a_later_suites_columns_disturb_no_table(folder):
    names = ("on", "turn", "given", "run_environment", "rank", "at", "label", "half", "reason", "colour")
    lines = [json.loads(line) for line in (folder / ROWS).read_text().splitlines()]
    plain = report.text([folder])
    (folder / ROWS).write_text("".join(f"{json.dumps(each | dict.fromkeys(names, 'x'))}\n" for each in lines))
    assert report.text([folder]) == plain
    for words in (["report", folder], ["compare", folder, folder]):
        assert CliRunner().invoke(cli.app, [*map(str, words)]).exit_code == 0
