"""The conditioning factor tells an unstable reference from a stable one, and a large one needs a reason."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy import special
from typer.testing import CliRunner

from bench import pages
from bench.cells.selection import settings
from bench.cli import app
from bench.noise import FULL, precision
from bench.studies import conditioning
from bench.studies.conditioning import MOST, Factor, Reason, factors, faults, largest, perfect, read, write
from bench.tolerance.spread import spread

sigmoid = special.expit
RESULTS = Path(__file__).parents[2] / "results"


def factor(function, x):
    expected = spread(function, (x,), dtype="float32", seed=0)
    return factors(expected, perfect(function, (x,), precision("float32").u), "float32")[""][0]


def draw(low, high, shape=(8, 20)):
    return np.random.default_rng(0).uniform(low, high, shape).astype(np.float32)


def slope(x):
    q = np.exp(-2 * np.abs(x))
    return 4 * q / (1 + q) ** 2


def centred(x):
    c = x - np.mean(x, axis=1, keepdims=True)
    return np.mean(c * c, axis=1)


@pytest.mark.parametrize(
    ("unstable", "stable", "x"),
    [
        (lambda x: 1 - np.tanh(x) ** 2, slope, draw(6, 9)),
        (lambda x: sigmoid(x) * (1 - sigmoid(x)), lambda x: sigmoid(x) * sigmoid(-x), draw(10, 15)),
        (lambda x: 1 - special.erf(x), special.erfc, draw(2, 3)),
        (lambda x: np.exp(x) - 1, np.expm1, draw(1e-3, 1e-2)),
        (lambda x: np.log(1 + x), np.log1p, draw(1e-4, 1e-3)),
        (lambda x: np.mean(x * x, axis=1) - np.mean(x, axis=1) ** 2, centred, draw(99, 101)),
        (lambda x: 1 - np.cos(x), lambda x: 2 * np.sin(x / 2) ** 2, draw(1e-2, 1e-1)),
    ],
)
def test_a_form_that_cancels_has_a_large_factor_and_one_that_does_not_a_small_one(unstable, stable, x):
    assert factor(unstable, x) > 8 * MOST
    assert factor(stable, x) < MOST


def test_what_no_rounding_moves_has_the_factor_zero():
    assert factor(lambda x: np.maximum(x, 0), draw(-1, 1)) == 0


@pytest.mark.parametrize("n", [1, 30, 10_000])
def test_chance_alone_gives_a_factor_of_about_one_for_any_number_of_elements(n):
    rng = np.random.default_rng(n)
    found = [largest(*np.sqrt(rng.chisquare(FULL, (2, n)) / FULL), FULL) for _ in range(20)]
    assert 0.8 < np.median(found) < 1.2


def test_one_element_among_many_is_enough():
    ones = np.ones(10_000)
    sigma = np.where(np.arange(10_000) == 7, 100, ones)
    assert largest(sigma, ones, FULL) > 40


@pytest.mark.parametrize(
    ("name", "fault"),
    [
        ("lstm", "slope-of-tanh-cancels"),
        ("gru", "rest-of-a-saturated-gate"),
        ("attention", "row-sum-cancels"),
        ("cosine-decay", "one-and-the-cosine"),
    ],
)
def test_an_unstable_form_planted_in_a_reference_is_told_though_that_reference_has_reasons(
    name, fault, tmp_path, monkeypatch
):
    monkeypatch.setenv("GAUGEBLOCK_CACHE", str(tmp_path))
    case = pages.case(name)
    mutant = next(each for each in pages.mutants(case) if each.name == fault)
    cell = next(
        each
        for each in conditioning.places(f"{name}/")
        if each.case == name
        and each.regime == (mutant.regime or each.regime)
        and each.option == (mutant.option or each.option)
    )
    with pages.also(replace(mutant.plant(case), name="planted")):
        planted = conditioning.of(replace(cell, case="planted"))
    found = [explained(replace(one, case=name)) for one in planted]
    assert any(one.factor > 8 * MOST for one in found) and faults(found, whole=False)


def explained(one):
    return replace(one, reason=next((each.text for each in conditioning.reasons() if each.explains(one)), ""))


def test_the_published_table_covers_every_formula_with_every_option_and_regime():
    wanted = {
        (case.name, option, regime) for case in pages.cases().values() for option, regime in settings(case)
    }
    assert {(one.case, one.option, one.regime) for one in read(RESULTS)} == wanted
    assert {(cell.case, cell.option, cell.regime) for cell in conditioning.places()} == wanted


def test_every_large_factor_that_is_published_has_a_reason_in_choices_and_no_reason_is_stale():
    assert faults([explained(one) for one in read(RESULTS)]) == []


ONE = Factor("softmax", "plain", "typical", "small", "gradient.x", 7.5, 2.0)


def said(monkeypatch, found, *reasons, whole=True):
    monkeypatch.setattr(conditioning, "reasons", lambda: reasons)
    return faults([explained(one) for one in found], whole=whole)


def test_a_large_factor_without_a_reason_is_told_with_the_line_to_write(monkeypatch):
    (told,) = said(monkeypatch, [ONE, replace(ONE, option="other", factor=3.9)])
    assert told.startswith("softmax/plain/typical/gradient.x: the conditioning factor is 7.5, should be at")
    assert '"Conditioning of softmax/plain/typical/gradient.x up to 9: <sentence>"' in told


def test_a_reason_explains_factors_up_to_its_number(monkeypatch):
    reason = Reason("softmax.py", ("softmax/*",), 8, "it is so")
    assert said(monkeypatch, [ONE], reason) == []
    (told,) = said(monkeypatch, [replace(ONE, factor=8.1)], reason)
    assert "the conditioning factor is 8.1" in told


@pytest.mark.parametrize(
    ("patterns", "most", "words"),
    [
        (("softmax/*", "logsoftmax/*"), 8, "Conditioning of logsoftmax/*: got no such formula"),
        (("softmax/*", "*/forward.y"), 8, "Conditioning of */forward.y: got at most 2"),
        (("softmax/*",), 16, "… up to 16: got at most 7.5, should be nearer"),
    ],
)
def test_a_stale_reason_is_told(monkeypatch, patterns, most, words):
    found = [ONE, replace(ONE, tensor="forward.y", factor=2.0)]
    (told,) = said(monkeypatch, found, Reason("softmax.py", patterns, most, "it is so"))
    assert told.startswith("reference/softmax.py: a stale reason: ") and words in told


def test_a_study_of_a_part_calls_no_reason_of_the_rest_stale(monkeypatch):
    reason = Reason("softmax.py", ("softmax/*", "logsoftmax/*"), 8, "it is so")
    assert said(monkeypatch, [ONE], reason, whole=False) == []


@pytest.mark.parametrize("pattern", ["softmax/plain/typical", "softmax/*/gradient.x", "*/typical", "soft*"])
def test_a_pattern_matches_a_name_with_the_tensor_or_without(pattern):
    assert ONE.matches(pattern)
    assert not replace(ONE, case="relu", regime="other", tensor="y").matches(pattern)


def test_reasons_are_read_from_choices_with_patterns_number_and_sentence():
    for each in conditioning.reasons():
        assert each.patterns and each.most > MOST and each.text[0].islower() and each.text.endswith("."), each


def test_what_is_written_is_read_again_and_sorted_by_factor(tmp_path):
    found = [
        replace(ONE, factor=1.5),
        replace(ONE, option="other", reason="it is so"),
        replace(ONE, factor=2.5e9),
    ]
    page, _ = write(found, tmp_path)
    assert read(tmp_path) == sorted(found, key=lambda one: -one.factor)
    lines = page.read_text().splitlines()
    assert [line.split("|")[3].strip() for line in lines if line.startswith("| softmax")] == ["2.5e09", "7.5"]


def test_the_command_exits_1_where_a_reason_is_missing_and_writes_nothing_for_a_part(monkeypatch, tmp_path):
    command = ["conditioning", "-k", "average-pool/plain/", "--out", str(tmp_path / "out")]
    good = CliRunner().invoke(app, command)
    assert good.exit_code == 0 and "average-pool" in good.stdout
    monkeypatch.setattr(conditioning, "MOST", 0.1)
    bad = CliRunner().invoke(app, command)
    assert bad.exit_code == 1 and "should be at most 0.1" in bad.stderr
    assert not (tmp_path / "out").exists()
