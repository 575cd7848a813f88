"""What a backend has no build for is one cell a page, where its first would stand."""

from dataclasses import replace
from typing import ClassVar

import pytest

from bench import pages
from bench.backends import lookup
from bench.backends.torch import Torch
from bench.case import Contender
from bench.cells.selection import Selection, cells, timed, unbuilt
from bench.verdict.judge import run
from bench.verdict.missing import missing

CASES = [case for case in pages.cases().values() if "cpu" in case.devices]


class Lone(Torch):
    """Without a build, and without a training."""

    without: ClassVar = {"training": "it has no optimisers"}

    @classmethod
    def inherited(cls, case):
        return []


@pytest.fixture
def lone(monkeypatch):
    monkeypatch.setattr(lookup, "_STAND_INS", {"lone.py:Lone": Lone})
    return Selection(backends=("lone.py:Lone",), seeds=(0, 1))


@pytest.mark.parametrize("more", [{}, {"smoke": True}, {"full": True}, {"dtypes": ["float32"]}])
def test_a_backend_without_builds_has_one_cell_a_page_and_none_that_runs(lone, more):
    selection = replace(lone, **more)
    found = list(unbuilt(CASES, selection))
    assert [cell.case for cell in found] == [case.name for case in CASES]
    assert not list(cells(CASES, selection)) and len(set(map(str, found))) == len(found)
    assert not any(timed(cell, pages.case(cell.case), selection) for cell in found)


def test_shipped_backends_lack_a_build_where_their_page_has_none():
    found = {(cell.case, cell.backend) for cell in unbuilt(CASES, Selection())}
    lacking = {
        (case.name, spec)
        for case in CASES
        for spec in ("torch", "tensorflow", "jax")
        if spec not in {each.backend for each in case.contenders}
    }
    assert found == lacking and ("kl-divergence-floored", "jax") in found


def test_what_is_asked_for_by_a_mode_of_others_is_missing_in_no_mode(lone):
    assert not list(unbuilt(CASES, replace(lone, modes=["jit"])))
    assert {cell.mode for cell in unbuilt(CASES, replace(lone, modes=["compile"]))} == {"compile"}


def test_it_is_missing_and_what_the_backend_has_not_is_absent(lone):
    for cell in unbuilt(CASES, lone):
        row = missing(cell)
        training = pages.case(cell.case).training
        assert row.status == ("absent" if training else "missing") and row == replace(
            run(cell), time=row.time
        )
        assert row.why == (
            Lone.without["training"]
            if training
            else "this page has no build for Lone; add a Contender to the page, or a build to the backend"
        )


def test_a_cell_with_a_build_is_not_missing_whatever_its_api_is_called(lone, monkeypatch):
    build = Contender("Lone", "Lone", print)
    monkeypatch.setattr(Lone, "inherited", classmethod(lambda cls, case: [build]))
    found = list(cells(CASES, lone))
    assert {cell.contender for cell in found} == {"Lone"} and not any(map(missing, found))
