"""The rules of --fail-on: what is a regression of a cell, and what is none."""

import math

import pytest

from bench.report.rules import ORDER, RULES, USUAL, lost, rules
from bench.store.row import STATUSES
from tests.rows import row


def broken(text, old, new):
    return rules(text).broken(old.as_dict(), new.as_dict() if new else None)


@pytest.mark.parametrize(
    ("text", "new", "told"),
    [
        (USUAL, {}, []),
        (USUAL, {"status": "limited"}, ["worse"]),
        (USUAL, {"status": "disagrees", "bits": 20.0}, ["worse", "bits"]),
        (USUAL, {"bits": 22.5}, []),
        (USUAL, {"bits": 22.4}, ["bits"]),
        (USUAL, {"bits": 23.9}, []),
        (USUAL, {"checksum": "ffffffff"}, []),
        (USUAL, {"status": "absent", "bits": None}, ["vanished"]),
        (USUAL, {"status": "error", "bits": None}, ["worse"]),
        (USUAL, {"z_worst": 0.9}, []),
        ("disagrees", {"status": "imprecise"}, []),
        ("disagrees", {"status": "disagrees"}, ["disagrees"]),
        ("disagrees", {"status": "absent"}, []),
        ("bits:0.5", {"bits": 22.9}, ["bits"]),
        ("outputs", {"checksum": "ffffffff"}, ["outputs"]),
        ("changed", {"z_rms": 0.51}, ["changed"]),
        ("changed", {}, []),
    ],
)
def test_a_rule_tells_a_regression(text, new, told):
    assert broken(text, row(checksum="00000000"), row(**{"checksum": "00000000", **new})) == told


def test_a_cell_that_is_gone_has_vanished():
    assert broken(USUAL, row(), None) == ["vanished"]
    assert broken("disagrees", row(), None) == []


def test_what_did_not_run_before_cannot_regress():
    assert broken(USUAL, row(status="absent"), None) == []
    assert broken(USUAL, row(status="missing"), row(status="disagrees")) == []


def test_a_status_that_becomes_better_is_no_regression():
    for number, status in enumerate(ORDER):
        for better in ORDER[:number]:
            assert broken("worse", row(status=status), row(status=better)) == []


def test_an_error_that_hides_in_a_known_departure_is_worse():
    old = row(status="limited", z_worst=40.0)
    assert broken(USUAL, old, row(status="limited", z_worst=81.0)) == ["worse"]
    assert broken(USUAL, old, row(status="limited", z_worst=79.0)) == []
    assert broken(USUAL, old, row(status="limited", z_worst=None)) == []


def test_bits_that_one_side_has_not_are_not_lost():
    assert math.isnan(lost(row(bits=None).as_dict(), row().as_dict()))
    assert broken(USUAL, row(), row(bits=None)) == []


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("bit:1", "--fail-on: got 'bit:1', should be one of worse"),
        ("bits:many", "should be bits:N with a number N above zero"),
        ("bits:0", "should be bits:N"),
        ("bits", "should be bits:N"),
        (",", "should name a rule: worse"),
        ("disagree", "did you mean 'disagrees'?"),
    ],
)
def test_a_word_that_is_no_rule_is_refused(text, words):
    with pytest.raises(ValueError, match="--fail-on") as error:
        rules(text)
    assert words in str(error.value)


def test_every_status_is_a_rule_and_every_rule_is_explained():
    assert set(STATUSES) < set(RULES) and all(RULES.values())
