"""The work of a call, for any framework: flops of the formula, and the fewest bytes that it can move."""

import math
from typing import Any

import numpy as np

from bench import pages
from bench.cells.cell import Cell
from bench.size import dims
from bench.tree import Tree, flatten

# a gradient has two products for each product of the forward pass
PASSES = {"forward": 1, "gradient": 3, "training": 1}


def flops(cell: Cell) -> float:
    """Floating-point operations of one call of this cell, as its page states them."""
    case = pages.case(cell.case)
    return PASSES[cell.direction] * float(case.flops(**dims(case, cell.size), **case.options[cell.option]))


def traffic(*trees: Tree) -> int:
    """The fewest bytes that a call can move: the sum over the trees that it reads and those that it writes.

    An array counts once for each tree that has it: forward ``traffic(params, data, outputs)``; with a
    gradient also cotangents and gradients; a training step ``traffic(params, state, batch, params, state,
    loss)``. A leaf counts if it has `nbytes`, or `shape` and `dtype`; a Python number counts nothing.
    """
    return sum(_bytes(leaf) for tree in trees for leaf in flatten(tree).values())


def _bytes(leaf: Any) -> int:
    if hasattr(leaf, "nbytes"):
        return int(leaf.nbytes)
    if hasattr(leaf, "shape") and hasattr(leaf, "dtype"):
        return math.prod(map(int, leaf.shape)) * _width(leaf.dtype)
    return 0


def _width(dtype: Any) -> int:
    """Bytes per element: NumPy and torch dtypes have `itemsize`, TensorFlow's `size`; Keras uses names."""
    found = getattr(dtype, "itemsize", None) or getattr(dtype, "size", None)
    return int(found) if found else np.dtype(dtype).itemsize
