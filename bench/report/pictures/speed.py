"""The speed of each headline: a track from the fastest framework on, and the correct bits of each."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bench.digits import seconds
from bench.report.looks import LINE, SOFT, Look, looks
from bench.report.overview import BACKENDS, ordered, significant
from bench.report.pictures.sheet import (
    MARGIN,
    STYLE,
    Undrawn,
    cut,
    inches,
    key,
    mark,
    sheet,
    tile,
    words,
)  # fmt: skip
from bench.report.speeds import title
from bench.report.workloads import DISPATCH, fastest, leading

if TYPE_CHECKING:
    from pandas import DataFrame

Values = dict[str, Any]

PITCH, TRACK, TIME, BITS, TOP = 0.27, 4.2, 0.8, 0.45, 1.62  # inches
STEPS = ((1, 2, 5), (1, 3), (1,))  # of the scale, for one, two and more powers of ten
NONE = "got no speed of a headline, should have some; `pytest suites/ --benchmark-only` times them"
NEAR = 0.11  # inches between marks that would hide each other
DEPARTING = ("limited", "imprecise")
MOST = 1e6  # times the fastest


@matplotlib.rc_context(STYLE)
def speed(timed: "DataFrame", source: str = "") -> Figure:
    """Each headline in its main direction: the time of the fastest, and the others as its multiples.

    `timed` is as `bench.report.workloads.speeds` gives it; `source` is said at the foot. Raises Undrawn if
    it has no headline.
    """
    lines = [
        (f"{title(group)} {on}".rstrip(), top, own)
        for group in leading(timed)
        for on, top in fastest(group, "on").items()
        if (own := raced(group[group["on"] == on]))
    ]
    if not lines:
        raise Undrawn(NONE)
    rows = [row for *_, own in lines for row in own.values()]
    known = looks(ordered([row["backend"] for row in rows], BACKENDS))
    left = MARGIN + max(inches(cut(name)) for name, *_ in lines) + 0.2 + TIME
    right = left + TRACK
    dtype = str(rows[0]["dtype"])
    most = significant(dtype)
    page = sheet(
        max(right + 0.35 + BITS * len(known) + MARGIN, 9),
        TOP + PITCH * len(lines) + 0.6,
        f"How fast, in {dtype}: time as a multiple of the fastest framework",
        "Of each framework its fastest API and mode; a bar is the 95 % interval. At the left: one call of the"
        " fastest.",
        source,
    )
    scale = Scale(left + 0.15, right, widest(rows))
    bottom = TOP + PITCH * (len(lines) - 0.5)
    _frame(page.axes, scale, left, bottom, known, right + 0.35, most)
    for number, (name, top, own) in enumerate(lines):
        y = TOP + PITCH * number
        words(page.axes, MARGIN, y, cut(name))
        words(page.axes, left - 0.1, y, seconds(top["median_s"], top["half"]), ha="right", weight="bold")
        _track(page.axes, scale, y, own, known)
        for place, backend in enumerate(known):
            if backend in own:
                x = right + 0.35 + BITS * place
                bits = float(own[backend]["bits"])
                tile(page.axes, x, y, BITS - 0.05, own[backend]["status"], bits, most)
    ring, hollow = any(departs(row) for row in rows), any(row["bound"] == DISPATCH for row in rows)
    key(page.axes, MARGIN, 1.0, known.values(), ring=ring, hollow=hollow)
    return page.figure


def raced(group: "DataFrame") -> dict[str, Values]:
    """The fastest row of each framework; without those whose ratio is no number, or beyond any scale."""
    found = fastest(group, "backend")
    return {backend: row for backend, row in found.items() if 0 < row["ratio"] < MOST}


def widest(rows: Sequence[Values]) -> float:
    """The limit of a scale on which these rows have room."""
    return 1.2 * max(2.5, *(row["ratio"] for row in rows))


def departs(row: Values) -> bool:
    return row["status"] in DEPARTING


@dataclass(frozen=True)
class Scale:
    """A logarithmic scale of multiples, from 1 at `left` to `limit` at `right`, both in inches."""

    left: float
    right: float
    limit: float

    def __call__(self, ratio: float) -> float:
        part = math.log(max(ratio, 1)) / math.log(self.limit)
        return self.left + (self.right - self.left) * min(part, 1)

    def ticks(self) -> list[int]:
        powers = math.log10(self.limit)
        steps = STEPS[min(int(powers / 2), len(STEPS) - 1)]
        found = (step * 10**power for power in range(int(powers) + 1) for step in steps)
        return [each for each in found if each <= self.limit]


def _frame(
    axes: Axes, scale: Scale, left: float, bottom: float, known: dict[str, Look], x: float, most: int | None
) -> None:
    """The head of the table, and a thin line for each tick of the scale."""
    y = TOP - 0.3
    for each in scale.ticks():
        axes.plot([scale(each)] * 2, [TOP - PITCH / 2, bottom], color=LINE, linewidth=1, zorder=1)
        words(axes, scale(each), y, f"{each}×", ha="center", color=SOFT)
    words(axes, left - 0.1, y, "fastest", ha="right", color=SOFT)
    words(axes, x + (BITS * len(known) - 0.05) / 2, y - 0.26, _of(most), ha="center", color=SOFT)
    for place, look in enumerate(known.values()):
        mark(axes, x + BITS * place + (BITS - 0.05) / 2, y, look, ring=False, hollow=False)


def _of(most: int | None) -> str:
    return f"correct bits of {most}" if most else "correct bits"


def _track(axes: Axes, scale: Scale, y: float, own: dict[str, Values], known: dict[str, Look]) -> None:
    """The marks of a workload, the fastest on top; marks at one place stand above each other."""
    at = {backend: scale(row["ratio"]) for backend, row in own.items()}
    down = beside(at)
    for backend in sorted(own, key=lambda backend: -at[backend]):
        row, look = own[backend], known[backend]
        if row["ratio"] > 1:
            ends, level = [scale(row["ratio_from"]), scale(row["ratio_to"])], [y + down[backend]] * 2
            axes.plot(ends, level, color=look.color, linewidth=4, alpha=0.5, solid_capstyle="butt", zorder=2)
        held = row["bound"] == DISPATCH
        mark(axes, at[backend], y + down[backend], look, ring=departs(row), hollow=held)


def beside(at: dict[str, float]) -> dict[str, float]:
    """How far below the middle of its line each mark stands: 0 unless another is at the same place."""
    groups: list[list[str]] = []
    for name in sorted(at, key=lambda each: at[each]):
        if groups and at[name] - at[groups[-1][-1]] < NEAR:
            groups[-1].append(name)
        else:
            groups.append([name])
    steps = (min(NEAR, 0.17 / max(len(group) - 1, 1)) for group in groups)
    return {
        name: step * (place - (len(group) - 1) / 2)
        for group, step in zip(groups, steps, strict=True)
        for place, name in enumerate(group)
    }
