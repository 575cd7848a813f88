"""Mu-law companding: the paper's formula in decimals, ties, and codes that come back."""

import mpmath
import numpy as np
import pytest

from reference.mu_law import companded, mu_law, mu_law_inverse
from tests.differences import check_dtype


@pytest.mark.parametrize("mu", [1, 15, 255])
def test_every_code_comes_back(mu):
    codes = np.arange(mu + 1.0)
    assert np.array_equal(mu_law(mu_law_inverse(codes, mu=mu), mu=mu), codes)


def test_silence_has_the_upper_of_two_codes_and_the_ends_have_the_first_and_the_last():
    assert mu_law(np.array([-1.0, 0.0, -0.0, 1.0])).tolist() == [0, 128, 128, 255]
    assert mu_law(np.array([0.0]), mu=15).tolist() == [8]


@pytest.mark.parametrize("mu", [15, 255])
def test_a_code_is_that_of_the_law_rounded_half_up(mu):
    x = np.random.default_rng(1).uniform(-1, 1, size=200)
    law = np.sign(x) * np.log1p(mu * np.abs(x)) / np.log1p(mu)
    assert np.array_equal(mu_law(x, mu=mu), np.floor((law + 1) / 2 * mu + 0.5))


def test_a_sample_is_exact_to_a_few_roundings_near_silence_too():
    codes = np.arange(256.0)
    with mpmath.workdps(40):
        y = [(2 * mpmath.mpf(k) - 255) / 255 for k in range(256)]
        want = [mpmath.sign(each) * (mpmath.power(256, abs(each)) - 1) / 255 for each in y]
        error = [abs(got / should - 1) for got, should in zip(mu_law_inverse(codes), want, strict=True)]
    assert max(error) < 8 * 2.0**-53


def test_float32_stays_float32():
    rng = np.random.default_rng(2)
    given = {"x": rng.uniform(-1, 1, size=(2, 9)), "codes": rng.integers(0, 256, size=(2, 9)).astype(float)}
    check_dtype(companded, None, given)
