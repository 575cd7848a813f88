"""One coordinate of the suite, and which of them a run has."""

from bench.cells.cell import Cell as Cell
from bench.cells.selection import Selection as Selection
from bench.cells.selection import cells as cells
from bench.cells.selection import timed as timed
