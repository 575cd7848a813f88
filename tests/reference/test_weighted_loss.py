"""Losses with weights: gradients against finite differences, values against loops."""

import numpy as np
import pytest

from reference import weighted_loss
from suites.weighted_loss import DIVERGENCES, HUBERS, LOGISTIC, SIZES, SOME, SQUARES, inputs, kl_inputs
from tests.differences import check_dtype, check_vjp

HOW = ("axis", "reduction", "smoothing", "delta")
CASES = [
    (name, draw, more, option)
    for name, draw, more, options in (
        ("squared", inputs, {}, SQUARES),
        ("huber", inputs, {}, HUBERS),
        ("logistic", inputs, {"binary": True}, LOGISTIC),
        ("kl", kl_inputs, {}, DIVERGENCES | SOME),
        ("kl_floored", kl_inputs, {"floored": True}, DIVERGENCES),
    )
    for option in options.values()
]


@pytest.mark.parametrize(
    ("name", "draw", "more", "option"), CASES, ids=lambda each: getattr(each, "__name__", str(each))
)
def test_the_gradient_is_that_of_finite_differences(name, draw, more, option):
    f, f_vjp = (getattr(weighted_loss, f"weighted_{name}{end}") for end in ("", "_vjp"))
    data = draw(np.random.default_rng(1), **SIZES["small"], **more, **option)[1]
    if "q" in data:  # no small ones, where differences are rough
        data["q"] = 0.2 + data["q"]
    how = {key: value for key, value in option.items() if key in HOW}
    fixed = ("p", "w") if "kl" in name else ("y", "w", "v")
    check_vjp(f, f_vjp, data, fixed=fixed, options=how, rng=np.random.default_rng(2), rtol=1e-8)
    check_dtype(f, f_vjp, data, options=how)


def test_the_mean_divides_by_the_number_and_the_weighted_mean_by_the_weights():
    p, y, w = np.array([1.0, 2.0, 4.0]), np.zeros(3), np.array([1.0, 0.0, 0.5])
    assert weighted_loss.weighted_squared(p, y, w) == pytest.approx(3.0)
    assert weighted_loss.weighted_squared(p, y, w, reduction="weighted mean") == pytest.approx(6.0)
    assert weighted_loss.weighted_squared(p, y, w, reduction="sum") == pytest.approx(9.0)


def test_an_axis_is_averaged_before_the_weights_and_summed_in_a_divergence():
    rng = np.random.default_rng(3)
    p, y = rng.normal(size=(2, 4, 3))
    w = rng.uniform(1, 2, size=4)
    rows = [sum((p[i] - y[i]) ** 2) / 3 * w[i] for i in range(4)]
    got = weighted_loss.weighted_squared(p, y, w, axis=-1, reduction="none")
    np.testing.assert_allclose(got, rows, rtol=1e-14)
    z, q = np.log(rng.dirichlet(np.ones(3), size=4)), rng.dirichlet(np.ones(3), size=4)
    columns = [sum(q[:, j] * (np.log(q[:, j]) - z[:, j])) for j in range(3)]
    got = weighted_loss.weighted_kl(z, q, axis=0, reduction="none")
    np.testing.assert_allclose(got, columns, rtol=1e-13)
