"""The matrix: what departs, formula by formula, in each framework and dtype, and how many formulas agree."""

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bench.digits import count
from bench.report.frames import agreement
from bench.report.looks import LINE, SOFT, WORDS, WRONG, looks
from bench.report.overview import BACKENDS, DTYPES, WAYS, WORST, ordered, significant
from bench.report.pictures.sheet import MARGIN, STYLE, cut, inches, sheet, tile, words

if TYPE_CHECKING:
    from pandas import DataFrame

FIRST = ("float32", "float64", *DTYPES)
BESIDE = 2  # dtypes
MOST = 60  # formulas
PITCH, WIDTH, GAP, BETWEEN = 0.175, 0.58, 0.14, 0.32  # inches: of a line, a tile, and between tiles
LEAST = 1.8  # inches for the tiles of a dtype
NAMED = {"fwd": "value", "bwd": "gradient"}
REFERENCE = ("numpy", "float64")
IDLE = WORST[: WORST.index("agrees")]  # statuses of what did not run
DEPARTS = WORST[WORST.index("agrees") + 1 :]

Place = tuple[str, str, str]  # backend, dtype, and fwd or bwd


@dataclass(frozen=True)
class Line:
    """A formula with the worst status and the fewest bits of its cells, by place."""

    name: str
    tiles: Mapping[Place, tuple[str, float]]

    def departs(self) -> bool:
        return any(status in DEPARTS for status, _ in self.tiles.values())

    def order(self) -> tuple[bool, float]:
        """What is wrong comes first, then what lost the largest part of its bits."""
        found = [(place[1], *each) for place, each in self.tiles.items() if each[0] in DEPARTS]
        left = (max(bits, -1) / (significant(dtype) or 1) for dtype, _, bits in found if bits == bits)
        return all(status not in WRONG for _, status, _ in found), min(left, default=1)


def shown(dtypes: Sequence[str]) -> list[str]:
    """The dtypes that stand side by side, of those that were judged."""
    return ordered(list(dtypes), FIRST)[:BESIDE]


@matplotlib.rc_context(STYLE)
def matrix(rows: "DataFrame", source: str = "") -> Figure:
    """Formulas that depart as lines, frameworks as columns, for one or two dtypes side by side.

    `rows` have the column `on` of `bench.report.header.setups`; `source` is said at the foot. Each tile has
    the worst status of its cells and their fewest correct bits, and is filled as far as these go.
    """
    dtypes = shown(rows["dtype"].drop_duplicates().tolist())
    every = lines(rows, dtypes)
    departing = sorted((each for each in every if each.departs()), key=Line.order)
    backends = ordered(rows["backend"].drop_duplicates().tolist(), BACKENDS)
    places = {dtype: _columns(dtype, backends, every) for dtype in dtypes}
    left = MARGIN + max(1.6, *(inches(cut(each.name, 40)) + 0.2 for each in departing[:MOST]), 0)
    across = sum(
        max(len(mine) * WIDTH + len({place[0] for place in mine}) * GAP, LEAST) for mine in places.values()
    )
    width = max(left + across + BETWEEN * (len(dtypes) - 1) + MARGIN - GAP, 11)
    height = 2.2 + PITCH * max(len(departing[:MOST]), 1) + 0.65
    verb = "departs" if len(departing) == 1 else "depart"
    more = f", of which {MOST} are shown" if len(departing) > MOST else ""
    page = sheet(
        width,
        height,
        f"Is it right? {len(departing)} of {count(len(every), 'formula')} {verb} somewhere{more}",
        "n of m: formulas that agree. A tile has the fewest correct bits of its cells and is filled as far; "
        "what lost most comes first.",
        source,
    )
    seen = {status for each in departing for status, _ in each.tiles.values()} | {"agrees"}
    itself = REFERENCE[1] in places and REFERENCE not in {place[:2] for place in places[REFERENCE[1]]}
    _legend(
        page.axes,
        MARGIN,
        1.02,
        seen,
        "in float64 NumPy is the reference" if itself and "numpy" in backends else "",
    )
    x = left
    for dtype, mine in places.items():
        x = _block(page.axes, x, dtype, mine, every, departing[:MOST]) + BETWEEN
    for number, each in enumerate(departing[:MOST]):
        words(page.axes, MARGIN, 2.3 + PITCH * number, cut(each.name, 40))
    if not departing:
        words(page.axes, MARGIN, 2.3, "nothing departs", color=SOFT)
    return page.figure


def lines(rows: "DataFrame", dtypes: Sequence[str]) -> list[Line]:
    """The formulas of the rows in these dtypes, on each machine and setting."""
    rows = rows.assign(
        formula=(rows["case"].astype(object) + " " + rows["on"].astype(object)).str.rstrip(),
        way=rows["direction"].map(WAYS).fillna("fwd"),
    )
    found = agreement(rows, by=("formula", "backend", "dtype", "way"))
    made: dict[str, dict[Place, tuple[str, float]]] = {}
    for formula, backend, dtype, way, status, bits, *_ in found.itertuples(index=False):
        if status == "missing":  # has one row, for all dtypes
            for each in dtypes:
                made.setdefault(formula, {}).setdefault((backend, each, way), (status, math.nan))
        elif dtype in dtypes:
            made.setdefault(formula, {})[backend, dtype, way] = status, float(bits)
    return [Line(name, tiles) for name, tiles in made.items()]


def _columns(dtype: str, backends: Sequence[str], every: Sequence[Line]) -> list[Place]:
    """The places of a dtype where some formula has a tile, but for the reference if it agrees with itself."""
    found = [(backend, dtype, way) for backend in backends for way in NAMED]
    there = {place: {each.tiles[place][0] for each in every if place in each.tiles} for place in found}
    itself = {place for place in found if place[:2] == REFERENCE and there[place] <= {"agrees", *IDLE}}
    return [place for place in found if there[place] and place not in itself]


def _block(
    axes: Axes, x: float, dtype: str, places: Sequence[Place], every: Sequence[Line], shown: Sequence[Line]
) -> float:
    """The tiles of one dtype, below the names of the frameworks; returns where it ends."""
    start, most, known = x, significant(dtype), looks(place[0] for place in places)
    for backend, look in known.items():
        mine = [place for place in places if place[0] == backend]
        words(axes, x, 1.7, cut(look.name, 14), weight="bold")
        words(axes, x, 1.88, _count(every, mine), color=SOFT)
        for place in mine:
            words(axes, x, 2.06, NAMED[place[2]], color=SOFT)
            for number, line in enumerate(shown):
                y = 2.3 + PITCH * number
                if place in line.tiles:
                    tile(axes, x, y, WIDTH - 0.04, *line.tiles[place], most)
            x += WIDTH
        x += GAP
    told = f"{cut(dtype, 40)}, {most} bits" if most else cut(dtype, 40)
    words(axes, start, 1.42, told, size=12, weight="bold")
    axes.plot([start, x - GAP - 0.04], [1.55, 1.55], color=LINE, linewidth=1)
    return max(x - GAP, start + LEAST)


def _count(every: Sequence[Line], places: Sequence[Place]) -> str:
    """How many of the formulas that ran agree: ``60 of 68``."""
    ran = [
        [status for place in places if (status := each.tiles.get(place, ("absent",))[0]) not in IDLE]
        for each in every
    ]
    agreeing = sum(set(each) == {"agrees"} for each in ran)
    return f"{agreeing} of {sum(map(bool, ran))}"


def _legend(axes: Axes, x: float, y: float, statuses: Collection[str], more: str) -> None:
    """A tile of each status with its word, and a last remark."""
    bits = {"agrees": 24, "limited": 17, "imprecise": 20}
    for status, (text, _) in WORDS.items():
        if status in statuses:
            tile(axes, x, y, 0.5, status, bits.get(status, math.nan), 24)
            words(axes, x + 0.58, y, text)
            x += 0.58 + inches(text) + 0.25
    words(axes, x, y, more, color=SOFT)
