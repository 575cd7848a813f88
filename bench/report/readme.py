"""The tables of README.md and docs/, made from the code and a run: ``python -m bench.report.readme RUN``."""

import math
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from bench import pages
from bench.backends import SHIPPED
from bench.digits import count, digits
from bench.report.inventory import meanings, rules
from bench.report.overview import least
from bench.report.table import GLYPHS, Table, markdown

if TYPE_CHECKING:
    from pandas import DataFrame

# the pages of the README's table; docs/results.md has all
HEADLINE = (
    "linear_regression", "logistic_regression", "gradient_descent", "batch_gradient_descent", "adam",
    "cross_entropy", "softmax", "layer_norm", "embedding", "attention", "transformer", "rnn", "lstm", "cnn",
)  # fmt: skip

ORDER = ("absent", "missing", "agrees", "limited", "imprecise", "mistrusted", "error", "disagrees")


def fill(text: str, blocks: dict[str, str]) -> str:
    """Replace the text between ``<!-- name -->`` and ``<!-- /name -->``, for each name.

    Raises ValueError if a marker is missing.
    """
    for name, block in blocks.items():
        start, end = f"<!-- {name} -->\n", f"<!-- /{name} -->"
        before, opened, rest = text.partition(start)
        _, closed, after = rest.partition(end)
        if not (opened and closed):
            raise ValueError(f"readme: got no <!-- {name} --> … <!-- /{name} -->, should be one; put it back")
        text = f"{before}{start}\n{block}\n{end}{after}"
    return text


def words() -> dict[str, dict[str, str]]:
    """The blocks that come from the code, by file."""
    tables = [replace(each, level=2) for each in meanings() if isinstance(each, Table)]
    blocks = {name: markdown([table]) for name, table in zip(("statuses", "columns"), tables, strict=True)}
    listed = markdown([replace(each, level=3) for each in rules() if isinstance(each, Table)])
    return {"docs/rows.md": blocks, "docs/extending.md": {"rules": listed}}


def figures(rows: "DataFrame", run: str, machine: str) -> dict[str, dict[str, str]]:
    """The blocks that come from the rows of a run on a machine, by file."""
    page = {case.name: pages.page(case).rpartition(".")[2] for case in pages.cases().values()}
    counted = (rows.dtype == "float32") | (rows.status == "missing")  # a missing cell has one dtype for all
    rows = rows[rows.case.isin(page) & counted].assign(page=rows.case.map(page))
    few = overview(rows, f"{run}, {machine}", HEADLINE)
    return {
        "README.md": {"table": markdown([few])},
        "docs/results.md": {"table": markdown([overview(rows, f"{run}, {machine}")])},
    }


def overview(rows: "DataFrame", source: str, names: Sequence[str] = ()) -> Table:
    """One line per page: the worst status, the fewest correct bits, a speed as a ratio; then a count."""
    lines = {name: _cells(mine) for name, mine in rows.groupby("page", sort=True)}
    shown = [(str(name).replace("_", " "), *lines[name]) for name in names or lines]
    every = (f"all {len(lines)} pages", *map(_count, zip(*lines.values(), strict=True)))
    return Table(TITLE, ("formula", *SHIPPED), [*shown, every], note=f"{NOTE} Source: {source}.", level=2)


TITLE = "Agreement, correct bits and relative time in float32"
NOTE = (
    "✓: every API, option and mode of the framework agrees with the reference on all inputs, including "
    "ill-conditioned ones. L: at least one departs for a known, documented reason. m: no build for this "
    "framework. bits: the fewest correct bits, of float32's 24. ×: time of the gradient or of a training "
    "step on the small size, in the fastest API and mode that the run timed, as a multiple of the fastest "
    "framework; at this size the overhead of a call counts most."
)


def _count(cells: Sequence[str]) -> str:
    """How many entries of a column have each status: ``58 ✓, 4 L``."""
    found = Counter(cell.partition(" ")[0] for cell in cells)
    return ", ".join(f"{found[glyph]} {glyph}" for glyph in GLYPHS.values() if found[glyph])


def _cells(rows: "DataFrame") -> list[str]:
    timed = rows[rows.median_s.notna() & (rows.direction != "forward")]
    shown = timed[timed.case == next(iter(timed.case), "")]
    return [
        _cell(rows[rows.backend == name], shown[shown.backend == name], shown.median_s.min())
        for name in SHIPPED
    ]


def _cell(rows: "DataFrame", timed: "DataFrame", best: float) -> str:
    if rows.empty or set(rows.status) == {"absent"}:
        return GLYPHS["absent"]
    parts = [GLYPHS[max(rows.status, key=ORDER.index)]]
    if math.isfinite(bits := least(rows).min()):
        parts.append(f"{max(bits, 0):.0f} bits")
    if len(timed):
        times = timed.median_s.min() / best
        parts.append(f"{digits(times)}×" if times > 1 else "1×")
    return " ".join(parts)


def blocks(run: Path, name: str) -> dict[str, dict[str, str]]:
    """Every block by file and name, from the code and the run in the folder `run`, shown as `name`."""
    from bench.store.rows import load, record

    found = words()
    machine = record(run, "machine")
    where = f"{machine.get('cpu', 'unknown CPU')}, {count(machine.get('cores', 0), 'core')}"
    for file, more in figures(load(run), name, where).items():
        found[file] = found.get(file, {}) | more
    return found


def main(root: Path, run: Path) -> None:
    """Fill the files below `root` from the run in the folder `run`."""
    for file, found in blocks(run, run.as_posix()).items():
        path = root / file
        path.write_text(fill(path.read_text(encoding="utf-8"), found), encoding="utf-8")


if __name__ == "__main__":
    main(Path(), Path(sys.argv[1]))
