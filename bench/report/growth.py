"""Time over size: a drawing with a panel for each headline, and a table of how time grows with the work."""

import math
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.digits import digits, scaled, seconds
from bench.report.curves import STYLES, literal
from bench.report.looks import looks
from bench.report.overview import BACKENDS, ordered, short
from bench.report.table import Figure, Section, Table
from bench.report.workloads import CONTENDER, DISPATCH, ORDER, Line, split, typical, unit
from bench.store.results import whole

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Drawing
    from pandas import DataFrame

FILE, TITLE = "growth.svg", "Time over size"
SHOWN = [
    *CONTENDER, "case", "size", "place", "device", "settings", "curve", "title", "unit", "throughput",
    "median_s", "half", "flops", "bound",
]  # fmt: skip
NOTE = (
    "Of each framework: the sizes at which dispatch takes most of the time (≤: up to that one), then the "
    "exponent of time over work, first between the two largest sizes, then fitted to all that are not bound "
    "by dispatch (– if these are fewer than two). 1: twice the work takes twice the time; below 1, larger "
    "sizes are computed at a higher rate; above 1, at a lower one. Work is flops, by the formula."
)


@dataclass(frozen=True)
class Point:
    """One size of a curve: its items and flops, and the time of a call with half its interval."""

    items: float
    flops: float
    seconds: float
    half: float
    dispatch: bool
    own: bool  # the headline's own size


@dataclass(frozen=True)
class Panel:
    """The curves of a headline by framework, each over its sizes from the smallest."""

    title: str
    unit: str
    curves: Mapping[str, Sequence[Point]]


def panels(timed: "DataFrame") -> list[Panel]:
    """The headlines that were timed at several sizes, in their main direction.

    Of each framework it is the API and mode with the most sizes, of these the fastest at the largest.
    """
    shown = typical(timed[(timed["curve"] != "") & (timed["direction"] == timed["main"])])
    found: list[tuple[int, int, Panel]] = []
    known = ordered(shown["case"].drop_duplicates().tolist(), ORDER)
    groups = split(shown[SHOWN].to_dict("records"), "case", "place", "device", "settings")
    for (case, place, device, settings), group in groups.items():
        if len({row["size"] for row in group}) < 2:  # most of a usual run
            continue
        curves: dict[str, Sequence[Point]] = {}
        by = split(group, "backend")
        for backend in ordered(list(by), BACKENDS):
            for on, own in split(by[backend], "on").items():
                curve = best(own)
                if len(curve) > 1:
                    curves[f"{short(backend)} {on}".rstrip()] = curve
        if curves:
            names = (group[0]["curve"].partition(", ")[0], "" if device == "cpu" else device, settings)
            panel = Panel(", ".join(filter(None, names)), unit(group[0]) or "items", curves)
            found.append((known.index(case), place, _increasing(panel)))
    return [panel for *_, panel in sorted(found, key=lambda each: each[:2])]


def _increasing(panel: Panel) -> Panel:
    """The panel over flops if its sizes differ in more than their items (images that are smaller too)."""
    items = [[point.items for point in curve] for curve in panel.curves.values()]
    if all(one < other for each in items for one, other in pairwise(each)):
        return panel
    curves = {
        name: [replace(point, items=point.flops) for point in curve] for name, curve in panel.curves.items()
    }
    return Panel(panel.title, "flop", curves)


def best(rows: Iterable[Line]) -> list[Point]:
    """The curve of the API and mode with the most sizes, of these the fastest at its largest size."""
    each = [points(own) for own in split(rows, "contender", "mode").values()]
    return max(each, key=lambda curve: (len(curve), -curve[-1].seconds if curve else 0), default=[])


def points(rows: Iterable[Line]) -> list[Point]:
    """The sizes of one contender from the least work to the most; those without figures are left out."""
    found = {}
    for row in rows:
        # the product of a quotient: rounded, so that all frameworks have the same
        items, work, time = float(f"{row['throughput'] * row['median_s']:.9g}"), row["flops"], row["median_s"]
        if all(math.isfinite(each) and each > 0 for each in (items, work, time)):
            own = bool(row["title"])
            found[work] = Point(items, work, time, row["half"], row["bound"] == DISPATCH, own)
    return [found[work] for work in sorted(found)]


def growth(found: Sequence[Panel]) -> list[Section]:
    """One line per headline, one column per framework; no table if none was timed at several sizes."""
    names = list(dict.fromkeys(name for panel in found for name in panel.curves))
    lines = []
    for panel in found:
        every = [point.items for curve in panel.curves.values() for point in curve]
        sizes = f"{panel.title}: {_size(min(every))} to {_size(max(every))} {panel.unit}"
        lines.append((sizes, *(_cell(panel.curves.get(name, ())) for name in names)))
    columns = ("workload", *names)
    return [Table(TITLE, columns, lines, right=names, stacked=True, note=NOTE)] if lines else []


def _cell(curve: Sequence[Point]) -> str:
    """The sizes that are bound by dispatch, and the two exponents."""
    if not curve:
        return ""
    fitted = exponent([point for point in curve if not point.dispatch])
    return f"{_held(curve)} {exponent(curve[-2:]):>5} {fitted or '–':>5}".lstrip()


def _held(curve: Sequence[Point]) -> str:
    """The sizes that are bound by dispatch; one if it is these up to it."""
    held = [point for point in curve if point.dispatch]
    if held and held == list(curve[: len(held)]):
        return f"≤{_size(held[-1].items)}"
    return "at " + ", ".join(_size(point.items) for point in held) if held else ""


def _size(items: float) -> str:
    return f"{items:,.0f}" if items < 1e6 else scaled(items)


def exponent(curve: Sequence[Point]) -> str:
    """The least-squares slope of log time over log work, as far as the intervals of the times settle it."""
    if len(curve) < 2:
        return ""
    work = [math.log(point.flops) for point in curve]
    mean = sum(work) / len(work)
    away = [each - mean for each in work]
    spread = sum(each**2 for each in away)
    slope = sum(each * math.log(point.seconds) for each, point in zip(away, curve, strict=True)) / spread
    errors = (each * point.half / point.seconds for each, point in zip(away, curve, strict=True))
    return digits(slope, math.sqrt(sum(error**2 for error in errors)) / spread)


def drawing(found: Sequence[Panel], across: int = 3, width: float = 10, points: float = 8) -> "Drawing":
    """The curves on logarithmic scales: so many panels across so many inches, texts of so many points."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure as Drawing
    from matplotlib.lines import Line2D
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter, NullLocator

    names = list(dict.fromkeys(name for panel in found for name in panel.curves))
    styles = _looks(names)
    rows = math.ceil(len(found) / across)
    sheet = Drawing(figsize=(width, 0.78 * width / across * rows + 0.6), layout="constrained")
    FigureCanvasAgg(sheet)
    grid = sheet.subplots(rows, across, squeeze=False).flatten()
    for axes, panel in zip(grid, found, strict=False):
        for name, curve in panel.curves.items():
            _line(axes, curve, **styles[name])
        for at in {point.items for curve in panel.curves.values() for point in curve if point.own}:
            axes.axvline(at, color="0.85", linewidth=4, zorder=0)
        room = int(92 * width / across / points)  # characters beside the labels of the times
        title = "\n".join(map(literal, textwrap.wrap(panel.title, max(room, 12), max_lines=2)))
        axes.set_title(title, fontsize=points, loc="left")
        axes.set(xscale="log", yscale="log")
        axes.set_xlabel(literal(panel.unit), fontsize=points, loc="right")
        every = sorted({point.items for curve in panel.curves.values() for point in curve})
        axes.set_xticks(every, [_tick(each) for each in every])
        axes.xaxis.set_minor_locator(NullLocator())
        axes.yaxis.set_major_locator(LogLocator(subs=(1, 3)))
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, at: seconds(value, 0.6 * value)))
        axes.yaxis.set_minor_formatter(NullFormatter())
        axes.tick_params(labelsize=points - 1)
        axes.spines[["top", "right"]].set_visible(False)
    for axes in grid[len(found) :]:
        axes.set_visible(False)
    known = looks(name.partition(" ")[0] for name in names)
    shown = {
        f"{known[framework].name} {machine}".rstrip(): Line2D([], [], **styles[name], markersize=5)
        for name in names
        for framework, _, machine in [name.partition(" ")]
    }
    dot: dict[str, Any] = {"marker": "o", "markersize": 5}
    shown["bound by dispatch"] = Line2D([], [], **dot, color="0.4", markerfacecolor="w", linestyle="")
    shown["the headline's size"] = Line2D([], [], color="0.85", linewidth=4)
    sheet.legend(
        shown.values(), map(literal, shown), loc="outside upper left", ncols=6, frameon=False, fontsize=points
    )
    return sheet


def draw(found: Sequence[Panel], folder: Path) -> list[Figure]:
    """Draw the curves into `folder`; nothing if there are none."""
    if not found:
        return []
    import matplotlib

    with matplotlib.rc_context({"svg.hashsalt": "gaugeblock"}), whole(folder / FILE) as partial:
        drawing(found).savefig(partial, format="svg", metadata={"Date": None})
    return [Figure(TITLE, FILE)]


def _tick(items: float) -> str:
    return f"{items:.0f}" if items < 1000 else scaled(items).replace(" ", "")


def _line(axes: Any, curve: Sequence[Point], color: str, linestyle: str, marker: str) -> None:
    axes.plot(
        [point.items for point in curve],
        [point.seconds for point in curve],
        color=color,
        linestyle=linestyle,
        linewidth=1.2,
    )
    for held, fill in ((True, "white"), (False, color)):
        some = [(point.items, point.seconds) for point in curve if point.dispatch == held]
        if some:
            axes.plot(*zip(*some, strict=True), marker, color=color, markersize=5, markerfacecolor=fill)


def _looks(names: Sequence[str]) -> dict[str, dict[str, Any]]:
    """A colour and a shape for each framework; machines differ in the style of lines."""
    known = looks(name.partition(" ")[0] for name in names)
    machines = list(dict.fromkeys(name.partition(" ")[2] for name in names))
    found = {}
    for name in names:
        framework, _, machine = name.partition(" ")
        look, style = known[framework], STYLES[machines.index(machine) % len(STYLES)]
        found[name] = {"color": look.color, "marker": look.marker, "linestyle": style}
    return found
