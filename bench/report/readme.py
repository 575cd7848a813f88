"""The README's marked places, filled from the code and a run: ``python -m bench.report.readme RUN``."""

import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from bench import pages
from bench.backends import SHIPPED
from bench.digits import digits
from bench.report.inventory import meanings
from bench.report.table import GLYPHS, Table, markdown

if TYPE_CHECKING:
    from pandas import DataFrame

ORDER = ("absent", "missing", "agrees", "limited", "imprecise", "mistrusted", "error", "disagrees")


def fill(text: str, blocks: dict[str, str]) -> str:
    """`text` with what stands between ``<!-- name -->`` and ``<!-- /name -->`` replaced.

    Raises ValueError where a place is not there.
    """
    for name, block in blocks.items():
        start, end = f"<!-- {name} -->\n", f"<!-- /{name} -->"
        before, opened, rest = text.partition(start)
        _, closed, after = rest.partition(end)
        if not (opened and closed):
            raise ValueError(f"readme: got no <!-- {name} --> … <!-- /{name} -->, should be one; put it back")
        text = f"{before}{start}\n{block}\n{end}{after}"
    return text


def words() -> dict[str, str]:
    """The blocks that come from the code."""
    tables = [replace(each, level=3) for each in meanings() if isinstance(each, Table)]
    return {name: markdown([table]) for name, table in zip(("statuses", "columns"), tables, strict=True)}


def overview(rows: "DataFrame", run: str) -> Table:
    """One line a page, in float32: the worst status, the fewest effective bits, and a speed as a ratio."""
    page = {case.name: pages.page(case).rpartition(".")[2] for case in pages.cases().values()}
    rows = rows[rows.case.isin(page) & (rows.dtype == "float32")].assign(page=rows.case.map(page))
    lines = [(str(name).replace("_", " "), *_cells(mine)) for name, mine in rows.groupby("page", sort=True)]
    note = (
        f"From {run}. Status: the worst over every option, contender and mode. Bits: the fewest, of 24. "
        "×: the time of the gradient or training step of the page's first formula, in the backend's fastest "
        "contender and mode, as a multiple of the fastest of all."
    )
    return Table("float32", ("page", *SHIPPED), lines, note=note, level=3)


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
    if rows.bits.notna().any():
        parts.append(f"{rows.bits.min():.0f}")
    if len(timed):
        times = timed.median_s.min() / best
        parts.append(f"×{digits(times)}" if times > 1 else "×1")
    return " ".join(parts)


def main(readme: Path, run: Path) -> None:
    """Fill the README at `readme` from the run in the folder `run`."""
    from bench.store.results import load

    blocks = {"table": markdown([overview(load(run), run.as_posix())]), **words()}
    readme.write_text(fill(readme.read_text(encoding="utf-8"), blocks), encoding="utf-8")


if __name__ == "__main__":
    main(Path("README.md"), Path(sys.argv[1]))
