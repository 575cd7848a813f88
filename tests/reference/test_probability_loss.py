"""Losses of probabilities: gradients against finite differences, values against loops of Python floats."""

from math import log

import numpy as np
import pytest

from reference import probability_loss as loss
from tests.differences import check_dtype, check_vjp

n, c = 7, 5


def draw(name):
    rng = np.random.default_rng(1)
    p = np.exp(0.3 * rng.normal(size=(n, c)))  # no small ones, where differences are rough
    p /= p.sum(axis=-1, keepdims=True) * (1.3 if name == "categorical" else 1)
    y = {"binary": rng.uniform(size=(n, c)), "categorical": rng.dirichlet(np.ones(c), size=n)}
    w = rng.uniform(0.5, 2, size=(n, c) if name == "binary" else n)
    return {"p": p, "y": y.get(name, rng.integers(0, c, size=n)), "w": w}


SETTINGS = [
    (name, {"reduction": reduction} | more)
    for name in ("binary", "categorical", "sparse")
    for reduction in ("mean", "sum", "none")
    for more in (
        {},
        *([{"smoothing": 0.1}] if name != "sparse" else []),
        *([{"convention": "floored"}] if name == "binary" else []),
    )
]


@pytest.mark.parametrize(("name", "option"), SETTINGS, ids=str)
def test_the_gradient_is_that_of_finite_differences(name, option):
    f, f_vjp, given = getattr(loss, name), getattr(loss, f"{name}_vjp"), draw(name)
    check_vjp(f, f_vjp, given, fixed=("y", "w"), options=option, rng=np.random.default_rng(2), rtol=1e-8)
    check_dtype(f, f_vjp, given, options=option)


@pytest.mark.parametrize("name", ["binary", "categorical", "sparse"])
def test_beyond_the_bounds_there_is_no_slope(name):
    given = draw(name)
    given["p"][0] = [0.0, 1.0, 1e-9, 1 - 1e-9, 0.5]
    if name == "categorical":
        given["p"][0] = [0.0, 1.0, 0.0, 0.0, 0.0]
    if name == "sparse":
        given["y"][0] = 2
    grads = getattr(loss, f"{name}_vjp")(1.0, **given)["p"]
    assert not grads[0, :4].any() and np.isfinite(grads).all() and grads[1:].all()


def test_binary_is_the_loop_under_both_conventions():
    a = draw("binary")
    a["p"][0] = [0.0, 1.0, 1e-9, 1e-60, 0.5]
    for convention in ("clipped", "floored"):
        got = loss.binary(**a, reduction="none", convention=convention)
        for i, j in np.ndindex(n, c):
            p, t, w = (a[name][i, j] for name in ("p", "y", "w"))
            if convention == "clipped":
                p = min(max(p, 1e-7), 1 - 1e-7)
                want = -t * log(p) - (1 - t) * log(1 - p)
            else:
                logs = [max(log(q), -100) if q > 0 else -100 for q in (p, 1 - p)]
                want = -t * logs[0] - (1 - t) * logs[1]
            assert got[i, j] == pytest.approx(w * want, rel=1e-12, abs=1e-9)


def test_categorical_and_sparse_are_the_loop():
    a, b = draw("categorical"), draw("sparse")
    dense, sparse = loss.categorical(**a, reduction="none"), loss.sparse(**b, reduction="none")
    for i in range(n):
        q = a["p"][i] / a["p"][i].sum()
        assert dense[i] == pytest.approx(-a["w"][i] * sum(a["y"][i] * np.log(q)), rel=1e-12)
        p = b["p"][i]
        assert sparse[i] == pytest.approx(-b["w"][i] * log(p[b["y"][i]] / p.sum()), rel=1e-12)


def test_smoothing_is_a_mixture_of_targets():
    a = draw("categorical")
    uniform = a | {"y": np.full((n, c), 1 / c)}
    mixed = 0.9 * loss.categorical(**a) + 0.1 * loss.categorical(**uniform)
    assert loss.categorical(**a, smoothing=0.1) == pytest.approx(mixed, rel=1e-12)
