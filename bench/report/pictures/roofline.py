"""The roofline of a device: what its peak rates allow, and what each headline reaches in each framework."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, NullFormatter

from bench.backends import TF32
from bench.digits import digits
from bench.report.looks import INK, LINE, SOFT, looks
from bench.report.overview import BACKENDS, ordered
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
from bench.report.pictures.speed import departs
from bench.report.speeds import title
from bench.report.workloads import DISPATCH, fastest, leading
from bench.speed.roofline import Roof, place, roof

if TYPE_CHECKING:
    from pandas import DataFrame

Values = dict[str, Any]
Point = tuple[float, float]

WIDTH, PLOT = 11.5, 3.9  # inches: of the sheet, and of the plot's height
TURN = 45  # degrees of the names above the plot
LEAST, MOST = 1e-9, 1e12  # flops a byte, and GFLOP/s
LEFT, TOP = 0.95, 1.25  # inches around the plot
NONE = "got no peak rates beside the rows, should have some; `pytest suites/ --benchmark-only` measures them"
LACKING = "got no speed of a headline there, should have some; `pytest suites/ --benchmark-only` times them"


@dataclass(frozen=True)
class Place:
    """Where peak rates were measured: of a machine, a device, a dtype and on a CPU a number of threads."""

    machine: str
    device: str
    dtype: str
    threads: Any

    def __str__(self) -> str:
        threads = "" if self.threads is None else f", {self.threads} threads"
        return f"{self.device}, {self.dtype}{threads}"


def places(reached: Sequence[Mapping[str, Any]]) -> list[Place]:
    """Where the records of peak rates were measured, each once."""
    found = []
    for each in reached:
        device, threads = place(each)
        known = threads if isinstance(threads, int) else None
        found.append(Place(str(each.get("machine", "")), device, str(each.get("dtype")), known))
    return list(dict.fromkeys(found))


@matplotlib.rc_context(STYLE)
def roofline(
    timed: "DataFrame", reached: Sequence[Mapping[str, Any]], where: Place, source: str = ""
) -> Figure:
    """GFLOP/s over flops a byte on logarithmic scales, with the two roofs of one place.

    `timed` is as `bench.report.workloads.speeds` gives it, `reached` are the records of peak rates of
    `bench.store.rows.roofs`; `source` is said at the foot. Raises Undrawn if neither meets the other.
    """
    here = [each for each in reached if str(each.get("machine", "")) == where.machine]
    peak = roof(here, where.device, where.dtype, where.threads)
    if peak is None:
        raise Undrawn(NONE)
    found = [(title(group), _reached(group)) for group in leading(_here(timed, where))]
    found = [(name, marks) for name, marks in found if marks]
    if not found:
        raise Undrawn(LACKING)
    every = [each for _, marks in found for each in marks]
    rows = [row for row, _ in every]
    known = looks(ordered([row["backend"] for row in rows], BACKENDS))
    names = [cut(name, 48) for name in short_titles([name for name, _ in found])]
    leaning = max(inches(each) for each in names) * math.sin(math.radians(TURN))  # as far up as to the right
    above, plot = leaning + 0.45, WIDTH - LEFT - max(leaning + 0.1, MARGIN)
    page = sheet(
        WIDTH,
        TOP + above + PLOT + 1.15,
        f"What the machine allows, and what is reached: {where}",
        "A mark is the fastest API and mode of a framework. Above the slope, inputs come from a cache.",
        source,
    )
    axes = page.plot(LEFT, TOP + above, plot, PLOT)
    _scales(axes, [point for _, point in every], peak)
    _roofs(page, axes, peak)
    for row, point in every:
        held = row["bound"] == DISPATCH
        mark(axes, *point, known[row["backend"]], ring=departs(row), hollow=held, size=8)
    _names(
        page,
        axes,
        names,
        [max((point for _, point in marks), key=lambda point: point[1]) for _, marks in found],
    )
    ring, hollow = any(map(departs, rows)), any(row["bound"] == DISPATCH for row in rows)
    key(page.axes, MARGIN, 1.0, known.values(), ring=ring, hollow=hollow)
    return page.figure


def _here(timed: "DataFrame", where: Place) -> "DataFrame":
    """The rows that ran under these roofs."""
    dtypes = timed["dtype"].where(timed["mode"] != TF32, TF32)
    found = timed[
        (timed["machine"] == where.machine) & (timed["device"] == where.device) & (dtypes == where.dtype)
    ]
    threads = where.threads if where.device == "cpu" else None
    return found if threads is None else found[(found["threads"] == threads).fillna(False).astype(bool)]


def _reached(group: "DataFrame") -> list[tuple[Values, Point]]:
    """The fastest row of each framework with its flops a byte and GFLOP/s; not where it lacks either."""
    found = []
    for row in fastest(group, "backend").values():
        flops, moved, time = (float(row[name]) for name in ("flops", "bytes", "median_s"))
        point = (flops / moved, flops / time / 1e9) if moved and time else (0, 0)
        if all(LEAST < each < MOST for each in point):
            found.append((row, point))
    return found


def _scales(axes: Axes, points: Sequence[Point], peak: Roof) -> None:
    across, up = zip(*points, strict=True)
    ridge = peak.flops_per_s / peak.bytes_per_s
    ends = [*across, *([ridge] if 0 < ridge < math.inf else [])]
    tops = [*up, *([peak.flops_per_s / 1e9] if math.isfinite(peak.flops_per_s) else [])]
    axes.set(xscale="log", yscale="log")
    axes.set(xlim=(min(ends) / 1.8, max(ends) * 1.8), ylim=(min(up) / 1.8, max(tops) * 2))
    axes.set_xlabel("floating-point operations a byte moved", fontsize=SIZE, color=INK)
    axes.set_ylabel("GFLOP/s", fontsize=SIZE, color=INK)
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(FuncFormatter(lambda value, at: f"{value:,g}"))
        axis.set_minor_formatter(NullFormatter())
    axes.grid(color=LINE, linewidth=0.6)
    axes.set_axisbelow(True)


def _roofs(page: Sheet, axes: Axes, peak: Roof) -> None:
    """The two roofs, each with its rate written along it."""
    low, high = axes.get_xlim()
    top, rate = peak.flops_per_s / 1e9, peak.bytes_per_s / 1e9
    x = np.geomspace(low, high, 200)
    axes.plot(x, np.minimum(top, rate * x), color=INK, linewidth=1.6, zorder=2)
    style: dict[str, Any] = {"rotation_mode": "anchor", **HIDING}
    if math.isfinite(top):
        across, up = page.inches(axes, max(low, top / rate), top)
        words(
            page.axes,
            across + 0.1,
            up - 0.12,
            f"{digits(top, top / 300)} GFLOP/s, the fastest matrix product",
            **style,
        )
    if math.isfinite(rate):
        (x0, y0), (x1, y1) = (page.inches(axes, each, rate * each) for each in (low, 2 * low))
        start = max(low, axes.get_ylim()[0] / rate)
        across, up = page.inches(axes, start, rate * start)
        turn = math.atan2(y0 - y1, x1 - x0)
        words(
            page.axes, across + 0.15, up - 0.13 / math.cos(turn) - 0.15 * math.tan(turn) - 0.05,
            f"{digits(rate, rate / 300)} GB/s, the fastest stream", rotation=math.degrees(turn), **style,
        )  # fmt: skip


def _names(page: Sheet, axes: Axes, names: Sequence[str], tops: Sequence[Point]) -> None:
    """The names above the plot, each with a thin line down to the highest mark of its workload."""
    order = sorted(range(len(names)), key=lambda each: tops[each][0])
    feet = [page.inches(axes, tops[each][0], axes.get_ylim()[1]) for each in order]
    gap = 1.25 * SIZE / 72 / math.sin(math.radians(TURN))
    spots = apart([x for x, _ in feet], gap, LEFT, LEFT + page.figure.axes[1].get_position().width * WIDTH)
    for each, (x, y), spot in zip(order, feet, spots, strict=True):
        down = page.inches(axes, *tops[each])[1] - 0.08
        page.axes.plot([spot, x, x], [y - 0.22, y, down], color=SOFT, linewidth=0.7, alpha=0.8, zorder=1)
        words(
            page.axes, spot, y - 0.3, names[each],
            rotation=TURN, rotation_mode="anchor", ha="left", va="baseline",
        )  # fmt: skip


def apart(wanted: Sequence[float], gap: float, low: float, high: float) -> list[float]:
    """Places at least `gap` apart between `low` and `high`, in all as near to what is wanted as can be.

    `wanted` increases. Where there is no room for the gap, it is smaller.
    """
    from scipy.optimize import isotonic_regression  # type: ignore[attr-defined]

    gap = min(gap, (high - low) / max(len(wanted) - 1, 1))
    steps = gap * np.arange(len(wanted))
    found = isotonic_regression(np.asarray(wanted) - steps).x
    return list(np.clip(found, low, high - gap * (len(wanted) - 1)) + steps)
