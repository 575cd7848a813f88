"""Speeds over runs: a change of level is marked, noise is not, and nothing fails."""

import math
from dataclasses import replace

import numpy as np
import pytest
from typer.testing import CliRunner

from bench import cli
from bench.machine.records import key
from bench.report.history import FILE, NOISE, changes, courses, draw, sections
from bench.store.results import Run
from tests.rows import ENVIRONMENT, MACHINE, frame, row, timed

EVIL = "\x1b[31mred\x1b[0m [bold]b[/bold] | `x` <img src=x> $a$"


def runs(*medians, **other):
    return [
        timed(median, run_id=f"2026010{number}T000000Z-a", **other)
        for number, median in enumerate(medians, 1)
    ]


@pytest.mark.parametrize(
    ("levels", "places"),
    [
        ([1.0] * 6, []),
        ([1, 1.02, 0.99, 1.01, 0.98], []),
        ([1, 1, 1, 2, 2, 2], [3]),
        ([1, 1, 2, 2, 1, 1], [2, 4]),
        ([1, 1, 1, 1, 1.5], [4]),
        ([1, 5], []),
        ([1, math.nan, 1, math.nan, 2, 2], [4]),
        ([], []),
    ],
)
def test_a_change_of_level_is_marked(levels, places):
    assert changes(np.log(np.array(levels, dtype=float)), NOISE) == places


def test_noise_is_seldom_a_change():
    rng = np.random.default_rng(0)
    told = sum(bool(changes(0.2 * rng.standard_normal(20), NOISE)) for _ in range(200))
    assert told <= 20


def test_cells_of_several_machines_and_threads_are_apart():
    rows = runs(1, 1, 2, 2) + [replace(each, machine="b" * 8) for each in runs(1, 1, 1)]
    rows += [replace(each, threads=1) for each in runs(3, 3)] + [row(case="gelu")]
    found = courses(frame(*rows))
    assert [(each.machine[0], len(each.runs), each.speeds) for each in found] == [
        ("a", 4, [2]), ("a", 2, []), ("b", 3, []),
    ]  # fmt: skip


def test_what_changed_is_told_with_run_and_versions():
    rows = runs(1, 1, 1) + [
        timed(2, run_id=f"2026010{n}T000000Z-a", version="2.14.0", bits=20.0) for n in (7, 8, 9)
    ]
    (table,) = sections(courses(frame(*rows)))
    speed, bits = table.rows
    assert speed[1:] == ("20260107T000000Z-a", "time × 2.00: 1.00 s → 2.0 s", "torch 2.13.0 → torch 2.14.0")
    assert bits[2] == "bits 23.4 → 20.0"


def test_it_prints_and_draws_and_never_fails(tmp_path):
    for number, each in enumerate(runs(1, 1, 2, 2, case=EVIL)):
        folder = tmp_path / "runs" / str(number)
        folder.mkdir(parents=True)
        for kind, record in (("machine", MACHINE), ("environment", ENVIRONMENT)):
            (folder / f"{kind}.json").write_text(str(record).replace("'", '"'))
        Run(folder, each.run_id, key(MACHINE), key(ENVIRONMENT)).append(each)
    answer = CliRunner().invoke(
        cli.app, ["history", str(tmp_path / "runs"), "--to", str(tmp_path / "drawn"), "--markdown"]
    )
    assert answer.exit_code == 0 and "time × 2.00" in answer.output
    assert "<img" not in answer.output and "\x1b" not in answer.output
    assert "<img" not in (tmp_path / "drawn" / FILE).read_text()


def test_nothing_is_drawn_of_one_run(tmp_path):
    assert draw(courses(frame(row())), tmp_path) == [] and not list(tmp_path.iterdir())
