"""Addition with broadcasting: values against loops, gradients against finite differences."""

import numpy as np
import pytest

from reference.addition import addition, addition_vjp
from suites.addition import OPTIONS, case, inputs
from tests.differences import check_dtype, check_vjp

SIZES = [case.sizes[name] for name in ("small", "different", "one")]


def factor(option):
    return {"alpha": option["alpha"]} if "alpha" in option else {}


@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize("name", OPTIONS)
def test_every_element_is_a_sum_of_the_two_that_stand_there(name, size):
    option = OPTIONS[name]
    _, data = inputs(np.random.default_rng(0), **size, **option)
    y = addition(**data, **factor(option))

    def at(x, place):
        return x[tuple(i if n > 1 else 0 for i, n in zip(place[y.ndim - x.ndim :], x.shape, strict=True))]

    for place in np.ndindex(y.shape):
        right = at(data["x"], place) + option.get("alpha", 1) * at(data["z"], place)
        assert y[place] == pytest.approx(right, abs=1e-15)


@pytest.mark.parametrize("name", OPTIONS)
def test_the_gradient_is_that_of_finite_differences(name):
    option = OPTIONS[name]
    for size in SIZES[:2]:
        _, data = inputs(np.random.default_rng(1), **size, **option)
        check_vjp(addition, addition_vjp, data, options=factor(option), rng=np.random.default_rng(2))
        check_dtype(addition, addition_vjp, data, options=factor(option))
