"""A run of `pytest suites/`: what a session leaves in its run's folder."""

import errno
import json
import os
import re
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from bench.cells.selection import Selection
from bench.machine import load_average as moment
from bench.machine import records
from bench.run import pytest_plugin, session
from bench.run.pytest_plugin import SuiteRun, arguments
from bench.speed.rounds import BRIEF, THOROUGH
from bench.store.results import start
from bench.store.row import EDITIONS, STATUSES
from bench.store.rows import moments
from tests.rows import ENVIRONMENT, MACHINE, row


class Session:
    """A session that has nothing to do, and says when it is closed."""

    def __init__(self, *cells, **wishes):
        self.wishes = wishes
        LOOKS.append("begun")
        self.timings = {}

    def close(self):
        LOOKS.append("closed")


LOOKS: list[str] = []
OPTIONS = dict.fromkeys(name.replace("-", "_") for name in pytest_plugin.OPTIONS) | {
    "backend": ["numpy"],
    "device": ["cpu"],
}


@pytest.fixture
def suite_run(tmp_path, monkeypatch):
    """A SuiteRun on a run that has one row already; each look at the machine is noted."""

    def look():
        LOOKS.append("looked")
        return {"look": LOOKS.count("looked")}

    LOOKS.clear()
    run = start(tmp_path, MACHINE, ENVIRONMENT)
    run.append(row())
    run.release()
    monkeypatch.setattr(records, "machine", lambda: MACHINE)
    monkeypatch.setattr(moment, "moment", look)
    monkeypatch.setattr(session, "Session", Session)
    return SuiteRun(Selection(), [], run.folder, smoke=True)


def test_the_machine_is_looked_at_before_the_workers_start_and_after_they_have_ended(suite_run):
    with suite_run.session():
        pass
    assert LOOKS == ["looked", "begun", "closed", "looked"]
    assert moments(suite_run.run.folder) == [{"look": 1}, {"look": 2}]


def test_a_session_that_is_interrupted_has_its_last_look(suite_run):
    with pytest.raises(KeyboardInterrupt), suite_run.session():
        raise KeyboardInterrupt
    assert len(moments(suite_run.run.folder)) == 2


def test_a_run_that_is_gone_on_with_has_the_looks_of_both_sessions(suite_run):
    for _ in range(2):
        with suite_run.session():
            pass
    assert [each["look"] for each in moments(suite_run.run.folder)] == [1, 2, 3, 4]


def test_the_users_own_number_of_threads_is_every_frameworks_unless_another_is_named(monkeypatch):
    monkeypatch.setattr("os.cpu_count", lambda: 8)
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    for named, threads in (({}, 3), ({"threads": 5}, 5), ({"as_shipped": True}, None)):
        assert SuiteRun.open(SimpleNamespace(**{**OPTIONS, **named})).threads == threads


@pytest.mark.parametrize(
    ("named", "own", "options"),
    [
        ({}, "", []),
        ({"threads": 8}, "", ["--threads 8"]),
        ({}, "3", ["--threads 3"]),  # a variable of this shell, which another may not have
        ({}, "8", []),
        ({"as_shipped": True}, "3", ["--as-shipped"]),
    ],
)
def test_the_command_of_a_row_has_the_options_of_its_run(monkeypatch, named, own, options):
    monkeypatch.setattr("os.cpu_count", lambda: 8)
    monkeypatch.setenv("OMP_NUM_THREADS", own)
    assert SuiteRun.open(SimpleNamespace(**{**OPTIONS, **named})).options == options


@pytest.mark.parametrize("threads", [-1, 0, 10**6])
def test_a_number_of_threads_that_the_machine_has_not_is_refused(threads):
    with pytest.raises(ValueError, match=f"--threads: got {threads}, should be 1 to"):
        SuiteRun.open(SimpleNamespace(**{**OPTIONS, "threads": threads}))


def test_a_cache_that_is_switched_off_has_no_folder():
    assert any(word.startswith("cache_dir=") for word in arguments(["--smoke"]))
    assert not any("cache_dir" in word for word in arguments(["--smoke", "-p", "no:cacheprovider"]))


@pytest.mark.parametrize("seed", [-1, 2**63])
def test_a_seed_that_no_row_could_hold_is_refused(seed):
    with pytest.raises(ValueError, match=f"--seed: got {seed}, should be 0 to"):
        SuiteRun.open(SimpleNamespace(**{**OPTIONS, "seed": [0, seed]}))


def test_a_run_as_shipped_has_no_threads_of_its_own_and_no_whole_numbers():
    suite_run = SuiteRun.open(SimpleNamespace(**{**OPTIONS, "as_shipped": True}))
    assert suite_run.threads is None and "integers" not in {cell.regime for cell in suite_run.cells}
    assert "integers" in {cell.regime for cell in SuiteRun.open(SimpleNamespace(**OPTIONS)).cells}
    with pytest.raises(ValueError, match="--threads and --as-shipped: got both, should be one of them"):
        SuiteRun.open(SimpleNamespace(**{**OPTIONS, "as_shipped": True, "threads": 1}))


def test_who_asks_for_speeds_alone_is_shown_all_and_waits_longer():
    alone = SuiteRun.open(SimpleNamespace(**OPTIONS, benchmark_only=True))
    usual = SuiteRun.open(SimpleNamespace(**OPTIONS))
    assert (alone.selection.speeds, alone.effort) == (True, THOROUGH)
    assert (usual.selection.speeds, usual.effort) == (False, BRIEF)


def test_what_was_absent_missing_or_an_error_is_judged_again_when_a_run_is_gone_on_with(suite_run):
    run = start(suite_run.results.parent / "more", MACHINE, ENVIRONMENT)
    for number, status in enumerate(STATUSES):
        run.append(row(seed=number, status=status))
    run.release()
    suite_run.results = run.folder
    with suite_run.session() as running:
        settled = {each.status for each in running.wishes["done"].values()}
    assert settled == set(STATUSES) - {"absent", "error", "missing"}


def test_a_run_that_is_gone_on_with_says_how_many_cells_it_does_not_run_again(suite_run):
    run = start(suite_run.results.parent / "more", MACHINE, ENVIRONMENT)
    rows = [row(seed=number, status=status) for number, status in enumerate(("agrees", "error"))]
    for each in rows:
        run.append(each)
    run.release()
    suite_run.results, suite_run.chosen = run.folder, [pytest_plugin.cell_of(each.as_dict()) for each in rows]
    assert not suite_run.kept()
    suite_run.begin()
    said = f"1 cell of 2 in {run.folder} finished before: not run again, even if code has changed"
    assert suite_run.kept() == said
    suite_run.end()


def test_a_run_that_is_gone_on_with_has_no_report_until_it_is_finished(suite_run):
    (suite_run.results / "report.md").write_text("old")
    suite_run.begin()
    assert not (suite_run.results / "report.md").exists()
    with pytest.raises(ValueError, match="where another run is in progress"):
        SuiteRun(Selection(), [], suite_run.results, smoke=True).begin()
    suite_run.end()
    SuiteRun(Selection(), [], suite_run.results, smoke=True).begin()


def test_a_column_that_another_suite_has_or_lacks_costs_a_run_that_is_gone_on_with_nothing(suite_run):
    file = suite_run.results / "rows.jsonl"
    found = json.loads(file.read_text())
    older = {name: value for name, value in found.items() if name not in EDITIONS[-1]}
    for each in (older, {"colour": "red", **found}):
        file.write_text(json.dumps(each) + "\n")
        suite_run.begin()
        assert [each.status for each in suite_run.done.values()] == ["agrees"]
        suite_run.end()


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (["a", "b"], "--results: got a and b, should be one folder"),
        (["a", "a"], "--results: got a and a, should be one folder"),
        ([""], "--results: got no name, should be a folder; name one, or leave"),
        ([__file__], "a file, should be the folder of a run, an empty folder or a new one"),
    ],
)
def test_a_folder_that_is_none_is_refused(given, told):
    with pytest.raises(ValueError, match=re.escape(told)):
        SuiteRun.open(SimpleNamespace(**{**OPTIONS, "results": given}))


@pytest.mark.parametrize(
    ("named", "chosen", "speeds"),
    [
        ([], "vs", "s"),
        (["only"], "s", "s"),
        (["skip"], "v", ""),
        (["disable"], "vs", ""),
        (["disable", "enable"], "vs", "s"),
        (["only", "skip"], "s", "s"),  # as pytest-benchmark has it
    ],
)
def test_cells_are_judged_and_timed_as_pytest_benchmark_lets_their_tests_run(
    suite_run, named, chosen, speeds
):
    options = {f"benchmark_{each}": each in named for each in ("only", "skip", "disable", "enable")}
    suite_run.choose(["v"], ["s"], SimpleNamespace(**options))
    assert ("".join(suite_run.chosen), "".join(suite_run.speeds)) == (chosen, speeds)


@pytest.mark.parametrize("lacks", ["nothing", "a row", "a speed", "an interrupt"])
def test_a_run_that_lacks_a_row_or_a_speed_says_how_to_go_on_and_has_no_report(suite_run, capsys, lacks):
    with suite_run.session():
        pass
    (cell,) = (pytest_plugin.cell_of(each) for each in suite_run.run.rows())
    suite_run.chosen = [cell, replace(cell, seed=9)] if lacks == "a row" else [cell]
    suite_run.speeds = [cell] if lacks == "a speed" else []
    suite_run.report(interrupted=lacks == "an interrupt")
    told = f"interrupted: the rows so far are kept; to continue, add --results {suite_run.results}"
    assert (told in capsys.readouterr().out) == (lacks != "nothing")
    assert (suite_run.results / "report.md").exists() == (lacks == "nothing")


def test_a_report_for_which_there_is_no_room_is_told_and_nothing_of_it_is_left(
    suite_run, capsys, monkeypatch
):
    def full(*arguments, **options):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with suite_run.session():
        pass
    monkeypatch.setattr(Path, "write_text", full)
    suite_run.report(interrupted=False)
    (told,) = suite_run.faults
    assert told.startswith(
        f"report.md: got No space left on device, should be written whole to {suite_run.results}; "
    )
    assert told in capsys.readouterr().out
    assert not [each for each in suite_run.results.iterdir() if each.suffix in (".part", ".md")]
