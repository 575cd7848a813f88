"""Limits derived ahead of a run are those that it needs."""

import os
import signal
import subprocess
import sys
import time
from dataclasses import asdict
from pathlib import Path

import psutil
import pytest

from bench import pages
from bench.backends import TF32
from bench.cells.selection import Selection, cells, timed
from bench.run.announcement import announcement
from bench.run.derive import one, stale, wanted

ROOT = Path(__file__).parent.parent.parent


def test_a_run_derives_nothing_that_was_derived_ahead_of_it(tmp_path):
    variables = {**os.environ, "GAUGEBLOCK_CACHE": str(tmp_path / "cache")}
    chosen = ["--backend", "numpy", "--dtype", "float32"]

    def gaugeblock(*words):
        return subprocess.run(
            [sys.executable, "-m", "gaugeblock", *words],
            cwd=ROOT,
            env=variables,
            capture_output=True,
            text=True,
        )

    done = gaugeblock("derive", "softmax", *chosen, "--processes", "2")
    assert done.returncode == 0, done.stderr
    limits = len(wanted(cells([pages.case("softmax")], Selection(("numpy",), dtypes=("float32",)))))
    assert done.stdout == f"{limits} of {limits} limits are in the cache\n"
    assert done.stderr.count(" of ") == limits
    before = {file.name: file.stat().st_ino for file in (tmp_path / "cache").glob("*.npz")}
    run = gaugeblock(
        "run",
        *chosen,
        "-k",
        "test_agree and softmax/ and not log and not axis",
        "--results",
        str(tmp_path / "run"),
    )
    assert run.returncode == 0, run.stdout[-2000:]
    after = {file.name: file.stat().st_ino for file in (tmp_path / "cache").glob("*.npz")}
    assert before and {name: after[name] for name in before} == before
    assert not {name for name in after.keys() - before.keys() if not name.startswith("inputs-")}


def test_the_limits_of_every_accumulator_are_kept(tmp_path, monkeypatch):
    monkeypatch.setenv("GAUGEBLOCK_CACHE", str(tmp_path))
    limits = wanted(cells([pages.case("softmax")], Selection(("torch",), dtypes=("float16",))))
    assert [one(asdict(cell), sums)[1] for cell, sums in limits] == [""] * len(limits)
    kept = [file for file in tmp_path.glob("*.npz") if not file.name.startswith("inputs-")]
    assert len(kept) == 2 * len(limits)  # for the first set of inputs and a further one


def test_limits_are_those_of_every_accumulator_and_each_is_derived_once():
    both = Selection(("torch", "jax"), devices=("gpu",), dtypes=("bfloat16",))
    found = wanted(cells([pages.case("softmax")], both))
    assert len(found) == len(set(found)) and {sums for _, sums in found} == {
        "float32 inside",
        "float32",
        "bfloat16",
    }
    rounding = Selection(("torch",), devices=("gpu",), dtypes=("float32",), modes=(TF32,))
    assert {sums for _, sums in wanted(cells([pages.case("softmax")], rounding))} == {
        "float32",
        "float32, TF32 factors",
    }


def test_what_goes_wrong_is_said_and_costs_its_own_limits():
    (cell, sums), *_ = wanted(cells([pages.case("softmax")], Selection(("numpy",), smoke=True)))
    seconds, fault = one(asdict(cell) | {"option": "none"}, sums)
    assert seconds >= 0 and fault == "KeyError: 'none'"
    assert one(asdict(cell), sums)[1] == ""


def test_only_the_places_that_are_named_are_derived(tmp_path):
    place = "softmax/plain/typical/small"
    command = [
        sys.executable,
        "-m",
        "gaugeblock",
        "derive",
        "softmax",
        "--backend",
        "numpy",
        "--place",
        place,
    ]
    variables = {**os.environ, "GAUGEBLOCK_CACHE": str(tmp_path)}
    done = subprocess.run(command, cwd=ROOT, env=variables, capture_output=True, text=True)
    assert done.returncode == 0 and done.stdout == "2 of 2 limits are in the cache\n", done.stderr


@pytest.mark.parametrize("told", ["SIGINT", "SIGTERM"])
def test_who_is_interrupted_does_not_wait_for_limits_that_take_minutes(tmp_path, told):
    variables = {**os.environ, "GAUGEBLOCK_CACHE": str(tmp_path)}
    hear = "import signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler); "
    code = f"{hear}sys.argv[0] = 'gaugeblock'; from gaugeblock.__main__ import main; main()"
    chosen = ["derive", "softmax", "--backend", "numpy", "--dtype", "float32", "--size", "large"]
    running = subprocess.Popen([sys.executable, "-c", code, *chosen], cwd=ROOT, env=variables)
    started = psutil.Process(running.pid)
    until = time.monotonic() + 30
    while not (found := started.children(recursive=True)) and time.monotonic() < until:
        time.sleep(0.1)
    time.sleep(3)  # it is at work
    found = started.children(recursive=True)
    running.send_signal(getattr(signal, told))
    assert running.wait(10) != 0
    assert found and not psutil.wait_procs(found, timeout=5)[1]


def test_a_cache_that_keeps_nothing_is_told(tmp_path):
    (tmp_path / "file").touch()
    variables = {**os.environ, "GAUGEBLOCK_CACHE": str(tmp_path / "file")}
    command = [sys.executable, "-m", "gaugeblock", "derive", "sigmoid", "--backend", "numpy", "--smoke"]
    done = subprocess.run(command, cwd=ROOT, env=variables, capture_output=True, text=True)
    assert (
        done.returncode == 1
        and done.stdout.startswith("0 of 1 limits")
        and "cannot be written" in done.stderr
    )


def test_the_pages_carry_the_spreads_of_every_headline_from_the_code_of_now():
    """If this fails, run `gaugeblock derive --carry`: it derives what is missing or comes from other code."""
    for selection in (Selection(speeds=True), Selection(growth=True)):
        every = cells(list(pages.cases().values()), selection)
        assert [str(cell) for cell, _ in stale(every)] == []


def test_a_run_of_speeds_says_what_it_times_and_what_it_derives_first(monkeypatch):
    chosen = Selection(backends=("numpy",), speeds=True)
    pages_ = [pages.case(name) for name in ("perceptron", "conv2d", "softmax", "relu")]
    speeds = [cell for cell in cells(pages_, chosen) if timed(cell, pages.case(cell.case), chosen)]
    said = announcement(speeds)
    assert said.startswith(f"times {len(speeds)} speeds of 2 headline sizes and 2 other formulas: about ")
    assert "minute" in said and "derives" not in said
    monkeypatch.setattr("bench.run.derive._carried", lambda cell, number: cell.case == "conv2d")
    assert "derives 2 spreads that the pages do not carry" in announcement(speeds)
    assert announcement([]) == ""
