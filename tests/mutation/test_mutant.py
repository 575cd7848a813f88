"""Planted faults: they are in the right place, they are detected, and the original page is unchanged."""

import json

import numpy as np
import pytest
from typer.testing import CliRunner

import reference.attention
from bench import pages
from bench.cli import app
from bench.coarse import Coarseness, coarse, cut
from bench.inputs import inputs
from bench.mutation import matrix, mutant
from bench.mutation.mutant import GENERAL, Mutant, mutants
from bench.report import kill_matrix
from bench.report.write import kills

SCALE = Mutant("no-scale", "formula", "attention._scores", " / math.sqrt(q.shape[-1])", "")
NOTHING = Mutant("nothing", "formula", "attention._scores", " / math.sqrt(", " / 1.0 / math.sqrt(")


def qkv():
    rng = np.random.default_rng(0)
    return {name: rng.standard_normal((1, 1, 3, 4)) for name in "qkv"}


def test_a_mutant_runs_the_source_with_its_fault_and_the_formula_stays_as_it_is():
    case = pages.case("attention")
    planted = SCALE.plant(case)
    data = qkv()
    twice = reference.attention.attention(2 * data["q"], data["k"], data["v"])  # √4 undone
    np.testing.assert_allclose(planted.reference(**data), twice, rtol=1e-12)
    assert pages.case("attention") is case
    assert case.reference is reference.attention.attention
    assert not np.allclose(case.reference(**data), twice)
    assert [name for name, _ in planted.options.items()] == list(case.options)


def test_a_mutant_whose_place_is_gone_says_so():
    gone = Mutant("gone", "formula", "attention._scores", "math.cbrt(", "math.sqrt(")
    with pytest.raises(ValueError, match=r"mutant gone: got 0 places of 'math.cbrt\(' in attention._scores"):
        gone.plant(pages.case("attention"))
    foreign = Mutant("foreign", "formula", "pooling.max_pool", "x", "y")
    with pytest.raises(ValueError, match="pooling, which the page does not import"):
        foreign.plant(pages.case("attention"))
    with pytest.raises(ValueError, match="got kind 'odd', should be one of formula"):
        Mutant("odd", "odd", "", "", "")


def test_a_fault_is_found_and_named_by_its_lane():
    found = matrix.fate(pages.case("attention"), SCALE)
    assert found.verdict == "killed" and found.lanes["semantics"].startswith("forward: y[")
    assert found.lanes["native"] and found.lanes["invariants"] == ""
    assert list(matrix.fate(pages.case("attention"), SCALE, quick=True).lanes) == ["semantics"]


def test_a_fault_found_in_another_setting_is_not_called_below_float32_where_nobody_asked():
    unnamed = Mutant("ahead", "mask", "attention._allowed", "dtype=bool))", "dtype=bool), k=1)")
    found = matrix.fate(pages.case("attention"), unnamed, quick=True)
    assert found.verdict == "killed" and found.lanes["native"] == "" and found.why == ""


def test_what_changes_nothing_survives_and_is_told_unless_a_reason_says_why():
    case = pages.case("attention")
    assert matrix.fate(case, NOTHING).verdict == "inputs inadequate"
    excused = Mutant(**{**vars(NOTHING), "equivalent": "times one"})
    found = matrix.fate(case, excused)
    assert (found.verdict, found.why) == ("equivalent", "times one")


def test_a_mutant_that_raises_is_no_mutant():
    broken = Mutant("broken", "formula", "attention._scores", "math.sqrt(", "nonsense(")
    with pytest.raises(ValueError, match="NameError: name 'nonsense' is not defined, should run"):
        matrix.fate(pages.case("attention"), broken)


def test_general_faults_stand_only_where_they_change_a_bit():
    by_name = {each.name: each for each in GENERAL}
    relu, linear = pages.case("relu"), pages.case("linear-regression")
    assert matrix.fate(relu, by_name["functions-float16"]) is None
    found = matrix.fate(linear, by_name["products-tf32"])
    assert found.lanes["exact"] and found.lanes["native"]
    assert matrix.fate(linear, by_name["one-element"]).edits_outputs


def test_coarse_arrays_round_what_they_say_and_nothing_else():
    x = np.array([1.0, 1 / 3, -1e-20, 0.0])
    assert cut(x, 11)[1] == np.float64(np.float16(1 / 3)) and cut(x, 53) is x
    case = pages.case("linear-regression")
    given = inputs(next(unit for _, unit in matrix._units(case, SCALE, typical=True)))
    exact = case.reference(**given.data, **given.weights)
    for how, changes in ((Coarseness(), False), (Coarseness(products=11), True), (Coarseness(sums=8), True)):
        rough = coarse(case, how).reference(**given.data, **given.weights)
        assert type(rough) is np.ndarray and rough.dtype == exact.dtype
        assert np.allclose(rough, exact, rtol=0.05, atol=0.05)
        assert (not np.array_equal(rough, exact)) == changes


def test_every_lane_of_a_fate_is_written_and_read_and_stands_in_the_report(tmp_path):
    found = [matrix.fate(pages.case("attention"), each) for each in (SCALE, NOTHING)]
    file = kill_matrix.write(found, tmp_path)
    assert json.loads(file.read_text().splitlines()[0])["verdict"] == "killed"
    assert kill_matrix.read(tmp_path) == found
    table, listing = kills(tmp_path)
    assert table.rows[0][:4] == ("attention", "2", "1/2", "1/2")
    assert listing.items[0][0] == "attention: nothing (formula): inputs inadequate"
    assert kills(tmp_path / "nowhere") == []


def test_the_command_fails_where_one_survives(monkeypatch, tmp_path):
    for listed, code in (((SCALE,), 0), ((SCALE, NOTHING), 1)):
        fates = [matrix.fate(pages.case("attention"), each, quick=True) for each in listed]
        monkeypatch.setattr(matrix, "fates", lambda *_, fates=fates, **__: iter(fates))
        done = CliRunner().invoke(app, ["mutants", "attention", "--quick", "--results", str(tmp_path)])
        assert done.exit_code == code, done.output
        assert "Kill matrix" in done.output and (tmp_path / kill_matrix.FILE).exists()


def test_a_folder_that_is_not_there_is_refused_before_the_work(tmp_path):
    done = CliRunner().invoke(app, ["mutants", "--results", str(tmp_path / "nowhere")])
    assert done.exit_code == 2 and "got no such folder, should be the folder of a run" in done.output


def test_an_unknown_case_is_refused_with_the_list():
    done = CliRunner().invoke(app, ["mutants", "nothing"])
    assert done.exit_code == 2 and "case: got 'nothing', should be one of" in done.output


def test_every_kind_of_fault_has_a_meaning_and_every_formula_general_ones():
    assert {each.kind for each in GENERAL} <= set(mutant.KINDS)
    assert mutants(pages.case("relu"))[-len(GENERAL) :] == GENERAL


@pytest.mark.parametrize("name", ["every-other-call", "gradient-plus-a-constant"])
def test_a_fault_of_one_rounding_that_comes_and_goes_is_found_bit_by_bit_and_nowhere_else(name):
    (fault,) = (each for each in GENERAL if each.name == name)
    found = matrix.fate(pages.case("layer-norm"), fault, quick=False)
    assert found.lanes["invariants"] and not found.lanes["semantics"] and not found.lanes["native"]


@pytest.mark.parametrize("name", ["every-other-call", "gradient-plus-a-constant"])
def test_what_two_calls_would_tell_is_planted_where_two_calls_are_compared(name):
    (fault,) = (each for each in GENERAL if each.name == name)
    assert matrix.fate(pages.case("adam"), fault, quick=False) is None
