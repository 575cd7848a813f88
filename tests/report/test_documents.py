"""The files of a run's report: what stands in the first one, in which order, and where the rest is."""

import doctest
import io
import re
import shutil
from dataclasses import replace
from itertools import pairwise

import pytest
from rich.cells import cell_len
from rich.console import Console

from bench.report import breaking
from bench.report import write as report
from bench.report.breaking import breaks
from bench.report.documents import CELLS, LONGEST, SPEEDS, Document, Report, files
from bench.report.latency import CALLS
from bench.report.table import WIDTH, Figure, Listing, Table, markdown, show
from bench.store.results import publish, start
from tests.report.test_speeds import curve, race
from tests.rows import ENVIRONMENT, MACHINE, frame, row
from tests.test_arrows import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")
PUBLISHED = ROOT / str(re.search(r"Source: (results/\S+),", README)[1])
SIGNS = "._/"


@pytest.fixture(scope="module")
def found():
    """The sections of a published run."""
    rows = report.read([PUBLISHED])
    return report.sections(*rows, every=True, **report.beside([PUBLISHED]))


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """The files that are made of it, by name."""
    folder = tmp_path_factory.mktemp("written")
    for file in PUBLISHED.iterdir():
        if file.suffix in (".json", ".jsonl"):
            shutil.copy(file, folder)
    assert report.write(folder) == folder / "report.md"
    return {file.name: file.read_text(encoding="utf-8") for file in folder.glob("*.md")}


def headings(text: str) -> list[str]:
    return re.findall(r"^## (.*)$", text, re.MULTILINE)


def test_the_first_file_has_findings_then_what_departs_then_speeds_then_where_the_rest_is(written):
    first = [each.replace("\\", "") for each in headings(written["report.md"])]
    agree = next(each for each in first if each.startswith("Agree wherever they ran ("))
    assert first == [
        "Findings", "What departs, with correct bits", agree, "Throughput", CALLS, "What ran",
        "Where the rest is",
    ]  # fmt: skip
    findings = written["report.md"].partition("## What departs")[0]
    starts = [line.split(" ")[1] for line in findings.splitlines() if line.startswith("- ")]
    assert starts[:3] == ["Nothing", "Known", "Speed"]


def test_what_calls_cost_and_growth_stand_behind_the_headlines():
    rows = [*race("adam", torch=1e-3), *race("adam", "small", torch=1e-5), *curve("adam", lambda work: work)]
    titles = [each.title for each in report.sections(frame(*rows))]
    order = ["Findings", "Throughput", CALLS, "Time over size", "What ran", "Latency"]
    places = [next(at for at, title in enumerate(titles) if title.startswith(name)) for name in order]
    assert places == sorted(places)


def test_the_first_file_is_short_and_links_all_others(written):
    assert len(written["report.md"].splitlines()) <= LONGEST
    linked = re.findall(r"^- \[[^]]+\]\((\w+\.md)\): ", written["report.md"], re.MULTILINE)
    assert sorted([*linked, "report.md"]) == sorted(written)
    for name in linked:
        assert "[the report](report.md)" in written[name]


KEPT = {
    "cells.md": ("Verdicts and correct bits", "Conventions", "Known departures", "Missing and absent"),
    "speeds.md": ("Every contender of every workload",),
    "arithmetic.md": ("Fingerprints of the arithmetic", "Settings as the frameworks report them"),
    "training.md": ("Scores of the trained models", "Loss of adam small float32"),
    "limits.md": ("Seen in these rows", "Not seen in these rows"),
}


@pytest.mark.parametrize(("name", "titles"), KEPT.items())
def test_what_the_first_file_has_no_room_for_is_in_a_file_of_its_kind(written, name, titles):
    assert {*titles} <= {*headings(written[name])}


def test_nothing_of_the_whole_report_is_lost(found, written):
    every = "\n".join(written.values())
    assert len(found) > 25
    for section in found:
        assert markdown([section]) in every, section.title
    assert every.count("![Loss of ") == len(list(PUBLISHED.glob("curve-*.svg"))) > 30


def test_a_run_in_which_everything_departs_has_a_short_first_file_and_the_rest_beside_it():
    """What is cut stands whole in another file, and the first one says so."""
    lines = [(f"formula-{number}", "✗") for number in range(500)]
    wrong = Table("What departs", ("formula", "torch"), lines, note="A note.")
    slow = replace(wrong, title="Throughput")
    said = Listing("Disagrees", [(f"✗ formula-{number}", "pytest x") for number in range(500)])
    given = Report(
        [
            (Table("What ran", ("", " "), [("run", "x")] * 20), ""),
            (wrong, CELLS),
            (said, CELLS),
            (slow, SPEEDS),
        ],
        [
            Document(CELLS, "Verdicts", "all", [Figure("drawn", "x.svg")]),
            Document(SPEEDS, "Speeds", "all", []),
            Document("none.md", "None", "", []),
        ],
    )
    made = files(given)
    assert [*made] == [CELLS, SPEEDS, "report.md"]
    first = made["report.md"]
    assert 250 < len(first.splitlines()) <= LONGEST == 300
    shown = first.count("| formula-") // 2
    assert f"\n{500 - shown} more lines in {CELLS}. A note.\n" in first
    assert first.count("pytest x") == max(shown // 4, 1)
    assert first.count("| run | x |") == 20
    assert markdown([slow]) in made[SPEEDS]
    assert markdown([wrong, said]).strip() in made[CELLS] and "![drawn](x.svg)" in made[CELLS]


def test_no_name_of_a_published_run_is_broken_at_100_columns(found):
    console = Console(file=io.StringIO(), width=WIDTH, highlight=False, force_terminal=False)
    show(found, console)
    words = {word for section in found for word in spoken(section)}
    behind = {word[at:] for word in words for at in range(1, len(word)) if word[at - 1] in SIGNS}
    begun = {word[:at] for word in words | behind for at in range(1, len(word)) if word[at - 1] in SIGNS}
    lines = console.file.getvalue().splitlines()
    assert len(lines) > 500
    for line in lines:
        assert cell_len(line) <= WIDTH or line.startswith("  pytest "), line
        for word in line.split():
            assert word in words | behind | begun or set(word) <= {"─"}, (word, line)


def test_a_name_of_a_published_run_is_broken_behind_a_dot_or_an_underscore_at_any_width(found):
    words = {word for section in found for word in spoken(section) if "." in word or "_" in word}
    assert any("scaled_dot_product_attention" in word for word in words)
    for word in words:
        for width in (8, 13, 21, 34, 55):
            at = [0, *breaks(word, width), len(word)]
            pieces = [word[one:other] for one, other in pairwise(at)]
            assert all(0 < cell_len(piece) <= width for piece in pieces)
            for piece in pieces[:-1]:
                assert piece[-1] in SIGNS or not set(piece) & set(SIGNS), (word, width, piece)


def spoken(section):
    """All words of a section."""
    texts = [section.title, getattr(section, "note", "")]
    if isinstance(section, Table):
        texts += [cell for line in (section.columns, *section.rows) for cell in line]
    elif isinstance(section, Listing):
        texts += [text for item in section.items for text in item]
    else:
        texts.append(section.file)
    return (word for text in texts for word in text.split())


def test_the_examples_of_breaks_hold():
    assert doctest.testmod(breaking) == (0, 2)


def test_a_long_name_is_broken_behind_a_dot_and_one_that_fits_has_a_line_of_its_own():
    name = "torch.nn.functional.binary_cross_entropy_with_logits"
    table = Table("t", ("contender", "where"), [("x", f"see {name}"), ("y", "z " * 30)])
    console = Console(file=io.StringIO(), width=46, highlight=False, force_terminal=False)
    show([table, Listing("l", [(f"and {name}", "")])], console)
    printed = console.file.getvalue()
    assert "torch.nn.functional.binary_" in printed and f"\nand\n{name[:46].rpartition('_')[0]}_\n" in printed
    assert not re.search(r"binary_cr\n|_ent\n", printed)


def test_a_folder_that_is_published_takes_all_files_along(tmp_path):
    run = start(tmp_path / "local", MACHINE, ENVIRONMENT)
    run.append(row(run_id="", machine="", environment=""))
    report.write(run.folder)
    to = publish(run.folder, tmp_path / "results")
    names = {file.name for file in run.folder.glob("*.md")}
    assert {"report.md", CELLS} <= names == {file.name for file in to.glob("*.md")}
