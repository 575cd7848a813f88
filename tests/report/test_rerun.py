"""The command of a row that anybody may have written: rebuilt, and never carrying what no suite writes."""

import shlex
from dataclasses import asdict

import pytest

from bench import pages
from bench.cells.cell import Cell
from bench.cells.selection import Selection, cells
from bench.failure.repro import _shown
from bench.report.findings import departures
from bench.report.header import setups
from bench.report.rerun import rerun
from bench.report.table import markdown
from bench.studies import seeds
from tests.rows import frame, row

EVIL = [
    "--results=/etc/x", "-p", "-x", "@options", "path/to/plugin.py:Chip", "a b", "a;id", "$(id)", "`id`",
    "a|sh", "a&b", "a>b", "a\nid", "a'b", 'a"b', "a\\b", "\x1b[31ma", "[bold]a[/bold]", "a]b", "", "..",
    "../a", "a/../../b", "~", "*", "a\u202eb", "ａ", "!a", "#a", "a%0Ab",
]  # fmt: skip
OURS = {"--full", "--backend", "--device", "--dtype", "--mode", "--size", "--seed"}


def of(found):
    return rerun(found.as_dict())


def test_a_rows_own_command_is_rebuilt_as_it_was():
    assert of(row()) == row().command and shlex.join(shlex.split(row().command)) == row().command


def test_every_cell_of_the_suites_has_its_command():
    few = [pages.case(name) for name in ("attention", "conv2d", "adam", "lstm-model", "host-to-device")]
    every = Selection(full=True, devices=("cpu", "gpu"), seeds=(0, 7), backends=("torch", "jax", "keras-jax"))
    count = 0
    for cell in cells(few, every):
        for options in ([], ["--threads 2"], ["--as-shipped"], ["--threads 1", "--isa avx2"]):
            command = cell.command(*options)
            assert rerun({**asdict(cell), "command": command}) == command
            count += 1
    assert count > 1000


@pytest.mark.parametrize(
    "text",
    ["--results /etc/x", "-p evil", "--backend evil.py:Chip", "-c evil.ini", "--threads 2; id", "--isa $(id)",
     "--isa avx2 --rootdir /", "--threads -1", "--as-shipped\nid", "@evil", "--confcutdir=/",
     "-o python_files=*", "--threads 2 --threads 2 -x", "--override-ini=addopts=-pevil", "# --threads 2"],
)  # fmt: skip
def test_options_that_the_suite_did_not_write_are_not_carried(text):
    assert of(row(command=f"{row().command} {text}")) == row().command
    assert of(row(command=f"pytest {text}")) == row().command


@pytest.mark.parametrize("value", EVIL)
@pytest.mark.parametrize(
    "column",
    ["case", "option", "regime", "size", "contender", "backend", "mode", "device", "dtype", "direction"],
)
def test_no_coordinate_becomes_an_option_a_plug_in_or_a_shells(column, value):
    assert of(row(**{column: value})) == ""


def test_what_is_offered_holds_our_options_and_the_rows_coordinates_alone():
    words = shlex.split(of(row(seed=7)))
    assert words[0] == "pytest" and words[1].startswith("suites/test_suites.py::test_agree[attention/plain/")
    assert {word for word in words if word.startswith("-")} == OURS and words[-1] == "7"
    assert of(row(seed=-1)) == ""


def test_a_backend_in_a_file_is_named_only_where_the_user_has_named_it():
    spec = "my/chip.py:MyChip"
    mine = row(backend=spec, status="error", why="raised")
    assert of(row(backend="evil.py:Chip")) == of(row(backend="nothing-of-that-name")) == ""
    assert rerun(mine.as_dict()) == "" and rerun(mine.as_dict(), ["torch", "other.py:MyChip"]) == ""
    assert f" --backend {spec} " in rerun(mine.as_dict(), [spec])
    for plugins, shown in (((), ""), ((spec,), f"--backend {spec} ")):
        (listing,) = departures(setups(frame(mine)), plugins=plugins)
        ((_, how),) = listing.items
        assert shown in how and bool(how) is bool(shown)


def test_nobody_elses_command_stands_in_a_report_or_in_the_page_of_seeds(tmp_path):
    evil = f"{row().command} --results /etc/x"
    rows = frame(
        row(status="disagrees", why="off", command=evil), row(status="error", seed=3, command="rm -rf /")
    )
    (tmp_path / "rows.jsonl").touch()
    for text in (markdown(departures(setups(rows))), markdown(seeds.sections(rows, tmp_path))):
        assert "/etc/x" not in text and "rm -rf" not in text and text.count("--full --backend torch") == 2


@pytest.mark.parametrize("text", ['"""\nimport os', 'a\\"""b', "a\x00b", "a\ud800b", "a\rb\u2028c", '"' * 7])
def test_no_text_ends_the_docstring_of_a_repro(text):
    shown = _shown(text)
    assert compile(f'"""{shown}. Run it"""\n', "repro.py", "exec").co_names == ("__doc__",) and shown.encode()
    assert len(f'"""{shown}"""'.splitlines()) == 1


def test_a_cell_is_a_value_of_words_alone():
    """What `rerun` rebuilds a command from: one more coordinate has to be asked about there."""
    assert list(Cell.__annotations__) == [
        "case", "option", "regime", "size", "contender", "backend", "mode", "device", "dtype", "direction",
        "seed",
    ]  # fmt: skip
