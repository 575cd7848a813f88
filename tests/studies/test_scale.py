"""The study of many rows repeats a run, and measures what really ran."""

import json
import subprocess
import sys

import pytest

import gaugeblock
from bench.studies import scale
from tests.report.test_compare import run
from tests.rows import row, timed


def test_a_run_is_repeated_on_other_days_and_machines(tmp_path):
    source = run(tmp_path / "run", row(), timed(1e-3, mode="compile"))
    found = [json.loads(line) for line in (source / "rows.jsonl").read_text().splitlines()]
    scale.repeat(source / "rows.jsonl", found, 2 * scale.MACHINES * 2 + 1, tmp_path / "many")
    rows = gaugeblock.load(tmp_path / "many")
    assert len(rows) == 4 * scale.MACHINES + 1 and rows["machine"].nunique() == scale.MACHINES
    assert rows["run_id"].nunique() == 2 * scale.MACHINES + 1


def test_what_is_measured_grows_with_the_rows(tmp_path):
    source = run(tmp_path / "run", row(), timed(1e-3, mode="compile"))
    few, many = scale.study(source, [2, 40], lambda text: None)
    assert few.rows == 2 and many.folder > few.folder > 0 and many.first > few.first > 10_000
    assert min(few.load, few.report, few.pages) > 0.1 and few.memory > 2**25
    assert scale.table([few, many]).rows[1][0] == "40"


def test_the_memory_is_that_of_all_processes_together():
    child = "b = bytearray(2**26); import time; time.sleep(0.7)"
    parent = (
        f"import subprocess, sys; p = subprocess.Popen([sys.executable, '-c', {child!r}]); {child}; p.wait()"
    )
    _, most = scale.measured([sys.executable, "-c", parent])
    assert most > 2 * 2**26


def test_a_command_that_fails_is_no_measurement():
    with pytest.raises(subprocess.CalledProcessError):
        scale.measured([sys.executable, "-c", "raise SystemExit(3)"])


def test_a_run_without_rows_is_refused(tmp_path):
    source = run(tmp_path / "run", row())
    (source / "rows.jsonl").write_text("")
    with pytest.raises(ValueError, match="got no rows, should be a run with some"):
        list(scale.study(source, [1], lambda text: None))
