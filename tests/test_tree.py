from collections import namedtuple

import ml_dtypes
import numpy as np
import pytest

from bench.tree import flatten, from_arrays, to_arrays, tree_map

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


@pytest.mark.parametrize(
    "leaf",
    [
        np.arange(6.0).reshape(2, 3).T,
        np.ones((2, 0), ml_dtypes.bfloat16),
        np.array(2.5, ml_dtypes.bfloat16),
        np.array(3),
        np.int64(3),
        np.array([True]),
        1,
        0.1,
        float("inf"),
        "same",
        True,
        None,
    ],
)
def test_a_tree_goes_to_arrays_and_comes_back(leaf):
    tree = {"a": [leaf, {"b": (leaf, ())}], "c": {}}
    found = from_arrays(to_arrays(tree))
    inner = found["a"][1]["b"]
    assert list(found) == ["a", "c"] and found["c"] == {} and type(inner) is tuple and inner[1] == ()
    for back in (found["a"][0], inner[0]):
        assert type(back) is type(leaf)
        assert np.array_equal(back, leaf) and getattr(back, "dtype", 0) == getattr(leaf, "dtype", 0)
        assert np.shape(back) == np.shape(leaf)


@pytest.mark.parametrize("branch", [{0: 1.0}, Pair(1, 2)])
def test_what_would_not_come_back_as_it_was_does_not_go(branch):
    with pytest.raises(TypeError, match="should be dicts with str keys, lists or plain tuples"):
        to_arrays({"a": branch})
