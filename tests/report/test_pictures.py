"""The pictures: what they show, in which order and at which place, and from whatever a stranger wrote."""

import math
import re
import xml.etree.ElementTree as xml
from dataclasses import replace
from itertools import combinations, pairwise
from pathlib import Path

import numpy as np
import pytest
from matplotlib.colors import same_color
from matplotlib.image import imread
from typer.testing import CliRunner

from bench import cli
from bench.report import looks
from bench.report.header import setups
from bench.report.pictures import bits, matrix, roofline, sheet, speed, write
from bench.store.results import start
from tests.report.test_speeds import changed, curve, every_headline, race
from tests.report.test_speeds import speed as timed
from tests.rows import ENVIRONMENT, MACHINE, frame, row

ROOT = Path(__file__).parent.parent.parent
PEAK = {
    "machine": "aaaaaaaa", "backend": "torch", "device": "cpu", "dtype": "float32", "threads": 2,
    "flops_per_s": 1e11, "copy_bytes_per_s": 2e10,
}  # fmt: skip
WHERE = roofline.places([PEAK])[0]
ADAM = "Adam, 10 million weights, training step"
EVIL = "<script>&x.py:_$a$_"  # an even number of dollars is mathematics


def gaugeblock(*arguments):
    return CliRunner().invoke(cli.app, list(map(str, arguments)))


def moved(rows, a_byte=4.0):
    """The rows with so many flops a byte."""
    return [replace(each, bytes=each.flops / a_byte) for each in rows]


def run(folder, *rows, peaks=()):
    """The folder of a run with these rows and peak rates."""
    made = start(folder, MACHINE, ENVIRONMENT)
    for each in rows:
        made.append(replace(each, run_id="", machine="", environment=""))
    for each in peaks:
        made.roof({**each, "machine": made.machine})
    return made.folder


def texts(file):
    """The texts of an SVG."""
    return ["".join(each.itertext()) for each in xml.parse(file).iter("{http://www.w3.org/2000/svg}text")]


def said(figure):
    return [text.get_text() for axes in figure.axes for text in axes.texts if text.get_text()]


def marks(figure, look=None):
    """Where the marks of a look are, or its rings without one, from the left and from below."""
    return [
        (float(line.get_xdata()[0]), float(line.get_ydata()[0]))
        for axes in figure.axes[:2]
        for line in axes.lines
        if len(line.get_xdata()) == 1
        and (
            line.get_marker() == look.marker and same_color(line.get_markerfacecolor(), look.color)
            if look
            else line.get_markersize() == sheet.RINGED["markersize"]
        )
    ]


def track(figure, name):
    """How far to the right a framework's mark stands in the first line of the speeds."""
    return next(x for x, y in marks(figure, looks.FRAMEWORKS[name]) if y > speed.TOP - 0.2)


def drawn_matrix(*rows):
    return matrix.matrix(setups(frame(*rows)))


RACE = moved(race("adam", torch=1e-3, jax=2e-3))


# all of them


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """The pictures of a run that has everything, and what the command said."""
    folder = tmp_path_factory.mktemp("made")
    rows = [*moved(every_headline(directions=False)), *curve("lstm", lambda work: 1e-9 * work)]
    done = gaugeblock("draw", run(folder, *rows, peaks=[PEAK]), "--to", folder / "to")
    assert done.exit_code == 0, done.output
    return folder / "to", done


NAMES = ("matrix", "speed", "growth", "roofline-cpu-float32-2-threads", "bits")


def test_every_picture_is_a_png_and_an_svg_that_open(made):
    folder, done = made
    files = [folder / f"{name}.{kind}" for name in NAMES for kind in ("png", "svg")]
    assert done.stdout.split() == [str(each) for each in files] and not done.stderr
    assert {*folder.iterdir()} == {*files}
    for file in files[::2]:
        read = imread(file)
        assert read.shape[1] > 1200 and read[..., :3].std() > 0.02, file
    for file in files[1::2]:
        assert xml.parse(file).getroot().tag.endswith("}svg"), file


def test_the_texts_of_an_svg_are_texts(made):
    folder, _ = made
    found = texts(folder / "speed.svg")
    assert {ADAM, "11.1 ms", "PyTorch", "1×", "correct bits of 24"} <= {*found}
    assert {"convolutional network, 32 images of 28 × 28", "Adam"} <= {
        *texts(folder / "roofline-cpu-float32-2-threads.svg")
    }
    assert {"Time over size", "LSTM layer", "PyTorch", "bound by dispatch"} <= {*texts(folder / "growth.svg")}
    for name in NAMES:
        assert any("Acme Three, 2 cores" in each for each in texts(folder / f"{name}.svg"))


def test_the_same_rows_give_the_same_bytes_and_old_files_are_replaced_whole(tmp_path):
    folder = run(tmp_path, *RACE, *curve("lstm", lambda work: 1e-9 * work), peaks=[PEAK])
    for to in ("one", "other"):
        (tmp_path / to).mkdir()
        (tmp_path / to / "speed.svg").write_text("old" * 10**6)
        assert gaugeblock("draw", folder, "--to", tmp_path / to).exit_code == 0
    one, other = (
        {each.name: each.read_bytes() for each in (tmp_path / to).iterdir()} for to in ("one", "other")
    )
    assert one == other and len(one) == 10 and b"old" not in one["speed.svg"]


def test_what_cannot_be_drawn_is_said_in_one_line_and_costs_only_itself(tmp_path):
    done = gaugeblock("draw", run(tmp_path, row()), "--to", tmp_path / "to")
    assert done.exit_code == 0 and {each.name for each in (tmp_path / "to").iterdir()} == {
        "matrix.png",
        "matrix.svg",
    }
    lines = done.stderr.splitlines()
    assert [line.split(": ")[1] for line in lines] == ["speed", "growth", "roofline", "bits"]
    assert all(
        re.fullmatch(r"gaugeblock: \w+: got no .*, should .*; `pytest suites/.*` \w+ them", line)
        for line in lines
    )


def test_without_rows_and_for_a_dtype_that_no_row_has_nothing_is_drawn(tmp_path):
    folder = run(tmp_path, row())
    done = gaugeblock("draw", folder, "--to", tmp_path / "to", "--dtype", "float99")
    assert done.exit_code == 2 and "--dtype: got 'float99', should be one of float32, which" in done.stderr
    (folder / "rows.jsonl").write_text("")
    done = gaugeblock("draw", folder, "--to", tmp_path / "to")
    assert done.exit_code == 2 and "got no rows" in done.stderr and not (tmp_path / "to").exists()


def test_one_dtype_is_drawn_when_it_is_asked_for(tmp_path):
    some = [each for dtype in ("float32", "float64") for each in changed(RACE, dtype=dtype)]
    folder = run(tmp_path, *some, peaks=[PEAK, {**PEAK, "dtype": "float64"}])
    assert gaugeblock("draw", folder, "--to", tmp_path / "to", "--dtype", "float64").exit_code == 0
    assert "How fast, in float64: time as a multiple of the fastest framework" in texts(
        tmp_path / "to" / "speed.svg"
    )
    assert not {"float32, 24 bits"} & {*texts(tmp_path / "to" / "matrix.svg")}
    assert [each.name for each in (tmp_path / "to").glob("roof*.svg")] == [
        "roofline-cpu-float64-2-threads.svg"
    ]


def test_a_dtype_that_has_no_room_is_said(tmp_path):
    rows = [row(dtype=dtype, bits=8.0) for dtype in ("float16", "float64", "float32")]
    done = gaugeblock("draw", run(tmp_path, *rows), "--to", tmp_path / "to")
    assert "matrix: shows float32 and float64; `--dtype` draws float16" in done.stderr


# foreign texts


def test_hostile_texts_are_shown_as_they_are(tmp_path):
    odd = {"backend": EVIL, "version": "$v$\n2", "contender": EVIL, "unit": "$u$/s", "suite": "$s_t$"}
    rows = [*changed(RACE, **odd), *changed(curve("lstm", lambda work: 1e-9 * work), **odd)]
    rows += [row(case=EVIL, status="disagrees", bits=1.0, **odd), row(case="x" * 3000, status="error", **odd)]
    done = gaugeblock(
        "draw", run(tmp_path, *moved(rows[:-2]), *rows[-2:], peaks=[PEAK]), "--to", tmp_path / "to"
    )
    files = sorted((tmp_path / "to").glob("*.svg"))
    assert done.exit_code == 0 and len(files) == 5, done.stderr
    for file in files:
        assert not [each for each in xml.parse(file).iter() if "script" in each.tag], file
        assert any("_$a$_" in each for each in texts(file)), file
    assert any("$s_t$" in each for each in texts(tmp_path / "to" / "speed.svg"))
    assert EVIL in texts(tmp_path / "to" / "matrix.svg")
    assert max(len(each) for each in texts(tmp_path / "to" / "matrix.svg")) < 200


@pytest.mark.parametrize("name", ["flops", "bytes", "ratio", "ratio_high", "bits", "median_s", "high_s"])
def test_a_figure_of_any_kind_costs_only_its_own_mark(name):
    odd = (0.0, -1.0, 1e300, -1e300, math.nan, math.inf)
    bad = (replace(RACE[1], backend=f"x{at}", **{name: each}) for at, each in enumerate(odd))
    rows = timed(*RACE, *bad)
    for figure in (speed.speed(rows), bits.bits(rows), roofline.roofline(rows, [PEAK], WHERE)):
        figure.draw_without_rendering()
        assert len(marks(figure, looks.FRAMEWORKS["jax"])) >= 2, "in the key, and where it belongs"
    assert bits.bits(rows).axes[1].get_ylim()[1] < 40


def test_a_record_of_peak_rates_that_is_none_costs_only_its_own_roof(tmp_path):
    peaks = [PEAK, {"device": ["x"], "dtype": {}, "threads": "$"}, {"machine": None, "flops_per_s": "many"}]
    peaks.append({**PEAK, "threads": [2]})
    done = gaugeblock("draw", run(tmp_path, *RACE, peaks=peaks), "--to", tmp_path / "to")
    assert (
        done.exit_code == 0
        and (tmp_path / "to" / f"{NAMES[3]}.png").exists()
        and "Traceback" not in done.stderr
    )


def test_a_fault_of_ours_costs_only_its_own_picture(tmp_path, monkeypatch):
    def broken(timed, source):
        raise ZeroDivisionError("division by zero")

    monkeypatch.setattr(write, "speed", broken)
    done = gaugeblock("draw", run(tmp_path, *RACE), "--to", tmp_path / "to")
    assert {each.name for each in (tmp_path / "to").glob("*.svg")} == {"matrix.svg", "bits.svg"}
    assert "gaugeblock: speed: got rows of another shape (ZeroDivisionError: division by zero)" in done.stderr


# the matrix


def test_a_tile_is_filled_as_far_as_its_bits_are_right():
    figure = drawn_matrix(row(status="limited", bits=6.0), row(case="x", status="limited", bits=18.0))
    wide = matrix.WIDTH - 0.04
    amber = [
        each for each in figure.axes[0].patches if same_color(each.get_facecolor(), looks.VERDICTS["limited"])
    ]
    parts = sorted(each.get_width() for each in amber if each.get_alpha() is None and each.get_y() > 2)
    assert parts == pytest.approx([wide * 6 / 24, wide * 18 / 24])


def test_what_is_wrong_comes_first_then_what_lost_most_and_the_rest_is_counted():
    rows = [
        row(case="a", status="limited", bits=20.0), row(case="b", status="limited", bits=4.0),
        row(case="d", status="disagrees", bits=15.0), row(case="e", status="error", bits=None),
        row(case="f", status="limited", bits=30.0, dtype="float64"),
        row(case="g", status="absent", bits=None), row(case="c"),
        row(case="c", backend="jax"),
    ]  # fmt: skip
    found = said(drawn_matrix(*rows))
    assert "Is it right? 5 of 7 formulas depart somewhere" in found
    assert [each for each in found if each in "abcdefg"] == ["e", "d", "b", "f", "a"]
    assert "1 of 5" in found and "1 of 1" in found, "of what ran"


def test_a_verdict_is_told_by_its_sign_and_its_number():
    found = said(drawn_matrix(row(status="limited", bits=6.0), row(case="x", status="disagrees", bits=3.0)))
    assert {"◐", "6", "✗", "3", "known departure", "disagrees"} <= {*found}


def test_what_is_not_written_is_so_in_every_dtype_and_the_reference_is_no_tile():
    rows = [row(status="limited", bits=6.0), row(status="limited", bits=6.0, dtype="float64")]
    rows += [
        row(backend="numpy", bits=None, dtype="float64"),
        row(backend="jax", status="missing", bits=None, dtype="float64"),
    ]
    found = said(drawn_matrix(*rows))
    assert found.count("∅") == 3 and "NumPy" not in found and "in float64 NumPy is the reference" in found


def test_formulas_that_have_no_room_are_counted():
    found = said(drawn_matrix(*(row(case=f"c{each}", status="limited") for each in range(matrix.MOST + 5))))
    assert f"Is it right? 65 of 65 formulas depart somewhere, of which {matrix.MOST} are shown" in found
    assert sum(bool(re.fullmatch(r"c\d+", each)) for each in found) == matrix.MOST
    assert "nothing departs" in said(drawn_matrix(row()))


# speeds and bits


def test_a_mark_stands_as_far_from_the_fastest_as_it_is_slower():
    figure = speed.speed(timed(*race("adam", torch=1e-3, jax=2e-3, tensorflow=4e-3)))
    one, two, four = (track(figure, name) for name in ("torch", "jax", "tensorflow"))
    assert two - one == pytest.approx(four - two) and one < two
    scale = speed.Scale(1.0, 5.0, 100.0)
    assert [scale(each) for each in (0.5, 1, 10, 100, 1e9)] == pytest.approx([1, 1, 3, 5, 5])
    assert scale.ticks() == [1, 3, 10, 30, 100] and speed.Scale(0, 1, 30).ticks() == [1, 2, 5, 10, 20]


def test_an_interval_is_drawn_around_what_is_not_the_fastest():
    figure = speed.speed(timed(*race("adam", torch=1e-3, jax=2e-3, spread=0.1)))
    bars = [each for each in figure.axes[0].lines if each.get_linewidth() == 4]
    (bar,), at = bars, track(figure, "jax")
    low, high = bar.get_xdata()
    assert low < at < high and same_color(bar.get_color(), looks.FRAMEWORKS["jax"].color)


def test_marks_at_one_place_stand_above_each_other():
    assert speed.beside({"a": 1.0, "b": 2.0}) == {"a": 0, "b": 0}
    near = speed.beside({"a": 1.05, "b": 1.0, "c": 3.0})
    assert near["a"] == -near["b"] > 0 and near["c"] == 0
    many = sorted(speed.beside({str(each): 1.0 for each in range(9)}).values())
    assert many[-1] - many[0] < speed.PITCH and many[0] == -many[-1]


def test_a_known_departure_is_ringed_and_dispatch_is_hollow():
    one, other = race("adam", torch=1e-3, jax=2e-3)
    rows = timed(replace(one, status="limited", bits=18.0), replace(other, bound="dispatch"))
    for figure in (speed.speed(rows), bits.bits(rows)):
        assert len(marks(figure)) == 1 and not marks(speed.speed(timed(one, other)))
        assert any(line.get_markerfacecolor() == "white" for line in figure.axes[-1].lines)
        assert {"a known departure"} <= {*said(figure)}


def test_bits_are_drawn_over_the_multiple_of_the_fastest():
    one, other = race("adam", torch=1e-3, jax=2e-3)
    figure = bits.bits(timed(replace(one, bits=24.0), replace(other, bits=10.0)))
    assert marks(figure, looks.FRAMEWORKS["jax"])[-1] == pytest.approx((2, 14))
    assert marks(figure, looks.FRAMEWORKS["torch"])[-1] == pytest.approx((1, 0))


def test_several_machines_stand_in_lines_of_their_own():
    figure = speed.speed(timed(*RACE, *changed(RACE, run_id="b", machine="cccccccc")))
    assert {f"{ADAM} A", f"{ADAM} B"} <= {*said(figure)}


# the roofline


def test_a_workload_lies_below_the_roofs_of_its_place():
    others = [
        replace(RACE[0], dtype="float64"),
        replace(RACE[0], threads=1, contender="x", median_s=1e-4),
        replace(RACE[0], machine="b", contender="y", median_s=1e-5),
    ]
    figure = roofline.roofline(
        timed(*RACE, *others), [PEAK, {**PEAK, "dtype": "float64", "flops_per_s": 1.0}], WHERE
    )
    (point,) = marks(figure, looks.FRAMEWORKS["torch"])[1:]
    assert point == pytest.approx((4.0, RACE[0].flops / 1e-3 / 1e9))
    (roof,) = [each for each in figure.axes[1].lines if len(each.get_xdata()) > 3]
    x, y = roof.get_data()
    assert y == pytest.approx(np.minimum(100, 20 * x)) and x[0] < 4 < x[-1]
    assert {"100 GFLOP/s, the fastest matrix product", "20.0 GB/s, the fastest stream"} <= {*said(figure)}


def test_names_stand_apart_in_order_and_near_their_marks():
    wanted = [1.0, 1.01, 1.02, 5.0, 9.9, 10.0]
    found = roofline.apart(wanted, 0.5, 0.0, 10.0)
    assert all(second - first >= 0.5 - 1e-9 for first, second in pairwise(found)) and found[3] == 5.0
    assert 0 <= found[0] < 1 and found[1] == pytest.approx(1.01) and found[-1] == 10
    assert roofline.apart([1.0, 2.0, 3.0], 50, 0.0, 1.0) == pytest.approx([0, 0.5, 1])
    assert roofline.apart([3.0], 1, 0.0, 1.0) == [1.0]


def crossing(figure):
    """Pairs of texts on the sheet that lie on each other."""
    figure.draw_without_rendering()
    boxes = [
        (each.get_text(), each.get_window_extent())
        for each in figure.axes[0].texts
        if not each.get_rotation()
    ]
    return [(one, other) for (one, a), (other, b) in combinations(boxes, 2) if a.overlaps(b)]


def test_no_text_lies_on_another():
    rows = moved(every_headline(directions=False))
    rows = [
        replace(each, status="limited", bits=24 - at % 7, bytes=each.bytes * (1 + at % 5))
        for at, each in enumerate(rows)
    ]
    found = timed(*rows)
    several = drawn_matrix(*rows, *changed(rows, dtype="float64", bits=50.0))
    for figure in (several, speed.speed(found), bits.bits(found), roofline.roofline(found, [PEAK], WHERE)):
        assert crossing(figure) == []


def test_a_title_is_as_short_as_it_can_be_told_from_the_others():
    found = sheet.short_titles(["a, b, c", "a, d, c", "e, f", "g"])
    assert found == ["a, b", "a, d", "e", "g"]


# the same everywhere


def test_colours_signs_and_names_are_those_of_the_pages():
    static = ROOT / "bench" / "site" / "static"
    colours = dict(
        re.findall(r"--([\w-]+): light-dark\((#\w+)", (static / "style.css").read_text(encoding="utf-8"))
    )
    shown = {name: look.color for name, look in looks.FRAMEWORKS.items()}
    assert shown == {name: colours[name] for name in shown}
    assert looks.OTHERS[0][0] == colours["other"] and (
        colours["ink"],
        colours["soft"],
    ) == (looks.INK, looks.SOFT)
    verdicts = {
        "agrees": "steel",
        "limited": "amber",
        "imprecise": "yellow",
        "disagrees": "red",
        "error": "red",
    }
    assert {name: colours[colour] for name, colour in verdicts.items()} == looks.VERDICTS
    script = (static / "app.js").read_text(encoding="utf-8")
    told = re.findall(r'(\w+): \["([^"]+)", "(.)"\]', script.partition("const WORDS")[2].partition("};")[0])
    assert {name: (word, sign) for name, word, sign in told} == looks.WORDS
    names = re.findall(r'(\w+): "(\w+)"', script.partition("const NAMES")[2].partition("}")[0])
    assert dict(names) == {name: look.name for name, look in looks.FRAMEWORKS.items()}


def test_frameworks_that_a_stranger_brings_have_looks_of_their_own():
    found = looks.looks(["torch", "x.py:Chip", "y"])
    assert found["torch"] == looks.FRAMEWORKS["torch"] and found["x.py:Chip"].name == "Chip"
    assert len({(each.color, each.marker) for each in found.values()}) == 3


def test_the_picture_of_the_readme_is_of_the_published_run(tmp_path):
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    published = re.search(r"Source: (results/\S+),", text)
    picture = re.search(r"\]\((docs/pictures/\S+\.svg)\)", text)
    write.draw([ROOT / published[1]], tmp_path)
    assert texts(ROOT / picture[1]) == texts(tmp_path / "speed.svg"), (
        "python -m bench.report.readme RUN draws it"
    )
    assert (ROOT / picture[1]).stat().st_size < 200_000
