"""Random sizes: a fault that only some sizes show is found, shrunk, and kept."""

import pytest
from typer.testing import CliRunner

from bench import pages, size
from bench.cells.catalogue import CATALOGUE
from bench.cells.selection import Selection, cells
from bench.cli import app
from bench.studies.explore import LENGTHS, explore

EVEN = """
from bench.backends.numpy import NumPy


def wrong_where_wide(weights, **option):
    def run(params, x):
        y = x @ params["W"] + params.get("b", 0)
        return {"y": y * (1.5 if x.shape[1] > 20 else 1.0)}

    def vjp(params, data, cotangents):
        dy = cotangents["y"]
        found = {"x": dy @ params["W"].T, "W": data["x"].T @ dy}
        return found | ({"b": dy.sum(0)} if "b" in params else {})

    run.vjp = vjp
    return weights, run


class Wide(NumPy):
    name = "wide"
    builds = {"linear-regression": wrong_where_wide}
"""


@pytest.fixture
def corpus(tmp_path, monkeypatch):
    """A corpus for this test."""
    monkeypatch.setattr(size, "_file", lambda: tmp_path / size.CORPUS)
    size._kept.cache_clear()
    yield tmp_path / size.CORPUS
    size._kept.cache_clear()


@pytest.fixture
def wide(tmp_path):
    (tmp_path / "wide.py").write_text(EVEN)
    return f"{tmp_path / 'wide.py'}:Wide"


def test_a_fault_of_some_sizes_is_found_and_made_small(wide):
    pytest.importorskip("hypothesis")
    said = []
    (find,) = explore(pages.case("linear-regression"), [wide], examples=40, told=said.append)
    assert size.dims(pages.case("linear-regression"), find.cell.size)["features"] == min(
        length for length in LENGTHS if length > 20
    )
    assert (
        find.cell.direction == "forward" and "should be" in find.why and said == [f"{find.cell}: {find.why}"]
    )


def test_an_honest_contender_has_no_find():
    pytest.importorskip("hypothesis")
    assert explore(pages.case("relu"), ["numpy"], examples=10) == []


HIDING = """
from bench.backends.numpy import NumPy


def hides_what_is_no_number(weights, **option):
    def run(params, x):
        y = np.maximum(x, 0)
        return {"y": np.where(np.isnan(y), 0, y)}

    run.vjp = lambda params, data, cotangents: {"x": cotangents["y"] * (data["x"] > 0)}
    return weights, run


import numpy as np


class Hiding(NumPy):
    name = "hiding"
    builds = {"relu": hides_what_is_no_number}
"""


def test_a_fault_that_one_kind_of_input_shows_is_found(tmp_path):
    pytest.importorskip("hypothesis")
    (tmp_path / "hiding.py").write_text(HIDING)
    (find,) = explore(pages.case("relu"), [f"{tmp_path / 'hiding.py'}:Hiding"], examples=60)
    assert find.cell.regime == "one-nan" and "NaN" in find.why


def test_a_find_is_kept_for_every_full_run(wide, corpus):
    pytest.importorskip("hypothesis")
    arguments = ["explore", "linear-regression", "--backend", wide, "--examples", "40"]
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code == 1 and f"1 added to {corpus}" in done.output
    (line,) = corpus.read_text().splitlines()
    case = pages.case("linear-regression")
    assert size.corpus(case) == [tuple(line.split("/")[1:])]
    ran = [cell.size for cell in cells([case], Selection(backends=("numpy",), full=True))]
    found = size.corpus(case)[0][-1]
    assert found in ran
    assert found not in [cell.size for cell in cells([case], Selection(backends=("numpy",)))]


def test_a_size_is_a_name_or_spelled_out():
    case = pages.case("conv2d")
    assert size.dims(case, "small") == case.sizes["small"]
    assert size.dims(case, size.spelled(case.sizes["small"])) == case.sizes["small"]
    for wrong in ("huge", "batch:1", "batch:many", "1+2", ""):
        with pytest.raises(ValueError, match=r"size of conv2d: got .* should be one of small"):
            size.dims(case, wrong)


def test_the_corpus_names_cases_and_sizes_that_exist():
    size._kept.cache_clear()
    for name, option, regime, found in size._kept():
        case = pages.case(name)
        assert size.dims(case, found) and option in case.options
        assert regime in case.regimes or regime in CATALOGUE
