"""pytest-benchmark's own readers work on what a run saves: its table, groups, comparison and histogram."""

import csv
import json
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from bench.store.results import load

pytestmark = pytest.mark.timed
ROOT = Path(__file__).parent.parent.parent


def done(*command, folder):
    found = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stdout[-2000:] + found.stderr[-2000:]
    return found.stdout


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """Two runs, the second compared with the first, and what the second printed."""
    folder = tmp_path_factory.mktemp("face")
    workloads = "([relu/plain/typical/small or [tanh/plain/typical/small) and forward"
    run = [sys.executable, "-m", "pytest", str(ROOT / "suites"), "-k", workloads]
    chosen = ["--backend", "numpy", "--dtype", "float32", "--size", "small", "--benchmark-only"]
    chosen += ["--benchmark-verbose"]
    kept = ["--benchmark-storage", "kept", "--benchmark-save", "mine"]
    done(*run, *chosen, *kept, "--results", "one", folder=folder)
    printed = done(*run, *chosen, *kept, "--benchmark-compare", "0001", "--results", "two", folder=folder)
    return folder, printed


def reader(folder, *arguments):
    return done(sys.executable, "-m", "pytest_benchmark", "--storage", "kept", *arguments, folder=folder)


def test_the_table_has_a_group_for_each_workload(saved):
    folder, printed = saved
    (file, _) = sorted((folder / "kept").rglob("*_mine.json"))
    benchmarks = json.loads(file.read_text())["benchmarks"]
    rows = load(folder / "one").dropna(subset="median_s")
    assert len({each["group"] for each in benchmarks}) == len(rows)
    assert {each["extra_info"]["status"] for each in benchmarks} == {"agrees"}
    assert "benchmark 'relu/plain/typical/small/cpu/float32/forward'" in printed


def test_the_comparison_sees_the_samples_of_both_runs(saved):
    folder, printed = saved
    assert "(0001_mine" in printed and "(NOW" in printed
    table = folder / "compared.csv"
    reader(folder, "compare", "0001", "0002", f"--csv={table}")
    lines = list(csv.DictReader(table.read_text().splitlines()))
    medians = sorted(float(line["median"]) for line in lines)
    rows = [load(folder / name).dropna(subset="median_s") for name in ("one", "two")]
    assert medians == pytest.approx(sorted([*rows[0].median_s, *rows[1].median_s]))


def test_the_histogram_is_drawn(saved):
    if find_spec("pygal") is None:  # importing it would leave its hook on every import after it
        pytest.skip("pygal is not installed")
    folder, _ = saved
    reader(folder, "compare", "0001", f"--histogram={folder / 'drawn'}")
    drawings = list(folder.glob("drawn*.svg"))
    assert drawings and all("<svg" in file.read_text() for file in drawings)


def test_a_comparison_that_must_fail_fails(saved):
    folder, _ = saved
    (file, *_) = sorted((folder / "kept").rglob("*0001_mine.json"))
    found = json.loads(file.read_text())
    for each in found["benchmarks"]:
        each["stats"] = {
            name: value / 1000 if isinstance(value, float) else value for name, value in each["stats"].items()
        }
    file.with_name("0003_mine.json").write_text(json.dumps(found))
    command = [sys.executable, "-m", "pytest", str(ROOT / "suites"), "--results", "three"]
    workload = ["-k", "[relu/plain/typical/small and forward"]
    chosen = [*workload, "--backend", "numpy", "--dtype", "float32", "--size", "small", "--benchmark-only"]
    gate = [
        "--benchmark-storage",
        "kept",
        "--benchmark-compare",
        "0003",
        "--benchmark-compare-fail",
        "median:50%",
    ]
    done_ = subprocess.run(
        [*command, *chosen, *gate], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done_.returncode != 0 and "Performance has regressed" in done_.stdout + done_.stderr
