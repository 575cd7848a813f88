"""The largest number of a dtype: a result that overflows is infinite, and what did on its way is at fault."""

import numpy as np
import pytest

from bench import noise
from bench.noise import precision
from bench.tolerance.spread import spread
from bench.verdict.compare import compare

DTYPES = ["float64", "float32", "bfloat16", "float16"]
# each of x, whose elements are half the largest number or more, leaves the range
OVER = {
    "a sum of two": lambda x: x + x + x,
    "a difference": lambda x: -x - x - x,
    "a product": lambda x: x * x,
    "a product with a power of two": lambda x: x * 4.0,
    "a quotient": lambda x: x / 0.25,
    "a quotient that is rounded": lambda x: x / 0.3,
    "a square": lambda x: np.square(x),
    "a power": lambda x: x**3,
    "a power of one number": lambda x: np.power(x, 2),
    "an exponential": lambda x: np.exp(np.log(x) * 2),
    "a sum": lambda x: np.sum(np.stack([x, x, x]), axis=0),
    "a sum of parts": lambda x: np.add.reduce(np.stack([x, x, x])),
    "a matrix product": lambda x: x[:, None] @ np.full((1, 1), 3.0) @ np.full((1, 1), 5.0) @ np.ones((1, 4)),
    "a dot product": lambda x: np.einsum("ij,ij->i", np.stack([x, x], 1), np.stack([x, x], 1)),
    "a running sum": lambda x: np.cumsum(np.stack([x, x, x]), axis=0)[2],
    "a running product": lambda x: np.cumprod(np.stack([x, x]), axis=0)[1],
    "a product of all": lambda x: np.prod(np.stack([x, x]), axis=0),
    "a norm": lambda x: np.linalg.norm(np.stack([x, x, x, x, x]), axis=0),
    "a norm of sums": lambda x: np.linalg.norm(np.stack([x, x, x]), 1, axis=0),
    "a variance": lambda x: np.var(np.stack([x, -x]), axis=0),
}


def largest(dtype):
    p = precision(dtype)
    return 2.0 ** (1 - p.smallest) * 2 * (1 - p.u) if dtype != "float64" else np.finfo(float).max


def drawn(dtype, n=5):
    """Numbers of the dtype between half its largest and that."""
    low = largest(dtype) / 2
    whole = np.random.default_rng(0).integers(0, 2 ** (precision(dtype).bits - 1), n)
    return low + whole * (low * 2.0 ** (1 - precision(dtype).bits))


def found(function, x, dtype, **how):
    return spread(lambda x: {"y": function(x)}, (x,), dtype=dtype, seed=0, **how)["y"]


def status(got, one, dtype):
    return compare({"y": np.asarray(got).astype(dtype)}, {"y": one}, dtype=dtype).status


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", OVER)
def test_what_is_beyond_the_largest_number_is_infinite_in_every_draw(name, dtype):
    one = found(OVER[name], drawn(dtype), dtype, accumulator=dtype)
    assert np.isinf(one.value).all() and not one.sigma.any() and not one.jump.any()


@pytest.mark.parametrize("dtype", DTYPES[1:])  # in float64 the exact row overflows as the contender does
@pytest.mark.parametrize("name", OVER)
def test_what_comes_back_from_beyond_has_the_limit_of_its_formula(name, dtype):
    """A contender that overflows on its way loses what the formula does not: a stabler form keeps it."""
    x = drawn(dtype)
    back = 2.0 ** -np.ceil(np.log2(np.abs(OVER[name](x)).min()))
    one = found(lambda x: OVER[name](x) * back, x, dtype, accumulator=dtype)
    assert (np.abs(one.value) > 0.1).all() and (one.sigma <= 1000 * precision(dtype).u).all()
    if dtype != "bfloat16":  # NumPy has none
        assert status(one.value, one, dtype) == "agrees"
        for lost in (np.inf, np.nan, 0):
            assert status(np.full(one.value.shape, lost), one, dtype) == "disagrees"


@pytest.mark.parametrize("dtype", ["float64", "float32", "float16"])  # NumPy has no bfloat16
def test_infinity_is_required_where_every_number_of_the_dtype_overflows(dtype):
    one = found(OVER["a product"], drawn(dtype), dtype)
    assert status(one.value, one, dtype) == "agrees"
    assert status(np.full(5, largest(dtype)), one, dtype) == "disagrees"


@pytest.mark.parametrize("dtype", DTYPES[1:])
@pytest.mark.parametrize("units", [-1, -0.5, -0.1, 0, 0.1, 0.5, 1])
def test_what_rounding_alone_carries_beyond_the_largest_number_has_no_limit(dtype, units):
    """So has what it keeps from there: the exact value may be on either side."""
    p = precision(dtype)
    edge = p.overflow * (1 + units * p.u)
    x = np.array([edge / 3])

    def close(x):  # rounds by a unit or more in all
        return x * 1.5 * (2 / 3) * 1.3 / 1.3 * 3.0

    one = found(close, x, dtype)
    assert not np.isfinite(one.sigma).any()
    if dtype == "float32":
        assert status([largest(dtype)], one, dtype) == status([np.inf], one, dtype) == "mistrusted"


@pytest.mark.parametrize("dtype", DTYPES)
def test_what_is_in_range_has_the_limit_that_it_had(dtype):
    x = drawn(dtype)
    one = found(lambda x: x * 0.3 * 1.7, x, dtype)
    assert (
        np.isfinite(one.value).all()
        and (one.sigma > 0).all()
        and (one.sigma < 8 * precision(dtype).u * x).all()
    )
    held = found(lambda x: x * 0.5 * 2.0, x, dtype)
    assert np.array_equal(held.value, x) and not held.sigma.any()


@pytest.mark.parametrize("dtype", DTYPES)
def test_an_infinity_of_the_formula_stays_one(dtype):
    """A mask of an attention is minus infinity, and its weight zero."""
    x = np.array([0.5, -np.inf, 1.5])
    one = found(lambda x: np.exp(x * 2.0 - np.max(x * 2.0)), x, dtype)
    assert np.isfinite(one.sigma).all() and one.value[1] == 0 and not one.sigma[1]


def test_an_intermediate_in_float32_may_be_beyond_the_largest_number_of_float16():
    x = drawn("float16")
    one = found(lambda x: x * x / x * 0.7, x, "float16", accumulator=noise.INSIDE)
    assert np.isfinite(one.value).all() and np.isfinite(one.sigma).all()
    low = drawn("bfloat16")
    one = found(lambda x: x * x / x * 0.7, low, "bfloat16", accumulator=noise.INSIDE)
    assert np.isfinite(one.value).all() and (one.sigma <= 4 * precision("bfloat16").u * one.value).all()


def test_a_running_variance_that_no_float32_holds_should_be_infinite():
    x = np.random.default_rng(0).standard_normal((40, 3)).astype(np.float32) * 2.0**66

    def running(x):
        return {"variance": 0.9 + 0.1 * np.var(x, axis=0, ddof=1) * 2.0, "mean": 0.1 * np.mean(x, axis=0)}

    one = spread(running, (x,), dtype="float32", seed=0)
    assert np.isinf(one["variance"].value).all() and not one["variance"].sigma.any()
    with np.errstate(over="ignore"):
        got = {name: y.astype(np.float32) for name, y in running(x).items()}
    assert np.isinf(got["variance"]).all()
    assert compare(got, one, dtype="float32").status == "agrees"
