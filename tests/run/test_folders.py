"""The folder of a run that has no room left, or that is refused."""

import pytest

from bench.store.rows import load
from tests.runs import FEW, suites

CHOSEN = [*FEW, "--backend", "numpy", "--results", "run"]


def test_a_run_without_room_for_a_row_fails_its_cell_stops_and_is_gone_on_with(tmp_path):
    done = suites(tmp_path, *CHOSEN, room=2400)  # for a row, and no second one
    assert done.returncode == 2, done.stdout[-2000:]
    told = "rows.jsonl: got File too large, should be written whole to run; free space there, and add"
    assert (
        f"{told} --results run" in done.stdout
        and "1 failed" in done.stdout
        and "Traceback" not in done.stdout
    )
    assert not (tmp_path / "run" / "report.md").exists()
    assert (tmp_path / "run" / "rows.jsonl").read_bytes().endswith(b"\n") and len(load(tmp_path / "run")) == 1
    again = suites(tmp_path, *CHOSEN)
    assert again.returncode == 0 and "2 passed" in again.stdout
    assert load(tmp_path / "run").status.tolist() == ["agrees"] * 2
    assert (tmp_path / "run" / "report.md").exists()


@pytest.mark.parametrize("size", [500, 900])
def test_a_run_without_room_for_its_records_runs_nothing(tmp_path, size):
    done = suites(tmp_path, *CHOSEN, room=size)
    assert done.returncode == 4 and not done.stdout.count("passed")
    told = (
        "ERROR: results run: got File too large, should be a folder to write to; name another with --results"
    )
    assert told in done.stderr
    assert not list(tmp_path.glob("run/*.part"))


def test_a_folder_of_others_is_refused_before_anything_runs(tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "thesis.tex").touch()
    done = suites(tmp_path, *CHOSEN)
    assert done.returncode == 4
    told = "ERROR: --results: got run, which holds thesis.tex and no run, should be the folder of a run"
    assert told in done.stderr and "Traceback" not in done.stderr
    assert [each.name for each in (tmp_path / "run").iterdir()] == ["thesis.tex"]
