"""Trees of arrays: nested dicts, lists and tuples, flattened to dotted paths or to arrays for a file."""

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

Tree = Any
SHAPE = "tree"  # the name of an array with JSON that describes the tree


def flatten(tree: Tree, path: str = "") -> dict[str, Any]:
    """The leaves of `tree` by dotted path: ``{"layers": [{"W": w}]}`` becomes ``{"layers.0.W": w}``.

    None is an empty tree. The path of a bare leaf is ``path``.
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
    """Whether a leaf is floating point; NumPy does not count bfloat16, an extension type, as kind "f"."""
    return isinstance(leaf, np.ndarray | np.generic) and (
        leaf.dtype.kind == "f" or leaf.dtype.name == "bfloat16"
    )


def tree_map(function: Callable[[Any], Any], tree: Tree) -> Tree:
    """The tree with `function` applied to each leaf; namedtuples keep their class."""
    if tree is None:
        return None
    if isinstance(tree, dict):
        return {name: tree_map(function, branch) for name, branch in tree.items()}
    if isinstance(tree, tuple) and hasattr(tree, "_fields"):
        return type(tree)(*(tree_map(function, branch) for branch in tree))
    if isinstance(tree, list | tuple):
        return type(tree)(tree_map(function, branch) for branch in tree)
    return function(tree)


def to_arrays(tree: Tree) -> dict[str, NDArray[Any]]:
    """Arrays for np.savez without pickle: the leaves by number, and the structure as `SHAPE`.

    Raises TypeError for a namedtuple or a dict whose keys are not strings.
    """
    arrays: dict[str, NDArray[Any]] = {}

    def node(branch: Any) -> Any:
        if isinstance(branch, np.ndarray | np.generic):
            name = str(len(arrays))
            bare = branch.view(np.uint16) if branch.dtype.name == "bfloat16" else branch  # not in NumPy
            arrays[name] = np.require(bare, requirements="C")
            return {"array": name, "dtype": branch.dtype.name, "scalar": isinstance(branch, np.generic)}
        if isinstance(branch, dict) and all(isinstance(name, str) for name in branch):
            return {"dict": {name: node(each) for name, each in branch.items()}}
        if type(branch) in (list, tuple):
            return {type(branch).__name__: list(map(node, branch))}
        if isinstance(branch, dict | tuple):
            raise TypeError(f"tree: got {branch!r:.60}, should be dicts with str keys, lists or plain tuples")
        return branch

    return {SHAPE: np.array(json.dumps(node(tree)))} | arrays


def from_arrays(arrays: Mapping[str, NDArray[Any]]) -> Tree:
    """The tree from the result of `to_arrays`."""

    def tree(node: Any) -> Any:
        match node:
            case {"array": name, "dtype": dtype, "scalar": scalar}:
                found = arrays[name].view(numpy_dtype(dtype))
                return found[()] if scalar else found
            case {"dict": branches}:
                return {name: tree(each) for name, each in branches.items()}
            case {"list": branches}:
                return list(map(tree, branches))
            case {"tuple": branches}:
                return tuple(map(tree, branches))
        return node

    return tree(json.loads(str(arrays[SHAPE])))


def numpy_dtype(name: str) -> Any:
    """The NumPy dtype with that name; bfloat16 comes from ml_dtypes."""
    if name == "bfloat16":
        import ml_dtypes

        return ml_dtypes.bfloat16
    return np.dtype(name)
