"""Draws every picture of some runs into a folder."""

import re
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import matplotlib
from matplotlib.figure import Figure

from bench.report import growth
from bench.report.header import Records, machine_line, setups
from bench.report.pictures.bits import bits
from bench.report.pictures.matrix import matrix, shown
from bench.report.pictures.roofline import NONE as NO_ROOFS
from bench.report.pictures.roofline import places, roofline
from bench.report.pictures.sheet import SIZE, STYLE, Undrawn, headed, save
from bench.report.pictures.speed import speed
from bench.report.sections import NONE
from bench.report.workloads import speeds
from bench.report.write import Paths, beside, read
from bench.store.results import numbered
from bench.store.row import plain, sentence
from bench.store.rows import day

if TYPE_CHECKING:
    from pandas import DataFrame

Draw = Callable[[], Figure]
Told = Callable[[str], None]

HEAD, KEY, FOOT = 0.78, 0.35, 0.6  # inches above and below the curves of growth
GROWTH = "One call of the fastest API and mode of each framework, over the size of the workload."
PANELS, PANEL = 5, 2.67  # of growth: side by side, and inches of each
NO_GROWTH = "got no headline at several sizes, should have one; `pytest suites/ --growth` times them"


def draw(
    paths: Paths, to: Path, *, dtype: str = "", lenient: bool = False, told: Told = lambda text: None
) -> list[Path]:
    """Write each picture of these runs to a folder, as PNG and SVG; returns the files.

    dtype: draw this one only. told: is called with one sentence for each picture that cannot be drawn.
    Raises ValueError if there are no rows, or none in that dtype.
    """
    rows, machines, _ = read(paths, lenient=lenient)
    if rows.empty:
        raise ValueError(NONE)
    found = beside(paths)
    for each in (*rows.attrs.get("left", ()), *found["left"]):
        told(each)
    rows = _of(setups(rows), dtype)
    to.mkdir(parents=True, exist_ok=True)
    files = []
    with _any_letter():
        for name, picture in pictures(rows, found["reached"], source(rows, machines), dtype).items():
            try:
                figure = picture()
            except Undrawn as error:
                told(f"{name}: {error}")
            except Exception as error:  # any kind, depending on what the rows hold
                told(f"{name}: got rows of another shape ({sentence(error)}), should be as a run writes them")
            else:
                files += save(figure, to, name)
    if not dtype and (more := _beyond(rows)):
        told(f"matrix: shows {' and '.join(shown(_dtypes(rows)))}; `--dtype` draws {' or '.join(more)}")
    return files


def pictures(
    rows: "DataFrame", reached: Sequence[Mapping[str, Any]], source: str = "", dtype: str = ""
) -> dict[str, Draw]:
    """How each picture of these rows is drawn, by its name: a call that raises Undrawn if it cannot be.

    `rows` are as `bench.report.header.setups` gives them, `reached` as `bench.store.rows.roofs`.
    """
    timed = speeds(rows)
    return {
        "matrix": partial(matrix, rows, source),
        "speed": partial(speed, timed, source),
        "growth": partial(_growth, timed, source),
        **_rooflines(timed, reached, source, dtype),
        "bits": partial(bits, timed, source),
    }


def source(rows: "DataFrame", machines: Records) -> str:
    """Where the figures come from, on two lines: the machines; then releases, days and the suite."""
    on = rows[["on", "machine"]].drop_duplicates()
    told = [
        f"{letter}: {line}".removeprefix(": ")
        for letter, line in (
            (on, machine_line(machines.get(key, {}), key)) for on, key in on.itertuples(index=False)
        )
    ]
    ran = rows[rows["version"] != ""].drop_duplicates(["backend", "version"])
    versions = [
        f"{backend} {version}" for backend, version in ran[["backend", "version"]].itertuples(index=False)
    ]
    days = dict.fromkeys(filter(None, map(day, rows["run_id"].unique())))
    suites = (f"Gaugeblock {suite}" for suite in rows["suite"].unique() if suite)
    made = (", ".join(each) for each in (versions, days, suites))
    return f"{plain('; '.join(told))}\n{plain(' · '.join(filter(None, made)))}"


def _of(rows: "DataFrame", dtype: str) -> "DataFrame":
    """The rows in one dtype; a missing cell has one row for all."""
    if not dtype:
        return rows
    known = _dtypes(rows)
    if dtype not in known:
        raise ValueError(
            f"--dtype: got {dtype!r}, should be one of {', '.join(known)}, which these rows have"
        )
    missing = rows["status"] == "missing"
    return rows[(rows["dtype"] == dtype) | missing].assign(dtype=dtype)


def _dtypes(rows: "DataFrame") -> list[str]:
    return [str(each) for each in rows["dtype"].drop_duplicates()]


def _beyond(rows: "DataFrame") -> list[str]:
    """The dtypes that the matrix does not show."""
    known = _dtypes(rows)
    return [each for each in known if each not in shown(known)]


def _growth(timed: "DataFrame", source: str) -> Figure:
    """The curves under a title, and where they come from."""
    found = growth.panels(timed)
    if not found:
        raise Undrawn(NO_GROWTH)
    with matplotlib.rc_context(STYLE):
        across = min(PANELS, max(len(found), 3))
        figure = growth.drawing(found, across, PANEL * across, SIZE)
        width, height = figure.get_size_inches()
        height += HEAD + KEY + FOOT
        figure.set_size_inches(width, height)
        headed(figure, growth.TITLE, GROWTH, source)
        figure.legends[0].set_bbox_to_anchor((0.006, 0, 0.99, 1 - HEAD / height))
        figure.set_layout_engine("constrained", rect=(0, FOOT / height, 1, 1 - (HEAD + KEY + FOOT) / height))
        return figure


def _rooflines(
    timed: "DataFrame", reached: Sequence[Mapping[str, Any]], source: str, dtype: str
) -> dict[str, Draw]:
    """A roofline for each place whose peak rates were measured."""
    found = [each for each in places(reached) if not dtype or each.dtype == dtype]
    if not found:
        return {"roofline": _none}
    several = len({each.machine for each in found}) > 1
    drawn: dict[str, Draw] = {}
    for each in found:
        name = re.sub(r"[^a-z0-9]+", "-", f"roofline {each.machine if several else ''} {each}".lower()).strip(
            "-"
        )
        own = next(other for other in numbered(name[:80]) if other not in drawn)
        drawn[own] = partial(roofline, timed, reached, each, source)
    return drawn


def _none() -> Figure:
    raise Undrawn(NO_ROOFS)


@contextmanager
def _any_letter() -> Iterator[None]:
    """No warning of letters that the font lacks: texts of rows may have any."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing from", UserWarning)
        yield
