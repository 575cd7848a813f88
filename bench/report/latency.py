"""The tables of latency: what one call costs at least, and from which size on that matters less."""

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any, cast

from bench.digits import digits, scaled, seconds
from bench.report.growth import Point, points
from bench.report.overview import BACKENDS, ordered, short
from bench.report.speeds import sign
from bench.report.table import Table
from bench.report.workloads import CONTENDER, WORKLOAD, Line, leaders, split, typical, unit, workloads

if TYPE_CHECKING:
    from pandas import DataFrame

SHOWN = [
    *WORKLOAD, *CONTENDER, "median_s", "half", "throughput", "unit", "flops", "bound", "title", "curve",
    "first", "status",
]  # fmt: skip
TITLE = "Latency: what one call costs at least, in µs"
NOTE = (
    "The time of one call at the first size of each formula, which is small: the overhead of dispatch takes "
    "at most that long, and the hardware has little to do. One column per framework and mode, in its fastest "
    "API; a sign before a time is that of its verdict, where it is not ✓. break-even size: where a call "
    "takes twice as long, on the line between the timed sizes around it, in the framework that is fastest at "
    "the largest of them; > where even that takes less."
)
CALLS = "What a call costs"
CALLED = (
    "The time of one call at the first size of each formula, in its fastest API. These sizes are small: a "
    "call costs most of that time, and the hardware has little to do. least, median, most: over the formulas."
)


def overhead(timed: "DataFrame") -> list[Table]:
    """One line per framework and mode: the range of what a call costs at the first sizes of all formulas.

    No table without a headline among the rows: the first sizes have a table of their own then.
    """
    _, small, columns = _sizes(timed)
    if small.empty:
        return []
    lines = []
    for place, here in small.groupby(["device", "settings", "on"], sort=False):
        device, settings, on = cast("tuple[str, str, str]", place)
        for pair in columns:
            mine = here[[each == pair for each in here["column"]]]
            own = mine.groupby("case", sort=False)["median_s"].min()
            if len(own):
                where = (device if device != "cpu" else "", settings, on)
                name = " ".join(filter(None, (short(pair[0]), pair[1], *where)))
                times = (seconds(each) for each in (own.min(), own.median(), own.max()))
                lines.append((name, f"{len(own):,}", *times))
    names = ("formulas", "least", "median", "most")
    return [Table(CALLS, ("framework and mode", *names), lines, right=names, note=CALLED)]


def latency(timed: "DataFrame") -> list[Table]:
    """One line per formula at its first size, in its main direction; none where `overhead` has none."""
    shown, small, columns = _sizes(timed)
    if small.empty:
        return []
    around = split(shown.to_dict("records"), "case", "device", "settings", "on")
    lines, several = [], small["device"].nunique() > 1
    for group in workloads(small):
        for on, here in split(group.to_dict("records"), "on").items():
            own, row = leaders(here, "column"), here[0]
            where = (row["device"] if several else "", row["settings"])
            label = " ".join(filter(None, (row["case"], *where, str(on))))
            cells = (_time(own[pair]) if pair in own else "" for pair in columns)
            sizes = around[row["case"], row["device"], row["settings"], on]
            lines.append((label, *cells, _size(sizes, unit(row))))
    names = [f"{short(backend)}\n{mode}" for backend, mode in columns]
    return [Table(TITLE, ("formula", *names, "break-even size"), lines, right=names, note=NOTE)]


Column = tuple[str, str]  # a backend and a mode


def _sizes(timed: "DataFrame") -> tuple["DataFrame", "DataFrame", list[Column]]:
    """The rows in their main direction, those at a first size, and the frameworks and modes of these.

    All are empty without a headline.
    """
    shown = typical(timed[(timed["direction"] == timed["main"]) & (timed["title"] != "").any()])
    shown = shown[SHOWN].assign(column=[*zip(shown["backend"], shown["mode"], strict=True)])
    small = shown[shown["first"].astype(bool)]
    columns = [
        pair
        for backend in ordered(small["backend"].drop_duplicates().tolist(), BACKENDS)
        for pair in small.loc[small["backend"] == backend, "column"].drop_duplicates()
    ]
    return shown, small, columns


def _time(row: Any) -> str:
    """Microseconds, after the sign of the verdict unless it is agrees."""
    return f"{sign(row)} {digits(1e6 * row['median_s'], 1e6 * row['half'])}".strip()


def _size(rows: Sequence[Line], items: str) -> str:
    """The break-even size of the framework that is fastest at the largest size: ``jax 1.2 k tokens``."""
    found = []
    for (backend, *_), own in split(rows, "backend", "contender", "mode").items():
        small = points([row for row in own if row["first"]])
        curve = points([row for row in own if row["first"] or row["curve"] != ""])
        if small and len(curve) > 1 and curve[0].flops == small[0].flops:
            found.append((-curve[-1].flops, curve[-1].seconds, str(backend), curve))
    if not found:
        return ""
    *_, backend, curve = min(found, key=lambda each: each[:2])
    return f"{short(backend)} {break_even(curve)} {items}".rstrip()


def break_even(curve: Sequence[Point]) -> str:
    """The items at which a call takes twice the time of the first point, each of the larger size's work."""
    twice = 2 * curve[0].seconds
    for below, above in pairwise(curve):
        if above.seconds >= twice:
            slope = (above.seconds - below.seconds) / (above.flops - below.flops)
            work = below.flops + (twice - below.seconds) / slope
            half = math.hypot(2 * curve[0].half, below.half, above.half) / slope
            items = work * above.items / above.flops
            # the curve is no straight line: two digits at most
            return scaled(items, items * max(half / work, 1 / 16)) if items >= 1 else "< 1"
    return f"> {scaled(curve[-1].items)}"
