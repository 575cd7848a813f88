"""What nobody has built is missing in a run: counted, shown, and no worker is asked."""

import json
import re

import pytest

from bench.store.rows import load
from tests.runs import suites

LONE = """
import os

from gaugeblock import NumPy


class Lone(NumPy):
    name = "lone"
    without = {"training": "it has no optimisers"}

    @classmethod
    def contenders(cls, case):
        return super().contenders(case) if case.name == "gelu-tanh" else []

    def put(self, tree):
        open("asked", "a").write("once ")
        return tree
"""
CHOSEN = "(gelu-tanh/ or log-softmax/ or adagrad/) and not axis"


@pytest.fixture(scope="module")
def ran(tmp_path_factory):
    folder = tmp_path_factory.mktemp("missing")
    (folder / "lone.py").write_text(LONE)
    done = suites(
        folder, "--smoke", "-k", CHOSEN, "--backend", "lone.py:Lone", "--results", "run", "-rs", "-q"
    )
    return folder, done


def test_it_is_counted_beside_what_ran_and_fails_nothing(ran):
    folder, done = ran
    assert done.returncode == 0, done.stdout[-3000:]
    assert re.search(r"2 passed, 1 skipped, \d+ deselected, 1 missing in", done.stdout), done.stdout[-500:]
    rows = load(folder / "run").set_index("case")
    assert dict(rows.status[~rows.index.duplicated()]) == {
        "gelu-tanh": "agrees",
        "log-softmax": "missing",
        "adagrad": "absent",
    }
    assert rows.why["adagrad"] == "it has no optimisers"
    assert rows.why["log-softmax"].startswith("this page has no build for lone; add a Contender to the page")


def test_it_stands_in_the_tables(ran):
    folder, done = ran
    verdicts = (folder / "run" / "cells.md").read_text(encoding="utf-8")
    assert re.search(r"^\| log-softmax \| m", verdicts, re.M)
    assert re.search(
        r"^missing +lone.py:Lone +1  log-softmax: this page has no build for lone", done.stdout, re.M
    )


def test_a_run_in_which_all_is_missing_or_absent_fails_and_asks_no_worker(ran):
    folder, _ = ran
    (folder / "asked").unlink()
    done = suites(
        folder,
        "--smoke",
        "-k",
        "(log-softmax/ or adagrad/) and not axis",
        "--backend",
        "lone.py:Lone",
        "--results",
        "nothing",
    )
    assert done.returncode == 1, done.stdout[-2000:]
    assert (
        "nothing ran: got 2 cells, all absent or missing, should be at least one that runs; the first is "
        "absent because it has no optimisers"
    ) in done.stdout
    assert not (folder / "asked").exists()
    records = folder / "nothing" / "environments.jsonl"
    assert not records.exists() or not [json.loads(line) for line in records.read_text().splitlines()]
