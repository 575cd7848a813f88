"""The least bytes that a call must move."""

from bench.tree import Tree, flatten


def traffic(*trees: Tree) -> int:
    """The bytes of every array in these trees, each once."""
    leaves = [leaf for tree in trees for leaf in flatten(tree).values()]
    return sum(int(leaf.nbytes) for leaf in leaves if hasattr(leaf, "nbytes"))
