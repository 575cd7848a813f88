"""Known departures, measured from runs: by cause, by cells alike, by release."""

import json
import math
from dataclasses import replace

import pytest
from typer.testing import CliRunner

from bench import cli, pages
from bench.backends import release
from bench.case import Limit, Seen
from bench.store.results import start
from bench.studies.limits import measure
from tests.rows import ENVIRONMENT, MACHINE, row

ALL = {"backend": "torch", "contender": "torch.nn.LayerNorm"}
LIMIT = Limit("torch", "its sums cancel", "torch/nn.py:1", ALL, name="cancels")
HERE = {"case": "layer-norm", "contender": "torch.nn.LayerNorm"}
CELLS = {
    "case": "layer-norm", "dtype": "float32", "direction": "forward", "regime": "typical", "option": "plain",
    "size": "small", "device": "cpu", "contender": "torch.nn.LayerNorm",
}  # fmt: skip


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
    return row(**{**HERE, "status": "disagrees", "z_rms": z, "z_worst": 3 * z, **other})


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


@pytest.mark.parametrize("status", ["limited", "disagrees", "agrees"])
def test_the_ratio_of_each_set_of_inputs_counts_even_if_the_first_agrees(page, tmp_path, status):
    seen = {"departed_low": 4.0, "departed_high": math.inf, "limit": "cancels" if status == "limited" else ""}
    first = failed(0.7 if status == "agrees" else 4.0, status=status, **seen)
    assert measure([run(tmp_path, replace(first, z_worst=0.5))]) == [page]
    assert entries(page) == [{"release": "2.13.0", **CELLS, "z": [4.0, "inf"]}]


def test_what_is_infinitely_far_off_is_written_and_read_back(page, tmp_path):
    measure([run(tmp_path, failed(math.inf))])
    assert entries(page)[0]["z"] == ["inf", "inf"]
    assert pages.measured("layer_norm")["cancels"][0].z == (math.inf, math.inf)
    said = []
    measure([run(tmp_path / "again", failed(math.inf))], said.append)
    assert not said  # the same as before


def test_an_infinite_ratio_that_is_measured_again_is_no_news(page, tmp_path):
    told: list[str] = []
    for _ in range(2):
        measure([run(tmp_path, failed(math.inf))], told.append)
    assert told == []


@pytest.mark.parametrize(
    "other",
    [
        {"contender": "torch.nn.functional.layer_norm"},
        {"status": "mistrusted"},
        {"status": "agrees"},
        {"z_rms": None},
        {"why": "stale limit: the cell agrees, but a Limit says: its sums cancel"},
        {"status": "limited", "limit": "another"},
        {"z_rms": 0.4, "z_worst": 0.3, "why": "the same call gave another output y the second time"},
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


def test_a_row_of_a_run_before_limits_had_names_is_known_by_its_reason(page, tmp_path):
    measure([run(tmp_path, failed(30.0, status="limited", why=LIMIT.reason))])
    assert entries(page)[0]["z"] == [30.0, 30.0]


def test_a_run_that_records_no_release_is_left_out_and_said_to_be(page, tmp_path):
    said = []
    assert measure([run(tmp_path, failed(30.0), torch="")], said.append) == []
    assert said[0].startswith("left out: layer-norm/plain/typical/small/torch.nn.LayerNorm/eager/float32: ")
    done = CliRunner().invoke(cli.app, ["limits", "--measure", str(run(tmp_path, row(**HERE)))])
    assert done.exit_code == 1 and "no failing cell that a Limit explains" in done.stderr


OTHER = replace(LIMIT, name="rounds", reason="it rounds", cells={"backend": "torch"})


@pytest.fixture
def two(page, monkeypatch):
    """Another limit that names these cells, and those of another contender."""
    monkeypatch.setitem(pages.cases(), "layer-norm", replace(pages.case("layer-norm"), limits=(LIMIT, OTHER)))
    monkeypatch.setattr(pages, "limits", lambda name: {"cancels": LIMIT, "rounds": OTHER})
    return page


def test_of_two_limits_the_one_that_explains_a_row_by_what_is_clear_has_it(two, tmp_path):
    alone = {"contender": "torch.nn.functional.layer_norm"}  # of which only the other speaks
    measure([run(tmp_path, failed(3.0, **alone), failed(4.0), failed(5e4, option="no-bias"))])
    found = json.loads(two.read_text())
    assert [each["z"] for each in found["rounds"]] == [[4.0, 4.0], [3.0, 3.0]]
    assert [(each["option"], each["z"]) for each in found["cancels"]] == [("no-bias", [5e4, 5e4])]


def test_what_was_measured_of_a_limit_that_a_run_does_not_meet_stays(two, tmp_path):
    alone = {"contender": "torch.nn.functional.layer_norm"}
    measure([run(tmp_path, failed(3.0, **alone), failed(5e4))])
    measure([run(tmp_path, failed(6.0, **alone))])
    found = json.loads(two.read_text())
    assert found["cancels"][0]["z"] == [5e4, 5e4] and found["rounds"][0]["z"] == [6.0, 6.0]


def test_a_row_that_two_limits_name_and_none_explains_is_left_out_and_said_to_be(two, tmp_path):
    said = []
    alone = {"contender": "torch.nn.functional.layer_norm"}
    rows = (failed(3.0, **alone), failed(5e4), failed(9e9, option="no-bias"))
    measure([run(tmp_path, *rows)], said.append)
    assert len(said) == 1 and "2 Limits name it, and none of them explains it" in said[0]


def test_of_two_limits_that_nothing_else_tells_apart_the_one_that_names_the_regime_has_the_row(
    page, monkeypatch, tmp_path
):
    here = replace(OTHER, cells={"backend": "torch", "regime": CELLS["regime"]})
    case = replace(pages.case("layer-norm"), limits=(LIMIT, here))
    monkeypatch.setitem(pages.cases(), "layer-norm", case)
    monkeypatch.setattr(pages, "limits", lambda name: {"cancels": LIMIT, "rounds": here})
    measure([run(tmp_path, failed(9e9))])
    assert list(json.loads(page.read_text())) == ["rounds"]


def test_what_is_imprecise_is_measured_too_and_a_plug_ins_parent_is_asked(page, tmp_path):
    measure([run(tmp_path, failed(30.0, status="imprecise"), failed(40.0, backend="keras-torch"))])
    assert entries(page)[0]["z"] == [30.0, 40.0]


def test_what_the_file_would_not_have_explained_is_told_and_the_rest_is_not(page, tmp_path):
    said = []
    for z in (30.0, 250.0, 2600.0, 3.0):
        measure([run(tmp_path, failed(z))], said.append)
    assert [words.partition(": ")[2] for words in said] == [
        "z was 250 to 250, is 2.6e+03 to 2.6e+03",
        "z was 2.6e+03 to 2.6e+03, is 3 to 3",
    ]


@pytest.mark.parametrize("packages", [None, "torch 2.13.0", ["torch"], {"torch": None}])
def test_a_record_with_something_else_in_the_place_of_packages_has_no_release(packages):
    assert release("torch", {"packages": packages}) == "" == release("torch", {})
    assert release("tensorflow", {"packages": {"tensorflow-cpu": "2.21.0"}}) == "2.21.0"
