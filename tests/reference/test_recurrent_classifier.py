"""The classifier of sequences: each alone and cut to its length, with stacked layers; and its gradient."""

import numpy as np
import pytest

from reference.gru import gru
from reference.lstm import lstm
from reference.recurrent_classifier import recurrent_classifier, recurrent_classifier_vjp
from suites import recurrent_classifier as page
from tests.differences import check_dtype, check_vjp

SIZE = {"batch": 4, "time": 6, "vocabulary": 9, "width": 3, "hidden": 4, "depth": 2, "classes": 3}
KINDS = [(kind, directions) for kind in ("lstm", "gru") for directions in (1, 2)]


def given(kind, directions, **more):
    rng = np.random.default_rng(2)
    return rng, *page.inputs(rng, **SIZE | more, kind=kind, directions=directions)


@pytest.mark.parametrize(("kind", "directions"), KINDS)
def test_each_sequence_is_classified_as_if_it_were_alone(kind, directions):
    _, weights, data = given(kind, directions)
    found, losses = recurrent_classifier(**data, **weights, kind=kind), []
    for row, (ids, length, label) in enumerate(zip(*data.values(), strict=True)):
        x = weights["E"][ids[:length]][None]
        layer = {"lstm": lstm, "gru": gru}[kind]
        z = layer(x, weights["layers"], last=True) @ weights["head"]["W"] + weights["head"]["b"]
        np.testing.assert_allclose(found["z"][row], z[0], rtol=1e-12)
        losses.append(-np.log(np.exp(z[0, label]) / np.exp(z[0]).sum()))
    np.testing.assert_allclose(found["loss"], np.mean(losses), rtol=1e-12)


@pytest.mark.parametrize(("kind", "directions"), KINDS)
def test_the_gradient_is_that_of_finite_differences(kind, directions):
    rng, weights, data = given(kind, directions)
    how = {"options": {"kind": kind}}
    check_vjp(recurrent_classifier, recurrent_classifier_vjp, weights | data, rng=rng, **how)
    check_dtype(recurrent_classifier, recurrent_classifier_vjp, weights | data, **how)


def test_a_word_behind_the_end_changes_nothing_and_has_no_gradient():
    _, weights, data = given("lstm", 2)
    weights["E"] = np.append(weights["E"], np.full((1, SIZE["width"]), 100.0), axis=0)
    before = recurrent_classifier(**data, **weights)
    for row, length in enumerate(data["lengths"]):
        data["ids"][row, length:] = SIZE["vocabulary"]
    after = recurrent_classifier(**data, **weights)
    assert (data["ids"] == SIZE["vocabulary"]).any()
    for name in before:
        np.testing.assert_array_equal(before[name], after[name])
    dE = recurrent_classifier_vjp({"z": before["z"], "loss": np.float64(1)}, **data, **weights)["E"]
    assert not dE[-1].any() and dE[:-1].any()
