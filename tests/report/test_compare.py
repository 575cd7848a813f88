"""Two runs side by side: what changed is found exactly, what is gone is a change, and no clock is asked."""

import io
import json
import math
from dataclasses import replace

import pandas as pd
import pytest
from rich.console import Console
from typer.testing import CliRunner

from bench import cli
from bench.machine.records import key
from bench.report.changes import page
from bench.report.compare import CURVE, Side, compare, read
from bench.report.regressions import Found, regressions
from bench.report.rules import rules
from bench.report.table import markdown, show
from bench.store.results import Run
from tests.counting import calls
from tests.rows import ENVIRONMENT, MACHINE, frame, row, timed

EVIL = "\x1b[31mred\x1b[0m [bold]b[/bold] | `x` <img src=x> \u202eabc"
COORDINATES = (
    "case", "option", "regime", "size", "contender", "backend", "mode", "device", "dtype", "direction",
    "seed",
)  # fmt: skip
OTHER = {
    "status": ("imprecise", "status"),
    "bits": (23.3, "figures"),
    "z_rms": (0.5 + 2**-53, "figures"),
    "z_worst": (0.41, "figures"),
    "worst": ("y[7]", "figures"),
    "undecided": (3, "figures"),
    "accumulator": ("float64", "figures"),
    "checksum": ("ffffffff", "outputs"),
}


def run(folder, *rows, losses=None, machine=MACHINE, environment=ENVIRONMENT, name="20260102T030405Z-a"):
    """A run's folder with these rows, and one curve for each of `losses`, by case."""
    folder.mkdir(parents=True)
    for kind, record in (("machine", machine), ("environment", environment)):
        (folder / f"{kind}.json").write_text(json.dumps(record))
    found = Run(folder, name, key(machine), key(environment))
    for each in rows:
        found.append(replace(each, run_id="", machine="", environment=""))
    for case, loss in (losses or {}).items():
        found.curve({name: getattr(row(case=case), name) for name in CURVE} | {"loss": loss})
    return folder


def side(*rows, curves=()):
    return Side("a path", frame(*rows), 0, dict(curves), {}, {})


def sections(a, b, every=False):
    found = compare(a, b)
    return page(found, regressions(found, rules("changed,vanished")), every=every)


def table(a, b, title, every=False):
    return next(each for each in sections(a, b, every) if each.title.startswith(title))


def terminal(found):
    console = Console(file=io.StringIO(), width=100, highlight=False, force_terminal=False)
    show(found, console)
    return console.file.getvalue()


def gaugeblock(*arguments):
    """The command, for which any change is a regression."""
    return CliRunner().invoke(cli.app, ["compare", *map(str, arguments), "--fail-on", "changed,vanished"])


# what is a change


def test_a_run_is_itself(tmp_path):
    a = run(tmp_path / "a", row(), row(dtype="float64"), losses={"lstm": [1.0, None, 0.5]})
    answer = gaugeblock(a, a)
    assert answer.exit_code == 0
    assert ("cells only in A", "0") in table(read(a), read(a), "What changed: nothing").rows
    assert "2: 2 the same, 0 changed" in answer.output and "1: 1 the same, 0 changed" in answer.output


@pytest.mark.parametrize("column", OTHER)
def test_each_figure_of_a_verdict_is_compared_exactly(column, tmp_path):
    old = row(undecided=2, z_rms=0.5)
    value, kind = OTHER[column]
    new = replace(old, **{column: value})
    found = compare(side(old, row(case="linear")), side(new, row(case="linear")))
    assert found.changed and found.differs[column].tolist() == [True, False]
    assert found.differs.to_numpy().sum() == 1
    assert found.kind.tolist() == [kind, ""]
    a, b = run(tmp_path / "a", old), run(tmp_path / "b", new)
    assert gaugeblock(a, b).exit_code == 1 and "What changed: 1 cell changed" in gaugeblock(a, b).output


def test_nothing_else_is_compared():
    old = timed(1e-3)
    new = timed(
        2e-3, time="later", run_id="other", environment="other", version="3", why="because", command="pytest",
        throughput=1.0, threads=64, share=0.1, source="there", peak_bytes=7, score=0.1, tier="tuned",
    )  # fmt: skip
    assert not compare(side(old), side(new)).changed


@pytest.mark.parametrize("column", ["bits", "undecided"])
def test_no_number_is_no_number_and_differs_from_one(column):
    without, having = row(**{column: None}), row(**{column: 0})
    assert not compare(side(without), side(without)).changed
    assert compare(side(without), side(having)).changed and compare(side(having), side(without)).changed
    assert f"{column} none → 0" in table(side(without), side(having), "Figures").rows[0][1]


@pytest.mark.parametrize("column", COORDINATES)
def test_cells_are_the_same_by_every_coordinate(column):
    found = compare(side(row()), side(row(**{column: 5 if column == "seed" else "other"})))
    assert len(found.gone) == len(found.added) == 1 and found.old.empty


def test_a_cell_that_is_gone_is_a_change(tmp_path):
    a = run(tmp_path / "a", row(), row(case="linear", status="absent", why="no such device"))
    answer = gaugeblock(a, run(tmp_path / "b", row()))
    assert answer.exit_code == 1
    assert "What changed: 1 cell gone" in answer.output
    assert "Only in A: gone (1 cell)" in answer.output
    assert "linear/plain/typical/small" in answer.output and "no such device" in answer.output


def test_a_cell_that_is_new_is_told_and_is_no_change(tmp_path):
    answer = gaugeblock(run(tmp_path / "a", row()), run(tmp_path / "b", row(), row(case="linear")))
    assert answer.exit_code == 0
    assert "What changed: nothing" in answer.output
    assert "Only in B: new (1 cell)" in answer.output and "linear/plain/typical/small" in answer.output


def test_runs_without_a_cell_in_common_have_changed():
    assert compare(side(row()), side(row(case="linear"))).changed


# curves


def bent(old, new):
    curve = tuple(getattr(row(), name) for name in CURVE)
    a, b = (side(row(), curves={} if losses is None else {curve: losses}) for losses in (old, new))
    return a, b


@pytest.mark.parametrize(
    ("old", "new", "step", "told"),
    [
        ([1.0, 0.5], [1.0, 0.5 + 2**-53], 1, "from step 1 on: 0.5000000000000000 → 0.5000000000000001"),
        ([1.0, 0.5, 0.25], [1.0, 0.4, 0.3], 1, "from step 1 on: 0.500 → 0.400\nlast, step 2: 0.250 → 0.300"),
        ([1.0, math.nan], [1.0, 0.5], 1, "from step 1 on: none → 0.500"),
        ([1.0, 0.5], [1.0], 1, "2 → 1 steps"),
        ([1.0, 0.5], [2.0], 0, "from step 0 on: 1.00 → 2.00\n2 → 1 steps"),
    ],
)  # fmt: skip
def test_a_curve_is_compared_exactly_and_its_first_departing_step_told(old, new, step, told):
    a, b = bent(old, new)
    found = compare(a, b)
    assert found.changed and list(found.bent.values()) == [step]
    assert told == table(a, b, "Training curves").rows[0][1]


def test_curves_that_are_the_same_or_new_are_no_change_and_one_that_is_gone_is():
    assert not compare(*bent([1.0, math.nan], [1.0, math.nan])).changed
    assert not compare(*bent(None, [1.0])).changed
    assert compare(*bent([1.0], None)).changed
    assert table(*bent([1.0], None), "Curves only in A: gone (1 curve)").rows
    assert ("curves only in B", "1") in table(*bent(None, [1.0]), "What changed").rows


@pytest.mark.parametrize(
    "column", ["case", "option", "regime", "size", "contender", "backend", "mode", "dtype"]
)
def test_curves_are_the_same_by_every_coordinate(column, tmp_path):
    a = run(tmp_path / "a", row(), losses={"lstm": [1.0]})
    b = run(tmp_path / "b", row())
    Run(b, "", "", "").curve(
        {name: getattr(row(case="lstm"), name) for name in CURVE} | {"loss": [1.0], column: "x"}
    )
    assert len(compare(read(a), read(b)).lost) == 1


@pytest.mark.parametrize("loss", ["low", None, [1.0, "low"], [10**400]])
def test_a_curve_that_is_no_list_of_numbers_is_refused(loss, tmp_path):
    a = run(tmp_path / "a", row(), losses={"lstm": loss})
    answer = gaugeblock(a, a)
    assert answer.exit_code == 2
    assert "curve of lstm/plain" in answer.output and "should be a list of numbers" in answer.output


# what stands at a path


def test_of_several_runs_the_newest_counts_wherever_it_stands(tmp_path):
    runs = tmp_path / "runs"
    run(runs / "1", row(bits=20.0), losses={"lstm": [2.0]}, name="20260103T000000Z-a")
    run(runs / "2", row(bits=23.4), row(case="linear"), losses={"lstm": [1.0]}, name="20260102T000000Z-a")
    newest = run(tmp_path / "b", row(bits=20.0), row(case="linear"), losses={"lstm": [2.0]})
    found = compare(read(runs), read(newest))
    assert not found.changed and len(found.old) == 2
    cells = next(line for line in table(read(runs), read(newest), "Compared").rows if line[0] == "cells")
    assert cells[1:] == ("2 cells; 1 in several runs: the newest counts", "2 cells")


def test_a_rows_file_will_do(tmp_path):
    a = run(tmp_path / "a", row(), losses={"lstm": [1.0]})
    assert not compare(read(a / "rows.jsonl"), read(a)).changed
    assert read(a / "rows.jsonl").curves


@pytest.mark.parametrize("which", [0, 1])
def test_a_path_without_rows_is_refused(which, tmp_path):
    paths = [run(tmp_path / "a", row()), run(tmp_path / "b", row())]
    (paths[which] / "rows.jsonl").write_text("")
    answer = gaugeblock(*paths)
    assert answer.exit_code == 2
    assert f"{paths[which]}: got none, should be at least one" in answer.output
    paths[which] = tmp_path / "nowhere"
    assert gaugeblock(*paths).exit_code == 2 and "nothing there" in gaugeblock(*paths).output


def test_a_row_of_before_seeds_has_a_name():
    old = side(row())
    old.rows["seed"] = pd.array([None], "Int64")
    assert table(old, old, "What changed: nothing")
    assert (
        table(old, side(row(case="linear")), "Only in A")
        .rows[0][0]
        .endswith("torch/eager/cpu/float32/forward")
    )


# what is told


def test_versions_that_differ_are_listed_and_no_others(tmp_path):
    packages = {"numpy": "2.4.6", "scipy": "1.17.0"}
    other = {"python": "3.12.1", "packages": {"numpy": "2.4.6", "scipy": "1.18.0", "keras": "3.9"}}
    same = row(backend="jax", version="0.10.2")
    a = run(tmp_path / "a", row(), same, environment={"python": "3.11.7", "packages": packages})
    b = run(tmp_path / "b", row(version="2.14.0"), same, environment=other)
    found = table(read(a), read(b), "Versions that differ")
    assert found.rows == [
        ("torch", "2.13.0", "2.14.0"),
        ("Python", "3.11.7", "3.12.1"),
        ("scipy", "1.17.0", "1.18.0"),
        ("keras", "none", "3.9"),
    ]
    assert not any(each.title.startswith("Versions") for each in sections(read(a), read(a)))


def test_what_a_framework_read_back_otherwise_is_listed_where_both_runs_recorded_it(tmp_path):
    def worked(folder, *records):
        run(folder)
        found = Run(folder, folder.name, key(MACHINE), key(ENVIRONMENT))
        for seed, record in enumerate(records):
            found.worker(record)
            found.append(row(run_id="", machine="", seed=seed, environment=key(record)))
        return read(folder)

    flags = {"cpu_capability": "AVX512", "onednn": True, "cuda": None}
    torch, jax = ({"backend": name, "flags": flags, "variables": {}} for name in ("torch", "jax"))
    variables = {"ATEN_CPU_CAPABILITY": "avx2"}
    narrow = {"backend": "torch", "flags": flags | {"cpu_capability": "AVX2"}, "variables": variables}
    a, b = worked(tmp_path / "a", torch, jax), worked(tmp_path / "b", narrow)
    assert table(a, b, "Read back otherwise").rows == [
        ("torch: cpu_capability", "AVX512", "AVX2"),
        ("torch: $ATEN_CPU_CAPABILITY", "none", "avx2"),
    ]
    old = read(run(tmp_path / "old", row()))
    for one, other in ((a, a), (old, b)):
        assert not any(each.title == "Read back otherwise" for each in sections(one, other))


def test_both_suites_are_told(tmp_path):
    a, b = (read(run(tmp_path / made, row(suite=made))) for made in ("0.1.0", "0.2.0"))
    assert ("suite", "0.1.0", "0.2.0") in table(a, b, "Compared").rows
    assert ("suite", "0.1.0", "0.1.0") in table(a, a, "Compared").rows


def test_that_machines_differ_is_told_as_a_fact(tmp_path):
    a = run(tmp_path / "a", row())
    b = run(tmp_path / "b", row(checksum="ffffffff"), machine=MACHINE | {"cpu": "Acme Four"})
    answer = gaugeblock(a, b)
    assert answer.exit_code == 1
    assert "The machines differ" in answer.output
    assert "Acme Three" in answer.output and "Acme Four" in answer.output
    assert "The machines differ" not in gaugeblock(a, a).output
    assert ("machine", "the same") in [
        (line[0], line[2]) for line in table(read(a), read(a), "Compared").rows
    ]


def test_threads_and_settings_are_told_where_they_differ():
    a, b = side(row(threads=1)), side(row(threads=2, settings="as shipped"))
    told = table(a, b, "Compared").rows
    assert ("threads", "1", "2") in told and ("settings", "declared", "as shipped") in told
    assert not {"threads", "settings"} & {line[0] for line in table(a, a, "Compared").rows}


def test_statuses_come_first_the_worst_of_them_first_and_with_their_reasons():
    a = side(*(row(case=case) for case in ("one", "two", "three")))
    b = side(
        row(case="one", status="imprecise", bits=1.0, why="a long sum"),
        row(case="two", bits=1.0),
        row(case="three", status="error", why="it raised"),
    )
    titles = [each.title for each in sections(a, b)]
    assert titles[2] == "Causes"
    assert titles[3:] == ["Status (2 cells)", "Figures, with the same status (1 cell)"]
    rows = table(a, b, "Status").rows
    assert [line[0].split("/")[0] for line in rows] == ["three", "one"]
    assert rows[0][1] == "agrees → error\nB: it raised"
    assert rows[1][1] == "agrees → imprecise\nbits 23.4 → 1.00\nB: a long sum"


def test_figures_come_by_the_bits_that_were_lost():
    names = ("gained", "none", "lost")
    a = side(*(row(case=case, z_rms=0.1) for case in names))
    b = side(*(row(case=case, bits=bits) for case, bits in zip(names, (23.9, None, 20.0), strict=True)))
    assert [line[0].split("/")[0] for line in table(a, b, "Figures").rows] == ["lost", "gained", "none"]


def test_a_difference_is_shown_with_the_digits_that_it_takes():
    a, b = side(row(bits=23.4, z_rms=0.5)), side(row(bits=23.400001, z_rms=1e9, checksum="ffffffff"))
    text = table(a, b, "Figures").rows[0][1]
    assert text == "bits 23.400000 → 23.400001, z_rms 0.500 → 1.00e+09\nchecksum none → ffffffff"


def test_twenty_of_a_kind_are_shown_and_all_where_all_are_asked_for(tmp_path):
    a = run(tmp_path / "a", *(row(case=f"case-{number}") for number in range(25)), row())
    b = run(tmp_path / "b", *(row(case=f"case-{number}", bits=1.0) for number in range(25)))
    c = run(tmp_path / "c", row())
    short, full = gaugeblock(a, b).output, gaugeblock(a, b, "--all").output
    assert short.count("case-") == 20 and "and 5 more: `gaugeblock compare --all` shows them" in short
    assert full.count("case-") == 25 and "more:" not in full
    assert "(25 cells)" in short and "(25 cells)" in full
    assert gaugeblock(a, c).output.count("case-") == 20
    assert gaugeblock(a, c, "--all").output.count("case-") == 25


def test_an_outside_backend_and_a_seed_are_named():
    a = side(row(backend="mine/own.py:MyChip", seed=3))
    assert table(a, side(row()), "Only in A").rows[0][0].endswith("\nMyChip/eager/cpu/float32/forward/seed-3")


def test_that_speeds_are_not_compared_is_said():
    assert "Speeds are not compared." in terminal(sections(side(timed(1.0)), side(timed(2.0))))


def test_markdown_has_the_same_tables(tmp_path):
    a, b = run(tmp_path / "a", row()), run(tmp_path / "b", row(bits=1.0))
    answer = gaugeblock(a, b, "--markdown")
    assert answer.exit_code == 1
    assert "## What changed: 1 cell changed" in answer.output
    assert "bits 23.4 → 1.00 |" in answer.output


def test_what_a_stranger_wrote_is_shown_and_not_obeyed(tmp_path):
    evil = row(contender=EVIL, backend=EVIL, version=EVIL, status="error", why=EVIL)
    found = replace(evil, status="agrees", why="", version="2"), evil
    a, b = (
        run(
            tmp_path / name,
            each,
            replace(each, case=f"{EVIL}{name}"),
            losses={EVIL: [loss]},
            machine={"cpu": EVIL},
        )
        for name, each, loss in zip("ab", found, (1.0, 2.0), strict=True)
    )
    shown = sections(read(a), read(b))
    text = terminal(shown)
    assert "\x1b" not in text and "\u202e" not in text
    assert text.count("[bold]b[/bold]") >= 8
    assert "<img" not in markdown(shown) and "\x1b" not in markdown(shown)


def test_many_rows_are_compared_by_columns():
    def compared(count):
        a, b = (frame(row(bits=bits)).loc[[0] * count].reset_index(drop=True) for bits in (23.4, 23.5))
        for rows in (a, b):
            rows["seed"] = pd.array(range(count), "Int64")
        found = compare(Side("a", a, 0, {}, {}, {}), Side("b", b[1:], 0, {}, {}, {}))
        assert len(page(found, Found((), (), 0))) == 4
        assert len(found.gone) == 1 and (found.kind == "figures").sum() == count - 1

    compared(10)  # what is made once
    few, many = calls(compared, 1000), calls(compared, 50_000)
    assert many - few < 49_000 * 20  # some 6 here; a row taken from a frame by itself costs hundreds
