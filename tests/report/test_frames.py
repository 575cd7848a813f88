"""The results as DataFrames, and the notebook that answers questions with them."""

import ast
import json
import math
from pathlib import Path

import pandas as pd
import pytest

import gaugeblock
from bench import pages
from bench.report import frames
from tests.rows import frame, row, timed

ROOT = Path(__file__).parent.parent.parent
HERE = ROOT / "results" / "amd-epyc-8dea73c4" / "2026-11-29"
HEADLINE = pages.case("layer-norm").headlines[0]
LAYER = {"case": "layer-norm", "size": HEADLINE.size, "direction": HEADLINE.direction or "gradient"}
OTHER = {"run_id": "20270101T000000Z-bbbbbbbb"}


def test_the_worst_cell_counts_and_all_are_counted():
    found = frames.agreement(
        frame(row(), row(mode="compile", bits=12.0), row(status="error", bits=None, seed=1))
    )
    (line,) = found.to_dict("records")
    assert (line["status"], line["cells"], line["agreeing"]) == ("error", 3, 2) and line["bits"] == -math.inf
    by = frames.agreement(frame(row(), row(mode="compile", bits=12.0)), by=["mode"])
    assert list(by["bits"]) == [23.4, 12.0] and list(by.columns) == [
        "mode",
        "status",
        "bits",
        "cells",
        "agreeing",
    ]


def test_bits_are_listed_with_those_that_are_lost():
    found = frames.bits(
        frame(row(bits=23.0), row(bits=3.0, seed=1), row(bits=50.0, dtype="float64"), row(bits=None))
    )
    assert list(found["bits_lost"]) == [21.0, 3.0, 1.0]


def test_speeds_are_of_headlines_or_of_all():
    rows = frame(timed(2e-3, **LAYER), timed(1e-3, **LAYER, backend="jax", contender="a"), timed(1e-6))
    found = frames.speed(rows)
    assert set(found["workload"]) == {HEADLINE.title} and sorted(found["ratio"]) == [1.0, 2.0]
    assert len(frames.speed(rows, headline=False)) == 3
    assert list(frames.speed(frame(row())).columns) == list(found.columns)


def test_two_runs_are_not_mixed():
    found = frames.speed(frame(timed(2e-3, **LAYER), timed(1e-3, **LAYER, **OTHER)))
    assert list(found["ratio"]) == [1.0, 1.0]


def test_departures_are_there_once_the_worst_first():
    known = {"status": "limited", "why": "cancels", "limit": "a", "source": "torch/a.py:1"}
    rows = frame(
        row(**known, bits=20.0, z_rms=3.0),
        row(**known, bits=10.0, z_rms=30.0, seed=1),
        row(status="disagrees", bits=2.0),
    )
    found = frames.departures(rows)
    assert list(found["status"]) == ["disagrees", "limited"] and list(found["cells"]) == [1, 2]
    assert list(found["bits_lost"]) == [22.0, 14.0] and list(found["z_high"])[1] == 30.0
    assert list(found["cell"])[1].endswith("/eager/cpu/float32/forward"), "the first of them"
    assert list(found.columns[:2]) == ["run_id", "case"] and len(frames.departures(frame(row()))) == 0


def test_a_departure_says_what_its_limit_explains_and_since_when_the_row_says():
    known = {"status": "limited", "why": "cancels", "limit": "a", "since": "torch 2.1", "bits": 10.0}
    ranges = ({"explained_low": 1.0, "explained_high": 50.0}, {"explained_low": 2.0, "explained_high": 99.0})
    rows = frame(*(row(**known, **each, seed=seed) for seed, each in enumerate(ranges)))
    (line,) = frames.departures(rows).to_dict("records")
    assert (line["since"], line["explained_low"], line["explained_high"]) == ("torch 2.1", 1.0, 99.0)


def test_a_departure_of_several_runs_is_there_once_without_the_run():
    known = {"status": "limited", "why": "cancels", "limit": "a"}
    rows = frame(row(**known, bits=20.0), row(**known, bits=10.0, **OTHER))
    (line,) = frames.departures(rows, by=frames.DEPARTURE[1:]).to_dict("records")
    assert (line["cells"], line["bits_lost"], line["run_id"]) == (2, 14.0, row().run_id)
    assert len(frames.departures(rows)) == 2


def test_the_same_cell_stands_side_by_side():
    rows = frame(
        timed(2e-3, threads=1), timed(1e-3, threads=2, **OTHER), timed(5.0, mode="compile", threads=1)
    )
    found = frames.compare(rows, by="threads")
    assert len(found) == 1 and found["ratio 2"][0] == pytest.approx(0.5)
    with pytest.raises(ValueError, match="got one value of machine"):
        frames.compare(rows, by="machine")
    with pytest.raises(ValueError, match="several speeds of a cell"):
        frames.compare(frame(timed(1.0), timed(2.0, **OTHER), timed(3.0, machine="x")), by="machine")


def test_a_styled_frame_escapes_what_rows_say():
    text = frames.styled(
        frames.departures(frame(row(status="error", bits=None, why="<img src=x>")))
    ).to_html()
    assert "<img" not in text and "&lt;img" in text and "#c8341a" in text


@pytest.mark.parametrize("name", ["csv", "parquet", "latex"])
def test_a_frame_is_exported(name, tmp_path):
    found, file = frames.agreement(gaugeblock.load(HERE)), tmp_path / "a"
    if name == "latex":
        assert r"\toprule" in found.head().style.to_latex(hrules=True)
        return
    getattr(found, f"to_{name}")(file)
    assert len(getattr(pd, f"read_{name}")(file)) == len(found)


def test_every_function_of_the_frames_is_public():
    for name in frames.__all__:
        assert getattr(gaugeblock, name) is getattr(frames, name)


def test_the_notebook_answers_ten_questions_in_a_few_lines_each(monkeypatch):
    monkeypatch.chdir(ROOT)
    told = json.loads((ROOT / "docs" / "questions.ipynb").read_text(encoding="utf-8"))
    code = ["".join(cell["source"]) for cell in told["cells"] if cell["cell_type"] == "code"]
    asked = ["".join(cell["source"]) for cell in told["cells"] if cell["cell_type"] == "markdown"]
    names: dict[str, object] = {}
    exec(code[0], names)
    assert len(code) == 11 and len(asked) == 11 and all(text.rstrip().endswith("?") for text in asked[1:])
    for text in code[1:]:
        lines = ast.parse(text).body
        assert len(text.strip().splitlines()) <= 3 and isinstance(lines[-1], ast.Expr)
        exec(compile(ast.Module(lines[:-1], []), "a cell", "exec"), names)
        answer = eval(compile(ast.Expression(lines[-1].value), "a cell", "eval"), names)
        assert len(answer), text
