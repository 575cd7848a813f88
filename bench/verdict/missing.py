"""The row of a cell without a build: the backend has no contender on the page."""

from bench import pages
from bench.backends import backend
from bench.cells.cell import Cell
from bench.store.row import Row
from bench.verdict.row import row_of


def missing(cell: Cell) -> Row | None:
    """The row, made without a framework; None for a cell that has a build, or names one.

    If the backend does not have the direction, the row is absent with the backend's reason.
    """
    found = backend(cell.backend)
    if cell.contender != found.name or found.contenders(pages.case(cell.case)):
        return None
    if cell.direction in found.without:
        return row_of(cell.unit, cell.direction, status="absent", why=found.without[cell.direction])
    why = f"this page has no build for {found.name}; add a Contender to the page, or a build to the backend"
    return row_of(cell.unit, cell.direction, status="missing", why=why)
