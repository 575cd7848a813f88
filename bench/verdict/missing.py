"""The row of a cell that nobody has built: its backend has no contender on that page."""

from bench import pages
from bench.backends import backend
from bench.cells.cell import Cell
from bench.store.row import Row
from bench.verdict.row import row_of


def missing(cell: Cell) -> Row | None:
    """That row, for which no framework is asked; None for a cell that has a build, or names one.

    A direction that the backend has not is absent, in its own words.
    """
    found = backend(cell.backend)
    if cell.contender != found.name or found.contenders(pages.case(cell.case)):
        return None
    if cell.direction in found.without:
        return row_of(cell.unit, cell.direction, status="absent", why=found.without[cell.direction])
    why = f"no build of {found.name} is on this page, should be a Contender there or one of its own builds"
    return row_of(cell.unit, cell.direction, status="missing", why=why)
