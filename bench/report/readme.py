"""Tables and picture of README.md and docs/, from code and a run: ``python -m bench.report.readme RUN``."""

import math
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from bench import pages
from bench.backends import SHIPPED
from bench.case import INTEGERS
from bench.digits import count, seconds
from bench.report.header import setups
from bench.report.inventory import kinds, meanings, rules
from bench.report.overview import least
from bench.report.speeds import multiple, rate, title
from bench.report.table import GLYPHS, Table, markdown
from bench.report.workloads import DISPATCH, leading, speeds
from bench.report.write import read

if TYPE_CHECKING:
    from pandas import DataFrame

# the pages of the README's table, of each its first headline; docs/results.md has all
SHOWN = (
    "linear-regression", "gradient-descent", "embedding-bag", "skip-gram-training", "perceptron",
    "sparse-cross-entropy", "layer-norm", "attention", "transformer-encoder-layer", "transformer", "lstm",
    "lstm-model", "conv2d", "cnn-training", "adam",
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
    made = markdown([replace(kinds(), level=3)])
    return {
        "docs/rows.md": blocks, "docs/extending.md": {"rules": listed}, "docs/verdict.md": {"kinds": made}
    }  # fmt: skip


def figures(rows: "DataFrame", run: str, machine: str) -> dict[str, dict[str, str]]:
    """The blocks that come from the rows of a run on a machine, by file.

    Raises ValueError if the run has no speed of a headline.
    """
    page = {case.name: pages.page(case).rpartition(".")[2] for case in pages.cases().values()}
    counted = (rows.dtype == "float32") | (rows.status == "missing")  # a missing cell has one dtype for all
    rows = rows[rows.case.isin(page) & counted].assign(page=rows.case.map(page))
    source = f"{run}, {machine}"
    every, few = throughput(rows, source), throughput(rows, source, SHOWN)
    return {
        "README.md": {"table": markdown([few])},
        "docs/results.md": {"table": markdown([every, overview(rows, source)])},
    }


def throughput(rows: "DataFrame", source: str, names: Sequence[str] = ()) -> Table:
    """One line per headline, in its main direction; `names` are of the cases whose first headline is shown.

    Raises ValueError if the rows have no speed of a headline.
    """
    timed = speeds(setups(rows).assign(on=""))
    lines = []
    for group in leading(timed):
        top = group.loc[group.median_s.idxmin()]
        if names and (top.case not in names or top.place):
            continue
        same = (rows[WHERE] == top[WHERE]).all(axis=1) & (rows.regime != INTEGERS)
        unbuilt = (rows.case == top.case) & (rows.status == "missing")  # has one row, at the first size
        here = rows[same | unbuilt]
        cells = (_raced(here[here.backend == name], group[group.backend == name]) for name in SHIPPED)
        lines.append((title(group), seconds(top.median_s, top.half), rate(top), *cells))
    if not lines:
        raise ValueError(
            f"readme: got no speed of a headline in {source}, should have some; `pytest suites/` times them"
        )
    return Table(SPEED, ("workload", "time", "rate", *SHIPPED), lines, note=f"{RACED} Source: {source}.")


WHERE = ["case", "size", "device", "direction"]
SPEED = "Throughput and correct bits in float32"
RACED = (
    "time and rate are of the fastest framework, for one call; a gradient includes its forward pass. Each "
    "framework: whether what was timed agrees with the reference (✓; L: it departs for a known, documented "
    "reason), its correct bits, of float32's 24, and its time as a multiple of the fastest. d: dispatch, "
    "what a call costs at any size, is most of that time."
)


def _raced(rows: "DataFrame", timed: "DataFrame") -> str:
    """The fastest speed of a framework with its sign; without a speed, the sign that says why."""
    if timed.empty:
        return GLYPHS[max(rows.status, key=ORDER.index, default="absent")]
    row = timed.loc[timed.median_s.idxmin()]
    found = f"{max(row.bits, 0):.0f} bits" if math.isfinite(row.bits) else ""
    held = " d" if row.bound == DISPATCH else ""
    return " ".join(filter(None, (GLYPHS[row.status], found, f"{multiple(row)}×{held}")))


def overview(rows: "DataFrame", source: str) -> Table:
    """One line per page: the worst status and the fewest correct bits; then a count."""
    lines = {name: _cells(mine) for name, mine in rows.groupby("page", sort=True)}
    shown = [(str(name).replace("_", " "), *cells) for name, cells in lines.items()]
    every = (f"all {len(lines)} pages", *map(_count, zip(*lines.values(), strict=True)))
    return Table(TITLE, ("formula", *SHIPPED), [*shown, every], note=f"{NOTE} Source: {source}.", level=2)


TITLE = "Agreement and correct bits in float32"
NOTE = (
    "✓: every API, option and mode of the framework agrees with the reference on all inputs, including "
    "ill-conditioned ones. L: at least one departs for a known, documented reason. m: no build for this "
    "framework. bits: the fewest correct bits, of float32's 24."
)


def _count(cells: Sequence[str]) -> str:
    """How many entries of a column have each status: ``58 ✓, 4 L``."""
    found = Counter(cell.partition(" ")[0] for cell in cells)
    return ", ".join(f"{found[glyph]} {glyph}" for glyph in GLYPHS.values() if found[glyph])


def _cells(rows: "DataFrame") -> list[str]:
    return [_cell(rows[rows.backend == name]) for name in SHIPPED]


def _cell(rows: "DataFrame") -> str:
    if rows.empty or set(rows.status) == {"absent"}:
        return GLYPHS["absent"]
    bits = least(rows).min()
    return GLYPHS[max(rows.status, key=ORDER.index)] + (
        f" {max(bits, 0):.0f} bits" if math.isfinite(bits) else ""
    )


def blocks(run: Path, name: str) -> dict[str, dict[str, str]]:
    """Every block by file and name, from the code and the run in the folder `run`, shown as `name`."""
    from bench.store.rows import load, record

    found = words()
    machine = record(run, "machine")
    where = f"{machine.get('cpu', 'unknown CPU')}, {count(machine.get('cores', 0), 'core')}"
    for file, more in figures(load(run), name, where).items():
        found[file] = found.get(file, {}) | more
    return found


def picture(root: Path, run: Path) -> Path:
    """Draw the speeds of a run into docs/pictures/speed.svg."""
    from bench.report.pictures.sheet import save
    from bench.report.pictures.speed import speed
    from bench.report.pictures.write import source

    rows, machines, _ = read([run])
    rows = setups(rows)
    folder = root / "docs" / "pictures"
    folder.mkdir(parents=True, exist_ok=True)
    (file,) = save(speed(speeds(rows), source(rows, machines)), folder, "speed", ("svg",))
    return file


def main(root: Path, run: Path) -> None:
    """Fill the files below `root` from the run in the folder `run`, and draw its picture."""
    found = blocks(run, run.as_posix())
    texts = {file: fill((root / file).read_text(encoding="utf-8"), more) for file, more in found.items()}
    for file, text in texts.items():
        (root / file).write_text(text, encoding="utf-8")
    picture(root, run)


if __name__ == "__main__":
    try:
        main(Path(), Path(sys.argv[1]))
    except (ValueError, OSError) as error:
        sys.exit(str(error))
