"""Loss curves: one drawing per training case, the reference first and the frameworks over it."""

import math
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bench.report.table import Figure
from bench.store.results import numbered, whole
from bench.store.row import plain

STYLES = ("-", "--", "-.", ":")  # curves that agree lie on each other


def draw(curves: Sequence[Mapping[str, Any]], folder: Path) -> list[Figure]:
    """Draw the curves of each (case, option, regime, size, dtype) into an SVG in `folder`."""
    groups: dict[str, list[Mapping[str, Any]]] = {}
    for curve in curves:
        if _losses(curve):
            words = (
                plain(str(curve.get(name, ""))) for name in ("case", "option", "regime", "size", "dtype")
            )
            groups.setdefault(
                " ".join(word for word in words if word not in ("", "plain", "typical")), []
            ).append(curve)
    figures: dict[str, Figure] = {}
    for title, group in groups.items():
        name = f"curve-{re.sub(r'[^a-z0-9]+', '-', title.lower()).strip('-')[:80]}"
        file = next(f"{each}.svg" for each in numbered(name) if f"{each}.svg" not in figures)
        _draw(title, group, folder / file)
        figures[file] = Figure(f"Loss of {title}", file)
    return list(figures.values())


def _draw(title: str, curves: Sequence[Mapping[str, Any]], file: Path) -> None:
    import matplotlib
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure as Drawing

    with matplotlib.rc_context({"svg.hashsalt": "gaugeblock"}):
        drawing = Drawing(figsize=(8, 4), layout="constrained")
        FigureCanvasAgg(drawing)
        axes = drawing.subplots()
        first = sorted(curves, key=lambda curve: curve.get("backend") != "numpy")
        for number, curve in enumerate(first):
            reference = number == 0 and curve.get("backend") == "numpy"
            losses = _losses(curve)
            axes.plot(
                range(len(losses)),
                losses,
                STYLES[number % len(STYLES)],
                color="black" if reference else f"C{(number - 1) % 10}",
                linewidth=3 if reference else 1.2,
                alpha=0.4 if reference else 1,
                label=literal(f"{curve.get('contender', '')} {curve.get('mode', '')}"),
            )
        every = [loss for curve in curves for loss in _losses(curve) if math.isfinite(loss)]
        if every and min(every) > 0 and max(every) > 20 * min(every):
            axes.set_yscale("log")
        axes.set(title=literal(title), xlabel="step", ylabel="loss")
        axes.spines[["top", "right"]].set_visible(False)
        axes.legend(frameon=False, fontsize="small")
        with whole(file) as partial:
            drawing.savefig(partial, format="svg", metadata={"Date": None})


def literal(text: str) -> str:
    """The text, escaped so that matplotlib does not read it as mathematics."""
    return plain(text).replace("$", r"\$")


def _losses(curve: Mapping[str, Any]) -> list[float]:
    found = curve.get("loss")
    if not isinstance(found, list):
        return []
    return [float(loss) if type(loss) in (int, float) and abs(loss) < 2**1000 else math.nan for loss in found]
