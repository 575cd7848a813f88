"""Speeds and bits of each cell over the runs of one machine, with the points at which they changed.

It informs and decides nothing: stored times of a shared machine raise alarms on identical code. `gaugeblock
gate` decides.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bench.digits import count, seconds
from bench.report.overview import short
from bench.report.table import Figure, Section, Table
from bench.store.results import whole
from bench.store.row import plain
from bench.store.rows import CELL

FILE = "history.svg"
NOISE = 0.05  # relative: what a run's speed scatters by at least, from run to run
BITS = 0.1  # the same of effective bits
WIDTH, MOST = 3, 24  # drawings in a row, and at most
COORDINATES = [name for name in CELL if name != "run_id"]


@dataclass(frozen=True)
class Course:
    """One cell over the runs of one machine, in order of time: NaN where a run has no such figure.

    speeds, levels: the places of the runs from which on speed or bits are at another level.
    """

    machine: str
    name: str
    runs: Sequence[str]
    versions: Sequence[str]
    median_s: NDArray[np.float64]
    bits: NDArray[np.float64]
    speeds: Sequence[int]
    levels: Sequence[int]

    @property
    def changed(self) -> bool:
        return bool(self.speeds or self.levels)


def courses(rows: pd.DataFrame) -> list[Course]:
    """The cells that several runs of a machine have, those that changed last first."""
    settled = rows.sort_values("run_id", kind="stable")
    by = ["machine", "settings", "threads", *COORDINATES]
    found = [
        _course(group.drop_duplicates("run_id", keep="last"))
        for _, group in settled.groupby(by, sort=False, dropna=False)
        if group["run_id"].nunique() > 1
    ]
    return sorted(
        found, key=lambda each: (-max([*each.speeds, *each.levels], default=-1), each.machine, each.name)
    )


def _course(group: pd.DataFrame) -> Course:
    first = group.iloc[0]
    names = (first[name] for name in ("case", "option", "regime", "size", "contender", "mode", "device"))
    median, bits = (group[name].to_numpy(float, na_value=math.nan) for name in ("median_s", "bits"))
    return Course(
        str(first["machine"]),
        "/".join([*map(str, names), str(first["dtype"]), str(first["direction"])]),
        list(group["run_id"]),
        [f"{short(str(row['backend']))} {row['version']}" for row in group.to_dict("records")],
        median,
        bits,
        changes(np.log(median), math.log1p(NOISE)),
        changes(bits, BITS),
    )


def changes(values: NDArray[np.float64], noise: float) -> list[int]:
    """The places at which the level of a series changes, of those that are not NaN.

    The best partition by the sum of squares over the noise's variance, with a penalty of 4 log n for each
    change: optimal partitioning (Jackson et al. 2005), penalty as in Killick et al. 2012. The noise is what
    neighbours differ by, at least `noise`.
    """
    places = np.flatnonzero(np.isfinite(values))
    x = values[places]
    n = x.size
    if n < 2:  # of two, the noise is what they differ by
        return []
    steps = np.abs(np.diff(x))
    scale = max(noise, float(np.median(steps)) / (0.6745 * math.sqrt(2)))
    total, square = (np.concatenate([[0.0], np.cumsum(each)]) for each in (x / scale, (x / scale) ** 2))
    best, last = np.zeros(n + 1), np.zeros(n + 1, dtype=int)
    best[0] = -(penalty := 4 * math.log(n))
    for end in range(1, n + 1):
        start = np.arange(end)
        cost = square[end] - square[start] - (total[end] - total[start]) ** 2 / (end - start)
        last[end] = int(np.argmin(best[start] + cost))
        best[end] = best[last[end]] + cost[last[end]] + penalty
    found, end = [], n
    while end:
        end = int(last[end])
        found.append(end)
    return [int(places[each]) for each in found[::-1] if each]


def sections(found: Sequence[Course]) -> list[Section]:
    """What changed when, by cell, and how many cells did not."""
    lines = [line for each in found for line in _lines(each)]
    shown = lines[:MOST]
    more = f" And {len(lines) - MOST:,} more changes." if len(lines) > MOST else ""
    still = sum(not each.changed for each in found)
    runs = len({run for each in found for run in each.runs})
    note = (
        f"{count(len(found), 'cell')} of {count(runs, 'run')}; {still:,} without a change.{more} A change "
        "here is no verdict: times of different days are compared. `gaugeblock gate` decides."
    )
    columns = ("cell", "from run", "what", "version")
    return [Table("Changes over time", columns, shown, note=note, stacked=False)]


def _lines(each: Course) -> Iterator[tuple[str, str, str, str]]:
    for what, values, places in (("speed", each.median_s, each.speeds), ("bits", each.bits, each.levels)):
        ends = [0, *places, len(values)]
        for number, at in enumerate(places, 1):
            old, new = (
                float(np.nanmedian(values[ends[turn] : ends[turn + 1]])) for turn in (number - 1, number)
            )
            told = (
                f"time × {new / old:.2f}: {seconds(old, 0.03 * old)} → {seconds(new, 0.03 * new)}"
                if what == "speed"
                else f"bits {old:.1f} → {new:.1f}"
            )
            version = " → ".join(dict.fromkeys((each.versions[at - 1], each.versions[at])))
            yield each.name, each.runs[at], told, version


def draw(found: Sequence[Course], folder: Path) -> list[Figure]:
    """Draw the time of each cell over its runs into `folder`, what changed first; nothing without runs."""
    shown = [each for each in found if np.isfinite(each.median_s).sum() > 1][:MOST]
    if not shown:
        return []
    import matplotlib
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure as Drawing

    rows = math.ceil(len(shown) / WIDTH)
    with matplotlib.rc_context({"svg.hashsalt": "gaugeblock"}):
        drawing = Drawing(figsize=(12, 2.4 * rows + 0.4), layout="constrained")
        FigureCanvasAgg(drawing)
        grid = drawing.subplots(rows, WIDTH, squeeze=False).flatten()
        for axes, each in zip(grid, shown, strict=False):
            _one(axes, each)
        for axes in grid[len(shown) :]:
            axes.set_visible(False)
        with whole(folder / FILE) as partial:
            drawing.savefig(partial, format="svg", metadata={"Date": None})
    return [Figure("Time of a call and effective bits, run by run", FILE)]


def _one(axes: Any, each: Course) -> None:
    at = np.arange(len(each.runs))
    axes.plot(at, each.median_s, "o-", markersize=3, linewidth=1)
    axes.set(yscale="log", xticks=at, xticklabels=[run[4:8] for run in each.runs])
    first, _, rest = plain(each.name).partition("/")
    axes.set_title(f"{first}\n{rest}".replace("$", r"\$"), fontsize=6, loc="left")
    for place in each.speeds:
        axes.axvline(place - 0.5, color="0.6", linestyle=":")
    axes.tick_params(labelsize="x-small")
    axes.minorticks_off()
    axes.spines[["top"]].set_visible(False)
    if np.isfinite(each.bits).any():
        right = axes.twinx()
        right.plot(at, each.bits, "s", color="0.6", markersize=2)
        right.set(ylim=(0, 54))
        right.tick_params(labelsize="x-small", colors="0.5")
        right.spines[["top"]].set_visible(False)
