"""What a call is given and gives: checksums that show whether it changes its inputs, copies of results."""

import zlib
from collections.abc import Mapping
from typing import Any

import numpy as np

from bench.backends import Backend
from bench.tree import Tree, flatten, tree_map


def bits(engine: Backend, trees: Mapping[str, Tree]) -> dict[str, int]:
    """A checksum of each array, by path."""
    return {
        path: zlib.crc32(np.ascontiguousarray(leaf).reshape(-1).view(np.uint8).data)
        for path, leaf in flatten(engine.get(dict(trees))).items()
        if isinstance(leaf, np.ndarray | np.generic)
    }


def changed(before: Mapping[str, int], after: Mapping[str, int]) -> str:
    """The arrays whose checksum is another one now, in a sentence; empty if there are none."""
    names = [path.replace(".", " ", 1) for path, found in before.items() if after.get(path) != found]
    return f"the call changes {', '.join(names)}, should leave its inputs as they are" if names else ""


def held(tree: Tree) -> Tree:
    """A copy of NumPy arrays: those of a framework may be its own memory, which the next call overwrites."""
    return tree_map(lambda leaf: np.array(leaf) if isinstance(leaf, np.ndarray | np.generic) else leaf, tree)


def astray(one: Mapping[str, Any], other: Mapping[str, Any]) -> str:
    """The first path where the bits differ, or empty."""
    bits = {path: np.asarray(leaf).tobytes() for path, leaf in other.items()}
    return next((path for path, leaf in one.items() if np.asarray(leaf).tobytes() != bits[path]), "")
