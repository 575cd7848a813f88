"""The planted faults of suites/mutants/: there are enough, and their formulas and places exist."""

import importlib
import pkgutil
from dataclasses import replace

import numpy as np
import pytest

import suites.mutants
from bench import pages
from bench.case import known
from bench.cells.selection import settings
from bench.inputs import inputs
from bench.mutation import mutant
from bench.mutation.matrix import _units
from bench.mutation.mutant import GENERAL, mutants
from bench.tree import flatten

FILES = [module.name for module in pkgutil.iter_modules(suites.mutants.__path__)]
CASES = list(pages.cases())


def own(name):
    return [each for each in mutants(pages.case(name)) if isinstance(each, mutant.Mutant)]


def given(case):
    """The inputs of the typical cell, and the function that takes them."""
    option = next(iter(case.options))
    cell = next(unit for _, unit in _units(case, GENERAL[0], typical=True))
    found = inputs(replace(cell, dtype="float64"))

    def run(case):
        if case.training:
            weights, state, batch = found.starts[0]
            return case.step(weights, state, **batch, **known(case.step, case.options[option]))
        arrays = {**found.data, **found.weights}
        dy = found.cotangents["y"] if set(found.cotangents) == {"y"} else found.cotangents
        forward = case.reference(**arrays, **known(case.reference, case.options[option]))
        if case.gradient is None:
            return (forward,)
        return forward, case.gradient(dy, **arrays, **known(case.gradient, case.options[option]))

    return run


def general(name):
    """The general faults that change this formula."""
    case = pages.case(name)
    run = given(case)
    right = flatten(run(case))

    def differs(each):
        with np.errstate(all="ignore"):
            wrong = flatten(run(each.plant(case)))
        return any(not np.array_equal(right[path], wrong[path], equal_nan=True) for path in right)

    return [each for each in GENERAL if differs(each)]


@pytest.mark.parametrize("name", CASES)
def test_a_formula_has_eight_faults_and_a_quarter_of_them_at_most_edits_outputs(name):
    if pages.case(name).minor and not own(name):
        pytest.skip("a minor formula with the faults of every formula only")
    every = [*own(name), *general(name)]
    assert len(every) >= 8, [each.name for each in every]
    assert 4 * sum(each.edits_outputs for each in every) <= len(every)
    assert len({each.kind for each in every}) >= 3


def test_there_are_two_hundred_in_all_of_every_kind():
    every = [each for name in CASES for each in own(name)]
    assert len(every) >= 200
    assert {each.kind for each in every} | {each.kind for each in GENERAL} == set(mutant.KINDS)


@pytest.mark.parametrize("file", FILES)
def test_a_file_of_faults_stands_beside_its_page_and_names_its_formulas(file):
    mine = {name for name in CASES if pages.page(pages.case(name)) == f"suites.{file}"}
    assert mine, f"suites/{file}.py is no page"
    listed = importlib.import_module(f"suites.mutants.{file}").mutants
    assert set(listed) == mine


@pytest.mark.parametrize("name", CASES)
def test_a_fault_has_a_name_of_its_own_a_place_in_the_source_and_a_setting_that_exists(name):
    case = pages.case(name)
    names = [each.name for each in mutants(case)]
    assert len(set(names)) == len(names)
    judged = settings(case)
    for each in own(name):
        assert each.option in ("", *case.options) and each.regime in ("", *case.regimes)
        shown = (each.option or next(iter(case.options)), each.regime or next(iter(case.regimes)))
        assert shown in judged, "no run judges these two together"
        planted = each.plant(case)  # raises where the source has changed
        assert planted.name == name and planted is not case
