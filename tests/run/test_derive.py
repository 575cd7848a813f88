"""Limits derived ahead of a run are those that it needs."""

import os
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

from bench import pages
from bench.backends import TF32
from bench.cells.selection import Selection, cells
from bench.run.derive import one, wanted

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
        "run", *chosen, "-k", "test_agree and softmax/ and not log", "--results", str(tmp_path / "run")
    )
    assert run.returncode == 0, run.stdout[-2000:]
    after = {file.name: file.stat().st_ino for file in (tmp_path / "cache").glob("*.npz")}
    assert before and {name: after[name] for name in before} == before
    assert not {name for name in after.keys() - before.keys() if not name.startswith("inputs-")}


def test_the_limits_of_every_accumulator_are_kept(tmp_path, monkeypatch):
    monkeypatch.setenv("GAUGEBLOCK_CACHE", str(tmp_path))
    limits = wanted(cells([pages.case("softmax")], Selection(("torch",), dtypes=("float16",))))
    assert [one(asdict(cell), sums)[1] for cell, sums in limits] == [""] * len(limits)
    assert len([file for file in tmp_path.glob("*.npz") if not file.name.startswith("inputs-")]) == len(
        limits
    )


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
