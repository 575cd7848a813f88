"""Accepted regressions: written once, read again, and no longer accepted after their date."""

from datetime import date

import pytest

from bench.gate.accepted import Accepted, accept, expired, read

TODAY = date(2026, 11, 29)


def test_what_is_accepted_is_read_again(tmp_path):
    file = tmp_path / "accepted.toml"
    odd = 'a "quoted" reason, \\ and \x7f and \U0001f600\nof two lines'
    accept("softmax/*", odd, "2026-12-31", file)
    accept(
        "gelu/plain/typical/small/torch.nn.functional.gelu/eager/cpu/float32/forward", "b", "2027-01-01", file
    )
    first, second = read(file)
    assert first == Accepted("softmax/*", odd, date(2026, 12, 31)) and second.why == "b"


def test_a_cell_has_one_entry(tmp_path):
    file = tmp_path / "accepted.toml"
    accept("softmax/*", "a", "2026-12-31", file)
    accept("softmax/*", "b", "2027-12-31", file)
    assert [each.why for each in read(file)] == ["b"]


def test_nothing_is_accepted_without_a_file(tmp_path):
    assert read(tmp_path / "none.toml") == []


def test_an_entry_covers_its_cells_up_to_its_date():
    entry = Accepted("softmax/*/forward", "why", TODAY)
    assert entry.covers("softmax/plain/forward", TODAY)
    assert not entry.covers("softmax/plain/forward", date(2026, 11, 30))
    assert not entry.covers("softmax/plain/gradient", TODAY)
    assert expired([entry], date(2026, 11, 30)) == [entry] and expired([entry], TODAY) == []


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (("softmax/*", "why", "tomorrow"), "--until: got 'tomorrow', should be a date like 2027-01-31"),
        (("softmax/*", " ", "2027-01-01"), "--why: got nothing"),
        ((" ", "why", "2027-01-01"), "--accept: got nothing"),
    ],
)
def test_a_bad_entry_is_refused_and_nothing_is_written(given, words, tmp_path):
    with pytest.raises(ValueError, match="--") as error:
        accept(*given, tmp_path / "accepted.toml")
    assert words in str(error.value) and not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[[accepted]", "should be TOML"),
        ("other = 1", "should have [[accepted]] tables only"),
        ("accepted = 1", "should have [[accepted]] tables only"),
        ('[[accepted]]\ncell = "a"', "entry 1 has cell, should have cell, why and until"),
        ('[[accepted]]\ncell = 1\nwhy = "a"\nuntil = 2027-01-01', "should be two texts"),
        ('[[accepted]]\ncell = "a"\nwhy = "a"\nuntil = "2027-01-01"', "should be a date like 2027-01-31"),
        ('[[accepted]]\ncell = "a"\nwhy = "a"\nuntil = 2027-01-01T00:00:00', "should be a date"),
        ("accepted = [1]", "entry 1 has 1"),
    ],
)
def test_a_malformed_file_is_refused(text, words, tmp_path):
    file = tmp_path / "accepted.toml"
    file.write_text(text)
    with pytest.raises(ValueError, match=r"accepted\.toml") as error:
        read(file)
    assert words in str(error.value)
    with pytest.raises(ValueError, match=r"accepted\.toml"):
        accept("a", "b", "2027-01-01", file)
    assert file.read_text() == text
