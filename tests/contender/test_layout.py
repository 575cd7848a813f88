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
