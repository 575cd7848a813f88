"""What a call must do, whoever does it: flops from the formula, and the fewest bytes that it can move."""

import math
from typing import Any

import numpy as np

from bench import pages
from bench.cells.cell import Cell
from bench.size import dims
from bench.tree import Tree, flatten

# a gradient has two products for each of its forward pass
PASSES = {"forward": 1, "gradient": 3, "training": 1}


def flops(cell: Cell) -> float:
    """Floating-point operations of one call of this cell, by its page."""
    case = pages.case(cell.case)
    return PASSES[cell.direction] * float(case.flops(**dims(case, cell.size), **case.options[cell.option]))


def traffic(*trees: Tree) -> int:
    """The fewest bytes that a call must move: of the trees that it reads and of those that it writes.

    Every array counts once for each tree that holds it: forward ``traffic(params, data, outputs)``; with
    a gradient also cotangents and gradients; a training step ``traffic(params, state, batch, params, state,
    loss)``. A leaf is anything with `nbytes`, or with `shape` and `dtype`; another one (a Python number) is
    no array and has none.
    """
    return sum(_bytes(leaf) for tree in trees for leaf in flatten(tree).values())


def _bytes(leaf: Any) -> int:
    if hasattr(leaf, "nbytes"):
        return int(leaf.nbytes)
    if hasattr(leaf, "shape") and hasattr(leaf, "dtype"):
        return math.prod(map(int, leaf.shape)) * _width(leaf.dtype)
    return 0


def _width(dtype: Any) -> int:
    """Bytes of an element; TensorFlow says `size`, and NumPy and torch `itemsize`; Keras has a name."""
    found = getattr(dtype, "itemsize", None) or getattr(dtype, "size", None)
    return int(found) if found else np.dtype(dtype).itemsize
