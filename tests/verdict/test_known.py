"""The Limits and refusals of a page name what exists, and each Limit is in the table of limits."""

from dataclasses import replace

import pytest

from bench import pages
from bench.case import FIELDS, Limit, Refusal, Seen
from bench.report import write as report
from bench.report.limits import brief, gone, page, unneeded
from bench.store.results import start
from bench.verdict.known import named, strays
from tests.rows import ENVIRONMENT, MACHINE, frame, row

LAYER_NORM = pages.case("layer-norm")
ALL = {"backend": "torch"}
SEEN = (Seen("2.13.0", {}, (100, 1000)),)
LIMIT = Limit(
    "torch", "its softmax is in float32", "torch/nn/functional.py:1", ALL, name="softmax", seen=SEEN
)
NEWER = {**ENVIRONMENT, "packages": {"torch": "2.14.0+cpu"}}
ENVIRONMENTS = {"bbbbbbbb": ENVIRONMENT, "cccccccc": NEWER}


@pytest.mark.parametrize("case", pages.cases().values(), ids=lambda case: case.name)
def test_limits_refusals_and_options_left_out_name_what_their_page_has(case):
    assert list(strays(case)) == []


@pytest.mark.parametrize(
    ("backend", "cells", "words"),
    [
        ("torch", {"contender": "torch.nn.LayerNrm"}, "its contender is 'torch.nn.LayerNrm', should be one"),
        ("jax", {"contender": "torch.nn.LayerNorm"}, "its contender is 'torch.nn.LayerNorm', should be one"),
        ("torch", {"option": ("plain", "plane")}, "its option is 'plane', should be one of plain, no-bias"),
        ("torch", {"regime": "huge-mean"}, "its regime is 'huge-mean', should be one of typical, large-mean"),
        ("torch", {"size": "smal"}, "its size is 'smal', should be one of small"),
        ("torch", {"mode": "jit"}, "its mode is 'jit', should be one of eager, compile"),
        ("torch", {"device": "tpu"}, "its device is 'tpu', should be one of cpu, gpu"),
        ("torch", {"dtype": "float23"}, "its dtype is 'float23', should be one of float64, float32"),
        ("torch", {"direction": "training"}, "its direction is 'training', should be one of forward"),
        ("torch", {"case": "layernorm"}, "its case is 'layernorm', should be one of layer-norm"),
        ("torch", {"option": "epsilon", "regime": "large-mean"}, "names no cell"),
        ("torhc", {}, "its backend is 'torhc', should be one of numpy, torch"),
    ],
)
def test_a_limit_of_what_does_not_exist_is_astray(backend, cells, words):
    limit = replace(LIMIT, cells={"backend": backend, **cells})
    (found,) = strays(replace(LAYER_NORM, limits=(limit,)))
    assert found.startswith("layer-norm, Limit 'softmax' of torch: ") and words in found


def test_a_limit_of_an_option_that_its_contender_lacks_names_no_cell():
    limit = replace(LIMIT, cells={**ALL, "option": "plain"})
    torch = replace(LAYER_NORM.contenders[0], without={"plain": "lacks it"})
    (found,) = strays(replace(LAYER_NORM, limits=(limit,), contenders=(torch,)))
    assert "names no cell" in found


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"without": {"plane": "lacks it"}}, "without names 'plane', should be one of plain, no-bias"),
        (
            {"refuses": [Refusal("plain/jit/*", "no")]},
            "refuses 'plain/jit/*', which is none of its cells, such as",
        ),
        ({"refuses": [Refusal("*/bfloat61/*", "no")]}, "refuses '*/bfloat61/*', which is none of its cells"),
        (
            {"without": {"plain": "lacks it"}, "refuses": [Refusal("plain/*", "no")]},
            "refuses 'plain/*', which is none",
        ),
        (
            {"directions": ("forward",), "refuses": [Refusal("*/gradient", "no")]},
            "refuses '*/gradient', which is",
        ),
        ({"refuses": [Refusal("*", "no", regime="one-nun")]}, "refuses inputs 'one-nun', should be among"),
    ],
)
def test_an_option_left_out_or_a_refusal_of_what_does_not_exist_is_astray(more, words):
    contender = replace(LAYER_NORM.contenders[0], **more)
    (found,) = strays(replace(LAYER_NORM, limits=(), contenders=(contender,)))
    assert found.startswith("layer-norm, torch.nn.functional.layer_norm: ") and words in found


# the page of limits


@pytest.fixture
def limited(monkeypatch):
    """Two limits of one page, and rows for them."""
    edge = {"cells": {**ALL, "direction": "gradient"}, "name": "edge", "reason": "near the edge"}
    near = replace(LIMIT, always=False, since="2.9", **edge)
    case = replace(LAYER_NORM, limits=(LIMIT, near))
    monkeypatch.setattr(pages, "cases", lambda: {"layer-norm": case})
    return [
        row(case="layer-norm", option="plain", dtype="float64", bits=43.0, z_rms=150.0, **KNOWN),
        row(case="layer-norm", option="plain", dtype="float32", bits=14.0, z_rms=900.0, **KNOWN),
    ]


KNOWN = {"status": "limited", "why": LIMIT.reason, "limit": "softmax", "source": LIMIT.source}


def met(*rows):
    found = {section.title: section.rows for section in page(frame(*rows), ENVIRONMENTS)}
    return found.get("Seen in these rows", []), found.get("Not seen in these rows", [])


def test_each_limit_stands_once_with_release_reach_size_reason_and_source(limited):
    explained, rest = met(*limited)
    what = f"{LIMIT.reason}\n{LIMIT.source}"
    figures = ("2", "150 to 900", "10", "100 to 1000")
    assert explained == [("layer-norm", "torch 2.13.0", "", "backend torch", *figures, what)]
    where = ("layer-norm", "torch 2.13.0", "2.9", "backend torch\ndirection gradient")
    what = f"near the edge\n{LIMIT.source}"
    assert rest == [(*where, "none of these cells ran", "100 to 1000, or agrees", what)]


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ({}, "agrees 1"),
        ({"status": "disagrees"}, "disagrees 1"),
        ({"environment": "cccccccc"}, "agrees 1, in torch 2.14.0"),
        ({"direction": "forward"}, "none of these cells ran"),
        ({"case": "attention"}, "none of these cells ran"),
    ],
)
def test_a_limit_that_nothing_met_says_why_not(limited, more, why):
    _, rest = met(*limited, row(**{"case": "layer-norm", "direction": "gradient", "mode": "x"} | more))
    assert [line[4] for line in rest] == [why]


def test_a_row_from_before_limits_had_names_is_known_by_its_reason(limited):
    explained, _ = met(replace(limited[0], limit=""))
    assert [line[4] for line in explained] == ["1"] and explained[0][0] == "layer-norm"


def test_in_brief_a_limit_is_a_line_and_one_whose_cells_did_not_run_is_none(limited):
    (table,) = brief(frame(*limited), ENVIRONMENTS)
    what = f"layer-norm: {LIMIT.reason}\n{LIMIT.source}"
    assert table.rows == [("torch 2.13.0", "2", "150 to 900", "100 to 1000", what)]
    ran = row(case="layer-norm", direction="gradient", mode="x")
    _, spared = brief(frame(*limited, ran), ENVIRONMENTS)
    assert [line[1] for line in spared.rows] == ["agrees 1"]


def test_a_row_of_another_limit_is_not_this_ones(limited):
    explained, _ = met(replace(limited[0], limit="fast-variance"))
    assert [line[3] for line in explained] == ["on no page of this version"]


def test_rows_of_older_pages_keep_their_words(limited):
    explained, _ = met(
        row(case="gone", status="limited", why="old", source="f.py:1", versions="<1", z_rms=5.0)
    )
    assert explained == [
        ("gone", "torch <1", "", "on no page of this version", "1", "5.0", "0.60", "", "old\nf.py:1")
    ]


def test_a_limit_that_a_full_run_did_not_need_is_noticed(limited):
    near = pages.cases()["layer-norm"].limits[1]
    every = [
        row(**{name: getattr(cell, name) for name in FIELDS})
        for cell in named(LAYER_NORM, near, ("cpu",), ("float64", "float32"))
    ]
    (table,) = unneeded(frame(*limited, *every), ENVIRONMENTS)
    assert table.rows == [
        ("layer-norm", "torch 2.13.0", f"agrees {len(every)}", f"near the edge\n{LIMIT.source}")
    ]
    assert table in report.sections(frame(*limited, *every), {}, ENVIRONMENTS)
    assert unneeded(frame(*limited, *every[1:]), ENVIRONMENTS) == []
    newer = (replace(each, environment="cccccccc") for each in every)
    assert unneeded(frame(*limited, *newer), ENVIRONMENTS) == []


def test_a_limit_that_is_gone_in_a_newer_release_is_news(limited):
    agreed, newer = row(case="layer-norm", mode="x"), {"environment": "cccccccc"}
    rows = frame(*limited, replace(limited[0], **newer), replace(agreed, **newer))
    (table,) = gone(rows, ENVIRONMENTS)
    what = f"{LIMIT.reason}\n{LIMIT.source}"
    assert table.rows == [("layer-norm", "torch 2.13.0", "agrees 1, limited 1, in torch 2.14.0", what)]
    assert table in report.sections(rows, {}, ENVIRONMENTS)


@pytest.mark.parametrize(
    "more",
    [
        {},  # in the release that was measured, where it fails as stale
        {"environment": "dddddddd"},  # of a release that the record has not got
        {"environment": "eeeeeeee"},  # without a record
        {"environment": "cccccccc", "status": "limited"},
        {"environment": "cccccccc", "case": "attention"},
    ],
)
def test_what_is_no_news_is_not_told(limited, more):
    rows = frame(*limited, row(**{"case": "layer-norm", "mode": "x"} | more))
    assert gone(rows, ENVIRONMENTS | {"dddddddd": {}}) == []


def test_a_limit_that_may_agree_or_was_never_measured_is_not_gone(limited, monkeypatch):
    agreed = row(case="layer-norm", mode="x", environment="cccccccc")
    for other in (replace(LIMIT, always=False), replace(LIMIT, seen=())):
        case = replace(LAYER_NORM, limits=(other,))
        monkeypatch.setattr(pages, "cases", lambda case=case: {"layer-norm": case})
        assert gone(frame(*limited, agreed), ENVIRONMENTS) == []


def test_the_page_is_written_beside_the_report_and_linked_from_it(limited, tmp_path):
    run = start(tmp_path, MACHINE, ENVIRONMENT)
    for each in limited:
        run.append(each)
    assert "[Known departures](limits.md)" in report.write(run.folder).read_text()
    text = (run.folder / "limits.md").read_text()
    assert text.startswith("# Known departures\n") and text.count(LIMIT.reason) == 1
