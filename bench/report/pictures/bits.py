"""What a speed is bought for: the bits that each framework loses, over its time as a multiple."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import matplotlib
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, NullFormatter, NullLocator

from bench.report.looks import INK, LINE, SOFT, looks
from bench.report.overview import BACKENDS, lost, ordered, significant
from bench.report.pictures.sheet import (
    HIDING,
    MARGIN,
    SIZE,
    STYLE,
    Sheet,
    Undrawn,
    cut,
    inches,
    key,
    mark,
    sheet,
    short_titles,
    words,
)  # fmt: skip
from bench.report.pictures.speed import NONE, Scale, departs, raced, widest
from bench.report.speeds import title
from bench.report.workloads import DISPATCH, leading

if TYPE_CHECKING:
    from pandas import DataFrame

Values = dict[str, Any]
Box = tuple[float, float, float, float]  # left, right, top and bottom, in inches

WIDTH, HEIGHT = 11.5, 6.6  # inches
PLOT = (0.95, 1.3, 10.2, 4.3)  # left, top, width and height of the plot, in inches
MOST = 300  # bits that any dtype can lose
NAMED = 30  # marks with a name, at most
FEW = 4  # marks that are named beside the departures: those that lose most bits, and the slowest
STEPS = 12  # of a line that leads from a mark to its name
AROUND = 24  # directions in which a name may stand
AWAY = (0.14, 0.24, 0.36, 0.5, 0.7, 0.95, 1.2, 1.5)  # inches between a mark and its name


@matplotlib.rc_context(STYLE)
def bits(timed: "DataFrame", source: str = "") -> Figure:
    """One mark for each headline and framework: how many bits it loses over how much slower it is.

    `timed` is as `bench.report.workloads.speeds` gives it; `source` is said at the foot. Raises Undrawn if
    it has no headline with bits.
    """
    groups = leading(timed)
    titles = short_titles([title(group) for group in groups])
    found = [
        (row | {"lost": each, "name": name})
        for group, name in zip(groups, titles, strict=True)
        for row, each in _lost(group)
        if -1 < each < MOST
    ]
    if not found:
        raise Undrawn(NONE)
    dtype = str(found[0]["dtype"])
    known = looks(ordered([row["backend"] for row in found], BACKENDS))
    page = sheet(
        WIDTH,
        HEIGHT,
        f"What a speed is bought for, in {dtype}",
        "A mark is the fastest API and mode of a framework on a workload. Down: more of its bits are right. "
        "Left: faster.",
        source,
    )
    axes = page.plot(*PLOT)
    _scales(axes, found, significant(dtype))
    for row in sorted(found, key=departs):
        held = row["bound"] == DISPATCH
        mark(axes, row["ratio"], row["lost"], known[row["backend"]], ring=departs(row), hollow=held, size=8)
    _names(page, axes, found, named(found))
    ring, hollow = any(map(departs, found)), any(row["bound"] == DISPATCH for row in found)
    key(page.axes, MARGIN, 1.0, known.values(), ring=ring, hollow=hollow)
    return page.figure


def _lost(group: "DataFrame") -> list[tuple[Values, float]]:
    """The fastest row of each framework with the bits that it loses."""
    rows = list(raced(group).values())
    return list(zip(rows, lost(pd.DataFrame(rows)).tolist(), strict=True)) if rows else []


def named(found: Sequence[Values]) -> list[Values]:
    """The marks that get a name: departures first, then those that lose most, and the slowest."""
    most = sorted(found, key=lambda row: -row["lost"])[:FEW]
    slow = sorted(found, key=lambda row: -row["ratio"])[:FEW]
    some = [row for row in found if departs(row)] + most + slow
    return [row for place, row in enumerate(some) if row not in some[:place]][:NAMED]


def _scales(axes: Axes, found: Sequence[Values], most: int | None) -> None:
    scale = Scale(0, 1, widest(found))
    axes.set(
        xscale="log", xlim=(0.92, scale.limit), ylim=(-0.3, max(2, *(row["lost"] for row in found)) + 0.6)
    )
    axes.set_xticks(scale.ticks())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, at: f"{value:g}×"))
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set_xlabel("time, as a multiple of the fastest framework", fontsize=SIZE, color=INK)
    axes.set_ylabel(f"bits lost of {most}" if most else "bits lost", fontsize=SIZE, color=INK)
    axes.grid(color=LINE, linewidth=0.6)
    axes.set_axisbelow(True)


def _names(page: Sheet, axes: Axes, found: Sequence[Values], some: Sequence[Values]) -> None:
    """A name beside each of some marks, where it and its line meet no mark and no other name; else none."""
    left, top, width, height = PLOT
    inside = (left, left + width + 0.2, top, top + height)
    places = [page.inches(axes, row["ratio"], row["lost"]) for row in found]
    taken = [_around(*place, _radius(row)) for place, row in zip(places, found, strict=True)]
    for row in some:
        here, text = page.inches(axes, row["ratio"], row["lost"]), cut(row["name"], 48)
        wide = inches(text) + 0.06
        boxes = (_beside(*here, wide, away, turn) for away in AWAY for turn in range(AROUND))
        free = (box for box in boxes if _within(box, inside) and _free([box], taken))
        box = next((box for box in free if _free(_line(here, box, _radius(row)), taken)), None)
        if box is None:
            continue
        line = _line(here, box, _radius(row))
        taken += [box, *line]
        words(page.axes, box[0] + 0.03, (box[2] + box[3]) / 2, text, **HIDING)
        if line:
            ends = zip(*(each[::2] for each in (line[0], line[-1])), strict=True)
            page.axes.plot(*ends, color=SOFT, linewidth=0.7)


def _line(here: tuple[float, float], box: Box, radius: float) -> list[Box]:
    """Points from the edge of a mark to its name, as boxes without an extent; none if the name is near."""
    near = min(max(here[0], box[0]), box[1]), min(max(here[1], box[2]), box[3])
    far = math.dist(here, near)
    if far <= AWAY[1]:
        return []
    parts = [radius / far + (1 - radius / far) * step / STEPS for step in range(1, STEPS)]
    across, down = near[0] - here[0], near[1] - here[1]
    return [_around(here[0] + part * across, here[1] + part * down, 0) for part in parts]


def _radius(row: Values) -> float:
    return 0.12 if departs(row) else 0.07


def _around(x: float, y: float, radius: float) -> Box:
    return x - radius, x + radius, y - radius, y + radius


def _beside(x: float, y: float, width: float, away: float, turn: int) -> Box:
    """The box of a text so far away, in one of the directions: the right first, then up and down in turn."""
    angle = 2 * math.pi / AROUND * ((turn + 1) // 2) * (-1) ** turn
    across, down = math.cos(angle), math.sin(angle)
    half = 0.7 * SIZE / 72
    middle = x + across * (away + width / 2), y + down * (away + half)
    return middle[0] - width / 2, middle[0] + width / 2, middle[1] - half, middle[1] + half


def _within(box: Box, outer: Box) -> bool:
    return outer[0] <= box[0] and box[1] <= outer[1] and outer[2] <= box[2] and box[3] <= outer[3]


def _free(boxes: Sequence[Box], taken: Sequence[Box]) -> bool:
    return not any(_meet(box, each) for box in boxes for each in taken)


def _meet(one: Box, other: Box) -> bool:
    return one[0] < other[1] and other[0] < one[1] and one[2] < other[3] and other[2] < one[3]
