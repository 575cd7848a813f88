"""The coordinates of the suite, and the selection of them for a run."""

from bench.cells.cell import Cell as Cell
from bench.cells.selection import Selection as Selection
from bench.cells.selection import cells as cells
from bench.cells.selection import timed as timed
