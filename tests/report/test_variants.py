"""One name with several conventions: the report says which of them each framework follows."""

from dataclasses import replace

import pytest

from bench import pages
from bench.report.variants import NOTE, conventions
from tests.rows import frame, row

ADAM = pages.case("adam")


@pytest.fixture(autouse=True)
def one_page(monkeypatch):
    case = replace(ADAM, variants={"epsilon": {"outside": ("plain",), "hat": ("hat", "hat-tiny-gradients")}})
    monkeypatch.setattr(pages, "cases", lambda: {"adam": case})


def adam(backend="torch", option="plain", **more):
    return row(case="adam", backend=backend, contender=f"{backend}.Adam", option=option, **more)


def table(*rows):
    (found,) = conventions(frame(*rows))
    return found


def test_each_framework_follows_the_convention_that_agreed():
    found = table(
        adam(), adam(option="hat", status="absent", bits=None), adam("tensorflow", "hat", status="limited")
    )
    assert found.columns == ("name", "torch", "tensorflow") and found.note == NOTE
    assert found.rows == [("epsilon", "outside", "hat")]


def test_a_framework_may_have_both_and_other_topics_of_a_page_are_left_alone():
    assert table(adam(), adam(option="hat"), adam(option="unheard")).rows == [("epsilon", "outside or hat")]


def test_a_convention_that_does_not_agree_is_not_followed():
    assert table(adam(), adam(mode="compile", status="disagrees")).rows == [("epsilon", "✗ outside")]
    assert table(adam(status="error", bits=None)).rows == [("epsilon", "✗ outside")]


def test_contenders_of_one_framework_that_differ_are_named():
    (line,) = table(adam(), replace(adam(option="hat"), contender="torch.Other")).rows
    assert line == ("epsilon", "outside (torch.Adam)\nhat (torch.Other)")


def test_the_reference_follows_every_convention_and_is_left_out():
    assert conventions(frame(adam("numpy"))) == []
    assert conventions(frame(row(case="a strangers formula"))) == []


def test_a_convention_of_an_option_that_does_not_exist_is_refused():
    with pytest.raises(ValueError, match="case adam: variants of epsilon name 'hut', should be one of plain"):
        replace(ADAM, variants={"epsilon": {"outside": ("plain",), "hat": ("hut",)}})
