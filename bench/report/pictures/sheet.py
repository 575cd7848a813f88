"""The sheet that a picture is drawn on, measured in inches, and what several pictures have on it.

Texts come from rows files, which anybody may have written: `words` shows each as it is, and on one line.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.textpath import TextPath

from bench.report.curves import literal
from bench.report.looks import INK, LINE, RING, SOFT, VERDICTS, WORDS, WRONG, Look
from bench.store.results import whole

STYLE: dict[Any, Any] = {
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans", "Verdana", "Arial"],
    "svg.fonttype": "none",  # texts stay texts: to be searched, copied and read aloud
    "svg.hashsalt": "gaugeblock",
}
SIZE = 10  # points of a text
TILE = 0.16  # inches, the height of a tile
MARGIN = 0.3  # inches
DOTS = 200  # per inch
EVEN = {"^": 1.2, "D": 0.85}  # so that all shapes look equally large
LONGEST = 90  # characters of a name


class Undrawn(ValueError):
    """Rows that a picture cannot be made from; the message says what they lack and which command makes it."""


@dataclass(frozen=True)
class Sheet:
    """A figure with axes over the whole of it: inches from the left and from the top."""

    figure: Figure
    axes: Axes
    width: float
    height: float

    def plot(self, left: float, top: float, width: float, height: float) -> Axes:
        """Axes for data in this box, in inches."""
        wide, high = self.width, self.height
        box = (left / wide, (high - top - height) / high, width / wide, height / high)
        axes = self.figure.add_axes(box, zorder=-1)  # texts of the sheet lie on it
        axes.spines[["top", "right"]].set_visible(False)
        axes.spines[["left", "bottom"]].set_color(SOFT)
        axes.tick_params(labelsize=SIZE, colors=INK, which="both")
        return axes

    def inches(self, axes: Axes, x: float, y: float) -> tuple[float, float]:
        """Where a point of some data lies on the sheet."""
        right, up = axes.transData.transform((x, y)) / self.figure.dpi
        return float(right), self.height - float(up)


def sheet(width: float, height: float, title: str, about: str, source: str) -> Sheet:
    """A white sheet with a title, a sentence, and at its foot on two lines where the figures come from."""
    figure = Figure(figsize=(width, height), facecolor="white")
    FigureCanvasAgg(figure)
    return headed(figure, title, about, source)


def headed(figure: Figure, title: str, about: str, source: str) -> Sheet:
    """The figure as a sheet, with the same three texts."""
    width, height = map(float, figure.get_size_inches())
    axes = figure.add_axes((0, 0, 1, 1), xlim=(0, width), ylim=(height, 0))
    axes.axis("off")
    words(axes, MARGIN, 0.32, title, size=16, weight="bold")
    words(axes, MARGIN, 0.66, about, color=SOFT)
    room = int((width - 2 * MARGIN) / 0.086)
    for place, line in enumerate(reversed(source.split("\n")[:2])):
        words(axes, MARGIN, height - 0.22 - 0.18 * place, cut(line, room), color=SOFT)
    return Sheet(figure, axes, width, height)


HIDING: dict[str, Any] = {
    "bbox": {"facecolor": "white", "edgecolor": "none", "pad": 0.8}
}  # what is below a text


def words(axes: Axes, x: float, y: float, text: str, size: float = SIZE, **style: Any) -> None:
    """A text on a sheet; `y` is the middle of its capitals."""
    axes.text(x, y + 0.36 * size / 72, literal(text), fontsize=size, **{"color": INK} | style)


def inches(text: str, size: float = SIZE) -> float:
    """The width of a text."""
    return float(TextPath((0, 0), literal(text), size=size).get_extents().width) / 72 if text.strip() else 0.0


def cut(text: str, most: int = LONGEST) -> str:
    """The text, of a long one the first characters."""
    return text if len(text) <= most else f"{text[: most - 1]}…"


def tile(axes: Axes, x: float, y: float, width: float, status: str, bits: float, most: int | None) -> None:
    """A verdict around the height `y`: its sign and its bits, filled as far as these are right."""
    colour, top = VERDICTS.get(status), y - TILE / 2

    def ground(wide: float, **style: Any) -> None:
        axes.add_patch(Rectangle((x, top), wide, TILE, linewidth=0, **style))

    if colour is None:
        axes.add_patch(Rectangle((x, top), width, TILE, facecolor="white", edgecolor=LINE, linewidth=0.8))
    elif status in WRONG:
        ground(width, facecolor=colour)
    else:
        ground(width, facecolor=colour, alpha=0.3)
        ground(width * min(max(bits / most, 0), 1) if most and math.isfinite(bits) else 0, facecolor=colour)
    style: dict[str, Any] = {"color": INK if colour else SOFT}
    if status in WRONG:
        style = {"color": "white", "weight": "bold"}
    if status != "agrees":
        words(axes, x + 0.04, y, WORDS.get(status, WORDS["error"])[1], **style)
    if math.isfinite(bits):
        words(axes, x + width - 0.05, y, f"{min(max(bits, 0), 999):.0f}", ha="right", **style)


def key(axes: Axes, x: float, y: float, looks: Iterable[Look], *, ring: bool, hollow: bool) -> None:
    """What the marks mean: the shape and the colour of each framework, a ring, and a hollow mark."""
    entries: list[tuple[str, dict[str, Any]]] = [
        (each.name, {"marker": each.marker, "color": each.color, "markersize": 8 * EVEN.get(each.marker, 1)})
        for each in looks
    ]
    round_mark = {"marker": "o", "color": SOFT, "markerfacecolor": "white"}
    entries += [("a known departure", {**RINGED, "markersize": 11})] if ring else []
    entries += [("bound by dispatch: what a call costs at any size", round_mark)] if hollow else []
    for name, style in entries:
        axes.plot([x + 0.08], [y], linestyle="", **{"markersize": 8} | style)
        words(axes, x + 0.24, y, cut(name, 60))
        x += 0.24 + inches(cut(name, 60)) + 0.3


RINGED: dict[str, Any] = {
    "marker": "o", "color": RING, "markerfacecolor": "none", "markersize": 14, "markeredgewidth": 1.8,
}  # fmt: skip


def mark(axes: Axes, x: float, y: float, look: Look, *, ring: bool, hollow: bool, size: float = 9) -> None:
    """A framework's mark, ringed where it departs, and hollow where dispatch bounds its time."""
    if ring:
        axes.plot([x], [y], linestyle="", zorder=3, clip_on=False, **RINGED)
    edge = {"markeredgecolor": look.color, "markeredgewidth": 1.5} if hollow else {"markeredgecolor": "white"}
    face = "white" if hollow else look.color
    even = size * EVEN.get(look.marker, 1)
    axes.plot([x], [y], look.marker, markersize=even, markerfacecolor=face, zorder=4, clip_on=False, **edge)


def short_titles(titles: Sequence[str]) -> list[str]:
    """Each title up to its first comma, or as far as it takes to tell it from the others."""
    found = []
    for title in titles:
        parts = title.split(", ")
        others = [each for each in titles if each != title]
        lengths = range(1, len(parts) + 1)
        begun = (", ".join(parts[:length]) for length in lengths)
        own = (each for each in begun if not any(f"{other}, ".startswith(f"{each}, ") for other in others))
        found.append(next(own, title))
    return found


def save(figure: Figure, folder: Path, name: str, kinds: Sequence[str] = ("png", "svg")) -> list[Path]:
    """Write a figure in these formats, each file whole or not at all; equal figures give equal bytes."""
    how: dict[str, dict[str, Any]] = {
        "png": {"dpi": DOTS, "metadata": {"Software": None}},
        "svg": {"metadata": {"Date": None}},
    }
    files = []
    for kind in kinds:
        file = folder / f"{name}.{kind}"
        with matplotlib.rc_context(STYLE), whole(file) as partial:
            figure.savefig(partial, format=kind, **how[kind])
        files.append(file)
    return files
