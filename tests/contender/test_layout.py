"""The way back from a framework's weights is derived from the way there."""

import numpy as np
import pytest

from bench.contender.layout import layout


def weights():
    rng = np.random.default_rng(0)
    return {
        "W": rng.normal(size=(3, 4)),
        "cells": [{"b": rng.normal(size=(2,))}, {"b": rng.normal(size=(2,))}],
    }


def rearranged(tree):
    biases = [cell["b"] for cell in tree["cells"]]
    return {"weight": tree["W"].T, "bias": np.concatenate(biases[::-1]), "unused": np.zeros(3)}


def test_back_undoes_the_build():
    found = layout(rearranged, weights()).back(rearranged(weights()))
    assert set(found) == {"W", "cells.0.b", "cells.1.b"}
    assert np.array_equal(found["W"], weights()["W"])
    assert np.array_equal(found["cells.1.b"], weights()["cells"][1]["b"])


def test_forth_is_the_build():
    places = layout(rearranged, weights())
    there = places.forth(weights())
    for name, array in rearranged(weights()).items():
        assert np.array_equal(there[name], array)


EVEN = {
    "transposed": lambda W: {"w": W.T},
    "flattened": lambda W: {"w": W.ravel()},
    "with an axis more": lambda W: {"w": W[:, None, :]},
    "its last axis first": lambda W: {"w": np.moveaxis(W, -1, 0)},
    "in reverse": lambda W: {"w": W[::-1, ::-1]},
    "halves": lambda W: {"low": W[:2], "high": W[2:, ::-1]},
    "every second column": lambda W: {"even": W[:, ::2], "odd": W[:, 1::2]},
    "single elements": lambda W: {str(place): W[place] for place in np.ndindex(W.shape)},
    "with an empty array": lambda W: {"w": W, "none": W[:0]},
}


@pytest.mark.parametrize("name", EVEN)
def test_elements_that_are_evenly_spaced_are_not_looked_up_one_by_one(name):
    W = np.arange(20.0).reshape(4, 5) ** 2
    places = layout(lambda tree: EVEN[name](tree["W"]), {"W": np.array(W)})
    looked_up = [each.numbers is not None for each in places._away.values() if each.shape[:1] != (0,)]
    assert places.problem is None and not any(looked_up)
    there = places.forth({"W": W})
    assert all(np.array_equal(there[each], array) for each, array in EVEN[name](W).items())
    assert np.array_equal(places.back(there)["W"], W) and all(x.flags.c_contiguous for x in there.values())


def test_elements_in_no_even_order_are_looked_up():
    W, order = np.arange(12.0).reshape(3, 4) ** 2, np.array([2, 0, 1])
    places = layout(lambda tree: {"w": tree["W"][order], "constant": np.zeros((2, 2))}, {"W": W})
    there = places.forth({"W": W})
    assert places.problem is None and np.array_equal(there["w"], W[order]) and not there["constant"].any()
    assert np.array_equal(places.back(there)["W"], W)


def test_counters_travel_forth_and_keep_their_type():
    places = layout(lambda tree: {"step": tree["t"], "count": np.int32(tree["t"])}, {"t": 0})
    there = places.forth({"t": 7})
    assert there == {"step": 7, "count": 7}
    assert isinstance(there["count"], np.int32)


def test_counters_come_back_under_the_reference_s_name_where_they_are_given():
    places = layout(lambda tree: {"step": tree["t"], "w": tree["w"]}, {"t": 0, "w": np.ones(2)})
    assert places.counters({"step": 3.0, "w": np.ones(2)}) == {"t": 3}
    assert places.counters({"w": np.ones(2)}) == {}


@pytest.mark.parametrize(
    ("build", "problem"),
    [
        (lambda tree: {"weight": tree["W"][:2]}, "8 of 16 elements of the weights reach no parameter"),
        (lambda tree: {**rearranged(tree), "W": tree["W"] * 0.5}, "parameters are no element"),
        (lambda tree: {**rearranged(tree), "again": tree["W"]}, "reach more than one parameter"),
        (lambda tree: {**rearranged(tree), "weight": tree["W"][[0, 0, 2]]}, "4 of 16 elements"),
        (lambda tree: {**rearranged(tree), "weight": -tree["W"]}, "12 of 16 elements"),
        (lambda tree: {**rearranged(tree), "weight": tree["W"] + 99}, "12 of 16 elements"),
        (lambda tree: {**rearranged(tree), "weight": tree["W"] * np.nan}, "12 of 16 elements"),
        (lambda tree: {**rearranged(tree), "weight": tree["W"] + 0.25}, "12 of 16 elements"),
    ],
)
def test_a_build_that_does_more_than_rearrange_is_named(build, problem):
    assert problem in str(layout(build, weights()).problem)


def test_a_faithful_build_has_no_problem():
    assert layout(rearranged, weights()).problem is None


def test_a_gradient_of_another_shape_is_refused():
    places = layout(rearranged, weights())
    with pytest.raises(ValueError, match=r"parameter weight: got shape \(3, 4\), should be \(4, 3\)"):
        places.back({**rearranged(weights()), "weight": weights()["W"]})


def test_gradients_keep_their_dtype():
    places = layout(rearranged, weights())
    there = {name: array.astype(np.float32) for name, array in rearranged(weights()).items()}
    assert {array.dtype.name for array in places.back(there).values()} == {"float32"}


def test_a_constant_that_training_moves_is_named():
    places = layout(rearranged, weights())
    there = rearranged(weights())
    assert places.moved(there) is None
    assert places.moved({**there, "unused": np.array([0.0, 1e-9, 0.0])}) == "unused"
