"""Keyword spotting: finite differences, and a network that a spoken word cannot leave unmoved."""

import numpy as np

from reference.keyword_spotting import features, keyword_spotting, keyword_spotting_vjp
from suites.keyword_spotting import SMALL, inputs
from tests.differences import check_dtype, check_vjp

FIXED = ("window", "bands", "mean", "variance")


def given():
    rng = np.random.default_rng(12)
    weights, data = inputs(rng, batch=2, **SMALL)
    return rng, weights | data


def test_the_gradient_is_that_of_finite_differences():
    rng, data = given()
    check_vjp(keyword_spotting, keyword_spotting_vjp, data, fixed=FIXED, rng=rng, rtol=1e-7, samples=8)
    check_dtype(keyword_spotting, keyword_spotting_vjp, data)


def test_a_sound_of_half_the_amplitude_has_a_cepstrum_that_differs_in_the_first_coefficient_alone():
    _, data = given()
    x, window, bands = data["x"], data["window"], data["bands"]
    loud, quiet = (features(each, window, bands)[-1] for each in (4096 * x, 2048 * x))
    change = (loud - quiet)[..., 0]
    np.testing.assert_allclose(change[..., 0], np.log(4) * np.sqrt(2 / 12) * 12, rtol=1e-4)
    assert abs(change[..., 1:]).max() < 1e-3


def test_probabilities_sum_to_one_and_the_loss_is_that_of_the_labels():
    _, data = given()
    found = keyword_spotting(**data)
    np.testing.assert_allclose(found["p"].sum(axis=1), 1)
    chosen = np.take_along_axis(found["p"], data["labels"][:, None], axis=1)
    np.testing.assert_allclose(found["loss"], -np.log(chosen).mean())
