"""A contender against itself: false positives, and how often they occur."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from bench.cells.cell import Cell
from bench.cli import app
from bench.speed.timing import Sample
from bench.studies import aa as same
from bench.studies.aa import (
    CHANCE,
    LEVEL,
    NAMES,
    ROUNDS,
    Pair,
    by_chance,
    enough,
    page,
    pair,
    sentence,
    write,
)
from bench.worker import Died

CELL = Cell("attention", "plain", "typical", "small", "x", "numpy", "eager", "cpu", "float32", "forward")


def asked(second_is=1.0, dies=()):
    """A worker whose second name is slower by this factor, on a machine that drifts."""
    log, now = [], iter(range(1, 10_000))

    def ask(cell, function, *arguments):
        verb = function.rpartition(":")[2]
        log.append((verb, *arguments[-2:]))
        if verb in dies:
            raise Died("the worker died: out of memory")
        if verb == "ready":
            return {"calls": 3 if arguments[-1].endswith(NAMES[0]) else 5, "first_call_s": 1.0}
        if verb == "sample":
            factor = second_is if arguments[0].endswith(NAMES[1]) else 1.0
            return list(Sample(1e-3 * factor * (1 + next(now) / 1000), 0.0, 0.0, 1e-3, 0, 1e-3, 0.0))
        return None

    return ask, log


def test_one_call_under_two_names_has_an_interval_that_holds_1():
    ask, log = asked()
    (found,) = pair(CELL, ask)
    assert found.holds and found.rounds == ROUNDS
    samples = [arguments for verb, *arguments in log if verb == "sample"]
    assert len(samples) == 2 * ROUNDS and {calls for _, calls in samples} == {5}
    order = [name[-1] for name, _ in samples[::2]]
    assert set(order) == set(NAMES)  # who goes first is drawn
    assert [verb for verb, *_ in log][-2:] == ["drop", "drop"]


def test_halves_that_differ_are_told_apart():
    ask, _ = asked(second_is=1.2)
    (found,) = pair(CELL, ask)
    assert not found.holds and found.ratio == pytest.approx(1 / 1.2, rel=0.01)


def test_a_worker_that_dies_is_said_to_have():
    ask, _ = asked(dies=("sample",))
    assert pair(CELL, ask) == "the worker died: out of memory"


def pairs(holding, missing):
    one = Pair(CELL, 1.01, 0.99, 1.03, 1e-3, ROUNDS)
    return [one] * holding + [replace(one, ratio=1.2, low=1.1, high=1.3)] * missing


@pytest.mark.parametrize(("number", "missing"), [(1, 1), (12, 2), (100, 5), (1000, 21)])
def test_as_many_may_be_told_apart_as_chance_tells_apart(number, missing):
    assert by_chance(number) == missing
    assert enough(pairs(number - missing, missing)) and not enough(pairs(number - missing - 1, missing + 1))


def test_once_in_a_thousand_tests_chance_tells_more_apart():
    rng = np.random.default_rng(0)
    for number in (12, 200):
        missing = rng.binomial(number, 1 - LEVEL, size=200_000)
        assert 0 < np.mean(missing > by_chance(number)) < CHANCE


def test_the_sentence_says_how_many_should_hold():
    assert sentence(pairs(94, 6)).startswith("94 of 100 intervals contain 1 (94.0%; should be at least 95)")


def test_the_page_names_those_that_were_told_apart():
    _, table = page(pairs(3, 1), "gaugeblock same")
    assert table.rows == [(str(CELL), "1.200", "1.100 to 1.300")]
    assert len(page(pairs(3, 0), "gaugeblock same")) == 1


def test_what_is_written_has_a_line_a_cell(tmp_path):
    markdown, table = write(pairs(3, 1), tmp_path)
    assert "3 of 4 intervals contain 1" in markdown.read_text()
    assert pd.read_csv(table)["holds"].tolist() == [True, True, True, False]


def test_the_command_times_a_case_against_itself(monkeypatch):
    monkeypatch.setattr(same, "run", lambda names, told: pairs(98, 2))
    done = CliRunner().invoke(app, ["same", "relu"])
    assert done.exit_code == 0 and "98 of 100 intervals contain 1" in done.stdout.replace("\n", " ")
    monkeypatch.setattr(same, "run", lambda names, told: pairs(1, 3))
    assert CliRunner().invoke(app, ["same", "relu"]).exit_code == 1
