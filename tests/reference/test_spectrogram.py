"""Spectrogram, windows, mel bands and cepstrum: against SciPy, by hand, and by finite differences."""

import numpy as np
import pytest
import scipy.fft
import scipy.signal

from reference.mel import cepstrum, cepstrum_vjp, log_mel, log_mel_vjp, mel_bands
from reference.spectrogram import circle, fourier, spectrogram, spectrogram_vjp
from reference.window import KINDS, window, windowed, windowed_vjp
from tests.differences import check_dtype, check_vjp

OPTIONS = {
    "plain": {},
    "apart": {"shift": 1.5},
    "zeros-after": {"padded": "after"},
    "zeros-around": {"padded": "around"},
    "centered": {"centered": True},
    "centered-around": {"centered": True, "padded": "around"},
    "ends": {"ends": True},
    "ends-after": {"ends": True, "padded": "after", "shift": 0.9},
    "two-sided": {"sides": 2},
    "orthonormal": {"scale": "orthonormal"},
    "by-window": {"scale": "window"},
}


def given(t=41, l=12):
    rng = np.random.default_rng(3)
    return rng, {"x": rng.normal(size=(2, t)), "window": rng.uniform(0.1, 1, size=l)}


def by_frames(x, window, *, shift=0.4, padded="", centered=False, ends=False, sides=1, scale=1):
    """X of one signal, frame by frame, from NumPy's transform."""
    l = len(window)
    N = next(2**e for e in range(20) if 2**e >= l) if padded else l
    hop, first = round(shift * l), (N - l) // 2 if padded == "around" else 0
    if centered:
        x = np.pad(x, N // 2, mode="reflect")
    long = N if padded == "around" else l
    starts = range(0, len(x), hop) if ends else range(0, len(x) - long + 1, hop)
    x = np.pad(x, (0, 2 * N))
    transform = np.fft.fft if sides == 2 else np.fft.rfft
    s = {"orthonormal": N**-0.5, "window": 1 / window.sum()}.get(scale, scale)
    return np.array([s * transform(x[at + first : at + first + l] * window, N) for at in starts])


@pytest.mark.parametrize("option", OPTIONS.values(), ids=OPTIONS)
def test_each_frame_has_the_spectrum_that_numpy_gives(option):
    _, data = given()
    found = spectrogram(**data, **option)
    for n, x in enumerate(data["x"]):
        X = by_frames(x, data["window"], **option)
        if option.get("padded") == "around":  # whose phase counts from the first zero
            N = 16
            k = np.arange(X.shape[1])
            X = X * np.exp(-2j * np.pi * k * ((N - 12) // 2) / N)
        np.testing.assert_allclose(found["real"][n] + 1j * found["imag"][n], X, atol=1e-13)
        np.testing.assert_allclose(found["power"][n], abs(X) ** 2, atol=1e-12)


@pytest.mark.parametrize("option", OPTIONS.values(), ids=OPTIONS)
@pytest.mark.parametrize("l", [12, 7])
def test_the_gradient_of_a_spectrogram_is_that_of_finite_differences(option, l):
    rng, data = given(l=l)
    check_vjp(spectrogram, spectrogram_vjp, data, fixed=["window"], options=option, rng=rng, rtol=1e-8)
    check_dtype(spectrogram, spectrogram_vjp, data, options=option)


@pytest.mark.parametrize("n", [1, 2, 3, 7, 12, 16, 45, 400, 1024])
def test_a_transform_of_any_length_is_scipys(n):
    u = np.random.default_rng(4).normal(size=(3, n))
    re, im = fourier(u, n)
    np.testing.assert_allclose(re + 1j * im, scipy.fft.fft(u), atol=2e-15 * n)


def test_a_circle_is_exact_at_its_quarters():
    c, s = circle(np.arange(-4, 5) * 3, 12)
    assert c.tolist() == [1, 0, -1, 0, 1, 0, -1, 0, 1]
    assert s.tolist() == [0, 1, 0, -1, 0, 1, 0, -1, 0]
    j = np.arange(48)
    np.testing.assert_allclose(circle(j, 48)[0], np.cos(2 * np.pi * j / 48), atol=1e-15)


@pytest.mark.parametrize("periodic", [True, False])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("l", [1, 2, 16, 45])
def test_a_window_is_scipys(kind, periodic, l):
    want = scipy.signal.get_window(kind, l, fftbins=periodic)
    np.testing.assert_allclose(window(np.ones(l), kind=kind, periodic=periodic), want, atol=4e-16)


def test_the_gradient_of_a_windowed_frame_is_the_window():
    rng, data = given()
    option = {"kind": "blackman", "periodic": False}
    check_vjp(windowed, windowed_vjp, {"x": data["x"]}, options=option, rng=rng)
    check_dtype(windowed, windowed_vjp, {"x": data["x"]}, options=option)


def test_mel_bands_are_triangles_that_meet_in_their_tips():
    M = mel_bands(257, 40, rate=16000, low=20, high=8000)
    assert M.shape == (257, 40) and np.all(M[0] == 0) and M.min() == 0 and M.max() <= 1
    f = np.linspace(0, 8000, 257)
    inside = (f > 700 * np.expm1(np.linspace(np.log1p(20 / 700), np.log1p(8000 / 700), 42)[1])) & (f < 7500)
    np.testing.assert_allclose(M.sum(axis=1)[inside], 1, atol=1e-12)


def test_the_cepstrum_is_a_cosine_transform_by_the_htk_book():
    y = np.random.default_rng(5).normal(size=(2, 3, 20))
    want = scipy.fft.dct(y, type=2) / np.sqrt(2 * 20)
    np.testing.assert_allclose(cepstrum(y), want, atol=1e-14)
    np.testing.assert_allclose(cepstrum(y, keep=13), want[..., :13], atol=1e-14)


def test_the_gradients_of_features_are_those_of_finite_differences():
    rng = np.random.default_rng(6)
    power = rng.uniform(0.1, 2, size=(2, 3, 17))
    data = {"power": power, "bands": mel_bands(17, 6, rate=8000, low=100, high=3800)}
    check_vjp(log_mel, log_mel_vjp, data, fixed=["bands"], rng=rng)
    check_dtype(log_mel, log_mel_vjp, data)
    check_vjp(cepstrum, cepstrum_vjp, {"y": power}, options={"keep": 5}, rng=rng)
    check_dtype(cepstrum, cepstrum_vjp, {"y": power}, options={"keep": 5})
