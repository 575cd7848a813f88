"""What a run says at its end: how many cells failed, and what could not be kept."""

import json
import os
import re

import pytest

from bench.backends import lookup
from bench.cells.cell import cell_of
from bench.cells.selection import Selection
from bench.failure.blame import family
from bench.failure.freeze import folder_name
from bench.run.pytest_plugin import SuiteRun
from bench.store.results import FAILURES, start
from bench.store.rows import load
from tests.rows import ENVIRONMENT, MACHINE, row
from tests.run.test_session import suites

STATUSES = ("agrees", "imprecise", "limited", "disagrees", "mistrusted", "error", "absent", "missing")


@pytest.mark.parametrize(
    ("statuses", "folders", "fail_imprecise", "words"),
    [
        (
            STATUSES,
            STATUSES[1:6],
            False,
            "3 cells failed: inputs and, if there are any, values and a repro.py of each are in",
        ),
        (
            STATUSES,
            STATUSES[1:6],
            True,
            "4 cells failed: inputs and, if there are any, values and a repro.py of each are in",
        ),
        (
            STATUSES,
            ("disagrees",),
            False,
            "3 cells failed: inputs and, if there are any, values and a repro.py of 1 of them are in",
        ),
        (("error",), (), False, ""),
        (("agrees", "imprecise"), ("imprecise",), False, ""),
    ],
)
def test_what_failed_is_counted_as_pytest_counts_it(
    statuses, folders, fail_imprecise, words, tmp_path, capsys
):
    run = start(tmp_path, MACHINE, ENVIRONMENT)
    cells = {}
    for seed, status in enumerate(statuses):
        cells[status] = cell_of(run.append(row(seed=seed, status="agrees")).as_dict())
        run.append(row(seed=seed, status=status))  # as where it is judged anew
    run.append(row(seed=99, status="error"))  # of an earlier session, whose cells were others
    for status in folders:
        (run.folder / FAILURES / folder_name(cells[status])).mkdir(parents=True)
        (run.folder / FAILURES / folder_name(cells[status]) / "cell.json").write_text(json.dumps({}))
    suite_run = SuiteRun(
        Selection(),
        [],
        None,
        smoke=True,
        fail_imprecise=fail_imprecise,
        chosen=list(cells.values()),
        run=run,
    )
    suite_run.report(interrupted=True)
    said = [line for line in capsys.readouterr().out.splitlines() if "failed: inputs" in line]
    assert [line[: len(words)] for line in said] == ([words] if words else [])


def test_a_run_heals_its_cache_and_tells_once_what_it_could_not(tmp_path, monkeypatch):
    monkeypatch.setenv("GAUGEBLOCK_CACHE", str(tmp_path / "cache"))
    chosen = ["--backend", "numpy", "--smoke", "-k", "[relu/plain/ or [sigmoid/plain/"]
    first = suites(tmp_path, *chosen)
    assert first.returncode == 0 and "cannot be written" not in first.stdout
    files = sorted((tmp_path / "cache").glob("*.npz"))
    whole = {file: file.read_bytes() for file in files}
    (tmp_path / "run").rename(tmp_path / "first")
    for number, file in enumerate(files):
        os.truncate(file, number % 3 * 150)
    files[0].unlink()
    files[0].mkdir()
    again = suites(tmp_path, *chosen)
    assert again.returncode == 0, again.stdout[-2000:]
    assert len(re.findall("cannot be written", again.stdout)) == 1
    assert f"cache: {files[0]} cannot be written (Is a directory)" in again.stdout
    assert all(file.read_bytes() == whole[file] for file in files[1:]) and files[0].is_dir()
    rows = load(tmp_path)
    assert rows.run_id.nunique() == 2
    assert (
        set(rows.status) == {"agrees"} and (rows.groupby(["case", "direction"]).checksum.nunique() == 1).all()
    )


def test_a_run_without_a_cache_is_a_run_and_tells_it_once(tmp_path, monkeypatch):
    monkeypatch.setenv("GAUGEBLOCK_CACHE", "/dev/null")
    chosen = "[relu/plain/typical/ and forward"  # each worker derives what no cache keeps
    done = suites(tmp_path, "--backend", "numpy", "--backend", "jax", "--smoke", "-k", chosen)
    assert done.returncode == 0, done.stdout[-2000:]
    assert done.stdout.count("cannot be written (Not a directory)") == 1
    rows = load(tmp_path / "run")
    assert set(rows.status) <= {"agrees", "absent"} and len(rows)


def test_a_plug_in_of_an_earlier_run_is_not_imported_for_its_rows(tmp_path, monkeypatch):
    monkeypatch.setattr(lookup, "_executed", None)
    assert family(cell_of(row(backend=f"{tmp_path}/gone.py:Gone").as_dict())) == "Gone"
