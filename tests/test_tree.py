from collections import namedtuple

import pytest

from bench.tree import flatten, tree_map

Pair = namedtuple("Pair", "left right")
TREE = {"a": [1, {"b": 2}], "c": Pair(3, None), "d": ()}


def test_flatten_names_leaves_by_their_path():
    assert flatten(TREE) == {"a.0": 1, "a.1.b": 2, "c.left": 3}


def test_a_bare_leaf_has_the_given_path():
    assert flatten(5) == {"": 5}
    assert flatten(5, "y") == {"y": 5}


def test_tree_map_keeps_the_shape_and_the_classes():
    assert tree_map(lambda leaf: -leaf, TREE) == {"a": [-1, {"b": -2}], "c": Pair(-3, None), "d": ()}
    assert isinstance(tree_map(str, TREE)["c"], Pair)


@pytest.mark.parametrize("empty", [None, {}, [], ()])
def test_an_empty_tree_has_no_leaves(empty):
    assert flatten(empty) == {}
