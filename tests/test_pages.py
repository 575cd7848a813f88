"""What stands beside a page: limits by their causes, and what was measured of them."""

import json
import re
from dataclasses import replace

import pytest

from bench import pages
from bench.case import Limit

TORCH = {"backend": "torch"}


@pytest.fixture
def beside(tmp_path, monkeypatch):
    """A page's limits and measurements, as they stand beside the page of sgd-momentum and of nobody else."""

    def put(limits, measured=None):
        class Module:
            pass

        if limits is not None:
            Module.limits = limits
        file = tmp_path / "page.json"
        if measured is not None:
            file.write_text(json.dumps(measured))
        monkeypatch.setattr(pages, "_beside", lambda kind, page: Module)
        monkeypatch.setattr(pages, "measurements", lambda page: file)

    return put


def limit(*cells):
    return Limit("torch", "why", "where", cells or TORCH)


CASES = {name: pages.case(name) for name in ("adam", "adamw")}


def test_a_limit_without_a_case_is_of_every_case_of_its_page(beside):
    beside({"cause": limit()})
    found = pages._departing("adam", {name: _bare(case) for name, case in CASES.items()})
    assert [[each.name for each in case.limits] for case in found.values()] == [["cause"], ["cause"]]


def test_a_limit_of_one_case_is_not_of_the_others_and_a_step_of_it_keeps_its_cells(beside):
    beside(
        {"cause": limit({**TORCH, "case": "adam"}, {**TORCH, "case": ("adam", "adamw"), "dtype": "float64"})}
    )
    found = pages._departing("adam", {name: _bare(case) for name, case in CASES.items()})
    (mine,), (other,) = found["adam"].limits, found["adamw"].limits
    assert list(mine.reach) == [TORCH, {**TORCH, "dtype": "float64"}]
    assert list(other.reach) == [{**TORCH, "dtype": "float64"}]


def test_a_case_that_the_page_has_not_is_refused_with_those_that_it_has(beside):
    beside({"cause": limit({**TORCH, "case": "admm"})})
    with pytest.raises(ValueError, match="got the case 'admm', should be one of adam, adamw"):
        pages._departing("adam", CASES)


def test_a_measurement_of_no_limit_is_refused(beside):
    beside({"cause": limit()}, {"gone": [{"release": "1", "dtype": "float32", "z": [1, 2]}]})
    with pytest.raises(ValueError, match=r"suites/limits/adam.json: got 'gone', should be one of cause"):
        pages.limits("adam")


def test_a_measurement_that_is_none_is_refused_with_its_file(beside):
    for wrong in ({"release": "1", "z": "far"}, {"z": [1, 2]}, {"release": "1", "z": [9, 3]}, "far"):
        beside({"cause": limit()}, {"cause": [wrong]})
        with pytest.raises(ValueError, match=r"suites/limits/adam.json: got .*should be"):
            pages.limits("adam")


def test_a_file_of_limits_without_limits_is_refused(beside):
    for wrong in (None, [limit()], {"cause": "why"}):
        beside(wrong)
        with pytest.raises(ValueError, match=r"suites/limits/adam.py: got no dict of Limits"):
            pages.limits("adam")


def test_what_stands_beside_no_page_is_refused(tmp_path, monkeypatch):
    for name in ("limits/adamant.py", "mutants/adam.py", "limits/__init__.py"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    monkeypatch.setattr(pages, "folder", lambda: tmp_path)
    monkeypatch.setattr(pages, "_pages", lambda: ["adam"])
    (tmp_path / "adam.py").write_text("")
    pages.found.cache_clear()
    try:
        assert pages.bad()["adamant"].why == (
            "suites/limits/adamant.py: got no page suites/adamant.py, should have the name of its page; "
            "did you mean 'adam'?"
        )
    finally:
        pages.found.cache_clear()


def test_the_sources_of_a_page_are_its_own_and_what_it_imports_from_the_suites_and_the_reference():
    found = pages.sources("suites.multi_head_attention")
    files = {file.relative_to(pages.folder().parent).as_posix() for file in found}
    assert files == {
        "suites/multi_head_attention.py",
        "suites/layers/attention.py",
        *(f"reference/{name}.py" for name in ("multi_head_attention", "attention", "activation", "linear")),
        *(f"reference/{name}.py" for name in ("loss", "special")),
    }
    deep = {file.name for file in pages.sources("suites.clipping")}  # through adam, sgd_momentum, …
    assert {"clipping.py", "gradient_descent.py", "linear_regression.py"} <= deep
    assert [file.name for file in pages.sources(__name__)][-1] == "test_pages.py"


def test_every_limit_that_does_not_vary_was_measured():
    lacking = [
        f"{case.name}: {each.name}"
        for case in pages.cases().values()
        for each in case.limits
        if not each.varies and not each.seen
    ]
    assert lacking == []


def _bare(case):
    return replace(case, limits=())


def test_no_option_is_left_out_because_it_would_be_wrong():
    """What runs and gives a wrong value is a Limit: `without` is for what an API cannot express."""
    said = re.compile(r"\b(wrong|warns|incorrect|not what|NaN)\b")
    found = [
        f"{case.name}, {contender}, {name}: {reason}"
        for case in pages.cases().values()
        for contender in case.contenders
        for name, reason in contender.without.items()
        if said.search(reason)
    ]
    assert not found
