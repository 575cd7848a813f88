"""Trees of arrays: nested dicts, lists and tuples, flattened to one dict with dotted paths."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

Tree = Any


def flatten(tree: Tree, path: str = "") -> dict[str, Any]:
    """Every leaf of `tree` by its dotted path: ``{"layers": [{"W": w}]}`` gives ``{"layers.0.W": w}``.

    None is an empty tree. A bare leaf has the path ``path``.
    """
    return dict(_leaves(tree, path))


def _leaves(tree: Tree, path: str) -> Iterator[tuple[str, Any]]:
    if tree is None:
        return
    branches: Any
    if isinstance(tree, dict):
        branches = tree.items()
    elif isinstance(tree, list | tuple):
        names = getattr(tree, "_fields", range(len(tree)))
        branches = zip(names, tree, strict=True)
    else:
        yield path, tree
        return
    for name, branch in branches:
        yield from _leaves(branch, f"{path}.{name}" if path else str(name))


def floating(leaf: Any) -> bool:
    """Whether a leaf holds floating numbers; to NumPy bfloat16 is an extension type of no kind."""
    return isinstance(leaf, np.ndarray | np.generic) and (
        leaf.dtype.kind == "f" or leaf.dtype.name == "bfloat16"
    )


def tree_map(function: Callable[[Any], Any], tree: Tree) -> Tree:
    """The same tree with `function` applied to each leaf; namedtuples keep their class."""
    if tree is None:
        return None
    if isinstance(tree, dict):
        return {name: tree_map(function, branch) for name, branch in tree.items()}
    if isinstance(tree, tuple) and hasattr(tree, "_fields"):
        return type(tree)(*(tree_map(function, branch) for branch in tree))
    if isinstance(tree, list | tuple):
        return type(tree)(tree_map(function, branch) for branch in tree)
    return function(tree)
