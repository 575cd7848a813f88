"""Random sizes: a fault that only some sizes show is found, shrunk, and kept."""

import pytest
from typer.testing import CliRunner

from bench import pages, size
from bench.cells.selection import Selection, cells
from bench.cli import app
from bench.studies.explore import LENGTHS, explore

EVEN = """
from bench.backends.numpy import NumPy


def wrong_where_wide(weights, **option):
    def run(params, x):
        y = x @ params["W"] + params["b"]
        return {"y": y * (1.5 if x.shape[1] > 20 else 1.0)}

    run.vjp = lambda params, data, cotangents: {
        "x": cotangents["y"] @ params["W"].T, "W": data["x"].T @ cotangents["y"], "b": cotangents["y"].sum(0),
    }
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


def test_a_find_is_kept_for_every_full_run(wide, corpus):
    pytest.importorskip("hypothesis")
    arguments = ["explore", "linear-regression", "--backend", wide, "--examples", "40"]
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code == 1 and f"1 added to {corpus}" in done.output
    (line,) = corpus.read_text().splitlines()
    case = pages.case("linear-regression")
    assert size.corpus(case) == [line.partition(" ")[2]]
    ran = [cell.size for cell in cells([case], Selection(backends=("numpy",), full=True))]
    assert size.corpus(case)[0] in ran
    assert size.corpus(case)[0] not in [cell.size for cell in cells([case], Selection(backends=("numpy",)))]


def test_a_size_is_a_name_or_spelled_out():
    case = pages.case("conv2d")
    assert size.dims(case, "small") == case.sizes["small"]
    assert size.dims(case, size.spelled(case.sizes["small"])) == case.sizes["small"]
    for wrong in ("huge", "batch:1", "batch:many", "1+2", ""):
        with pytest.raises(ValueError, match=r"size of conv2d: got .* should be one of small"):
            size.dims(case, wrong)


def test_the_corpus_names_cases_and_sizes_that_exist():
    size._kept.cache_clear()
    for name, found in size._kept():
        assert size.dims(pages.case(name), found)
