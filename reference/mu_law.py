"""Mu-law companding: samples of sound to whole numbers, finer near silence, and back.

Formula
    F(x) = sign(x) log(1 + μ |x|) / log(1 + μ)
    k = the largest whole number up to μ with k - 1/2 ≤ (F(x) + 1) μ/2          mu_law
    x = F⁻¹(2k/μ - 1),  F⁻¹(y) = sign(y) ((1 + μ)^|y| - 1) / μ                  mu_law_inverse
Shapes
    x : (n, t)    samples between -1 and 1; any shape
    codes : (n, t)    whole numbers from 0 to μ, in the dtype of the samples; any shape
Source
    ITU-T Recommendation G.711, 1988 (the law); its tables are a piecewise linear approximation.
    van den Oord et al. 2016, section 2.2 (the law itself, μ = 255). arXiv:1609.03499
Choices
    Of two numbers equally near the upper one is taken: silence has the code (μ + 1)/2, for an odd μ.
    The place is written μ/2 + F μ/2, which is exact at silence.
    Beyond ±1 there is no code. A code has no gradient.
    2k/μ - 1 is (2k - μ)/μ, and (1 + μ)^|y| - 1 is expm1(|y| log(1 + μ)): both cancel near silence otherwise.
    Conditioning of mu-law/*/forward.x up to 13: a rounding of y is one of the exponent |y| log(1 + μ), which
    enlarges it by up to 5.5.
"""

from math import log1p

import numpy as np


def mu_law(x, *, mu=255):
    """The code k : (n, t) of each sample, as floats."""
    F = np.sign(x) * (np.log1p(mu * np.abs(x)) / log1p(mu))
    place = mu / 2 + mu / 2 * F  # (n, t)
    levels = np.zeros_like(x, shape=(mu + 1,))
    levels[:] = np.arange(mu + 1)
    return np.where(place[..., None] >= np.arange(mu + 1) - 0.5, levels, 0).max(axis=-1)


def mu_law_inverse(codes, *, mu=255):
    """The sample x : (n, t) in the middle of those that have a code."""
    y = (2 * codes - mu) / mu
    return np.sign(y) * (np.expm1(np.abs(y) * log1p(mu)) / mu)


def companded(x, codes, *, mu=255):
    """Both ways: the codes of `x`, and the samples of `codes`."""
    return {"k": mu_law(x, mu=mu), "x": mu_law_inverse(codes, mu=mu)}
