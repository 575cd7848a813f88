"""A run that is told to end, or killed, in the middle of a cell: what it leaves, and who is left."""

import os
import signal

import psutil
import pytest

from bench.store.rows import load
from tests.runs import begun, gone, suites, until, waiting, workers


@pytest.mark.parametrize(
    "signals", [["SIGTERM"], ["SIGHUP"], ["SIGINT", "SIGINT", "SIGTERM", "SIGINT"]], ids=" ".join
)
def test_a_run_that_is_told_to_end_keeps_its_rows_ends_its_workers_and_says_how_to_go_on(tmp_path, signals):
    running = begun(tmp_path, *waiting(tmp_path), "--results", "run")
    left = workers(running)
    assert int((tmp_path / "waiting").read_text()) in [each.pid for each in left]
    assert until(lambda: len(rows(tmp_path / "run")) == 2)  # of numpy, beside it
    for name in signals:
        os.kill(running.pid, getattr(signal, name))
    printed, _ = running.communicate(timeout=60)
    assert running.returncode == 2, printed[-2000:]
    assert "interrupted: the rows so far are kept; to continue, add --results run" in printed
    assert f"KeyboardInterrupt: {signals[0]}" in printed and "Traceback" not in printed
    assert gone(left)
    assert not (tmp_path / "run" / "report.md").exists()
    assert load(tmp_path / "run").status.tolist() == ["agrees", "agrees"]


@pytest.mark.skipif(not psutil.LINUX, reason="elsewhere a worker ends when it next looks at its channel")
def test_a_run_that_is_killed_leaves_no_worker_be_it_in_a_long_call_or_between_two(tmp_path):
    running = begun(
        tmp_path, *waiting(tmp_path, "sum(range(10**11))"), "--results", "run"
    )  # lets nobody else run
    left = workers(running)
    running.kill()
    running.communicate(timeout=60)
    ended = gone(left)
    for each in left if not ended else ():
        each.kill()
    assert len(left) > 1 and ended


def test_a_run_that_is_killed_before_its_first_row_in_a_cell_and_after_the_last_ends_like_any_other(tmp_path):
    (tmp_path / "whole").mkdir()
    chosen = waiting(tmp_path / "whole")
    (tmp_path / "whole" / "waiting").touch()
    assert suites(tmp_path / "whole", *chosen, "--results", "run").returncode == 0

    waiting(tmp_path)
    for number, part in enumerate([["-k", "linear-regression/ and not simple and Waits"], []]):
        running = begun(tmp_path, *chosen, *part, "--results", "run")
        assert until(lambda number=number: len(rows(tmp_path / "run")) == 2 * number)  # of numpy, beside it
        if number == 0:
            second = suites(tmp_path, *chosen, "--results", "run")
            assert second.returncode == 4, second.stdout
            assert (
                "--results: got run, where another run is in progress, should be a free folder"
                in second.stderr
            )
        running.kill()
        running.communicate(timeout=60)
        (tmp_path / "waiting").touch()
    for _ in range(2):
        done = suites(tmp_path, *chosen, "--results", "run")
        assert done.returncode == 0, done.stdout[-2000:]
    assert (tmp_path / "run" / "report.md").exists()
    assert rows(tmp_path / "run") == rows(tmp_path / "whole" / "run") != {}
    assert load(tmp_path / "run").run_id.nunique() == 1
    assert [each.name for each in (tmp_path / "run").iterdir() if each.is_dir()] == []


def rows(folder):
    """Every cell of a run, and its status."""
    if not (folder / "rows.jsonl").exists():
        return {}
    found = load(folder)
    return dict(zip(found.backend + found.direction + found.dtype, found.status, strict=True))
