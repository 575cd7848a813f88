"""Known departures, measured from runs: by cause, by cells alike, by release."""

import json
import math
from dataclasses import replace

import pytest
from typer.testing import CliRunner

from bench import cli, pages
from bench.case import Limit, Seen
from bench.store.results import start
from bench.studies.limits import ALIKE, measure
from tests.rows import ENVIRONMENT, MACHINE, row

ALL = {"backend": "torch", "contender": "torch.nn.LayerNorm"}
LIMIT = Limit("torch", "its sums cancel", "torch/nn.py:1", ALL, name="cancels")
HERE = {"case": "layer-norm", "contender": "torch.nn.LayerNorm"}
CELLS = dict(
    zip(ALIKE, ("layer-norm", "plain", "typical", "small", "cpu", "float32", "forward"), strict=True)
)


@pytest.fixture
def page(tmp_path, monkeypatch):
    """Layer norm with one limit, measured into a file of the test's own."""
    file = tmp_path / "layer_norm.json"
    case = replace(pages.case("layer-norm"), limits=(LIMIT,))
    monkeypatch.setitem(pages.cases(), "layer-norm", case)
    monkeypatch.setattr(pages, "limits", lambda name: {"cancels": LIMIT})
    monkeypatch.setattr(pages, "measurements", lambda name: file)
    return file


def run(tmp_path, *rows, torch="2.13.0+cpu"):
    packages = {**ENVIRONMENT["packages"], "torch": torch}
    made = start(tmp_path / "runs", MACHINE, {**ENVIRONMENT, "packages": packages})
    for number, each in enumerate(rows):
        made.append(replace(each, seed=number))
    return made.folder


def failed(z, **other):
    return row(**{**HERE, "status": "disagrees", "z_rms": z, **other})


def entries(file):
    return json.loads(file.read_text())["cancels"]


def test_cells_alike_are_one_entry_with_their_smallest_and_their_largest_ratio(page, tmp_path):
    rows = (failed(30.0), failed(20.04, mode="compile"), row(**HERE, z_rms=0.5), failed(7.0, dtype="float64"))
    assert measure([run(tmp_path, *rows)]) == [page]
    assert entries(page) == [
        {"release": "2.13.0", **CELLS, "z": [20.0, 30.0]},
        {"release": "2.13.0", **CELLS, "dtype": "float64", "z": [7.0, 7.0]},
    ]
    assert pages.measured("layer_norm")["cancels"][0] == Seen("2.13.0", CELLS, (20.0, 30.0))
    assert page.read_text().count("\n") == 6  # an entry a line


def test_what_is_infinitely_far_off_is_written_and_read_back(page, tmp_path):
    measure([run(tmp_path, failed(math.inf))])
    assert entries(page)[0]["z"] == ["inf", "inf"]
    assert pages.measured("layer_norm")["cancels"][0].z == (math.inf, math.inf)


@pytest.mark.parametrize(
    "other",
    [
        {"contender": "torch.nn.functional.layer_norm"},
        {"status": "mistrusted"},
        {"status": "agrees"},
        {"z_rms": None},
        {"why": "stale limit: the cell agrees, but a Limit says: its sums cancel"},
        {"status": "limited", "limit": "another"},
        {"case": "gone"},
    ],
)
def test_what_is_no_departure_of_this_cause_is_not_measured(page, tmp_path, other):
    assert measure([run(tmp_path, failed(30.0, **other))]) == [] and not page.exists()


def test_a_limit_of_calls_that_vary_has_no_ratio(page, tmp_path, monkeypatch):
    varying = replace(LIMIT, varies=True, always=False)
    monkeypatch.setitem(pages.cases(), "layer-norm", replace(pages.case("layer-norm"), limits=(varying,)))
    assert measure([run(tmp_path, failed(30.0))]) == []


def test_another_release_is_added_and_the_same_cells_of_one_are_measured_anew(page, tmp_path):
    measure([run(tmp_path, failed(30.0), failed(7.0, dtype="float64"))])
    measure([run(tmp_path, failed(50.0))])
    measure([run(tmp_path, failed(3.0), torch="2.14.0")])
    found = {(each["release"], each["dtype"]): each["z"] for each in entries(page)}
    assert found == {
        ("2.13.0", "float32"): [50.0, 50.0],
        ("2.13.0", "float64"): [7.0, 7.0],
        ("2.14.0", "float32"): [3.0, 3.0],
    }


def test_several_runs_are_measured_together(page, tmp_path):
    runs = [run(tmp_path, failed(30.0)), run(tmp_path, failed(60.0))]
    assert measure(runs) == [page] and entries(page)[0]["z"] == [30.0, 60.0]


def test_the_command_writes_and_names_the_file(page, tmp_path):
    done = CliRunner().invoke(cli.app, ["limits", "--measure", str(run(tmp_path, failed(30.0)))])
    assert done.exit_code == 0 and done.stdout.strip() == str(page) and page.exists()
    missing = CliRunner().invoke(cli.app, ["limits", "--measure", str(tmp_path / "nowhere")])
    assert missing.exit_code == 2


def test_without_measuring_the_known_departures_are_shown(page, tmp_path):
    done = CliRunner().invoke(
        cli.app,
        ["limits", str(run(tmp_path, failed(30.0, status="limited", limit="cancels", source=LIMIT.source)))],
    )
    assert done.exit_code == 0 and "its sums cancel" in done.stdout and not page.exists()
