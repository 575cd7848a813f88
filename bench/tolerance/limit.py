"""The limit of every element: its largest allowed error, from the spread that rounding alone causes."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from bench.noise import multiple, precision, to_bits
from bench.tolerance.spread import Expected

Array = NDArray[np.float64]
Expectation = Mapping[str, Expected]


def limit_of(one: Expected, fixed: NDArray[np.bool_], elements: int, dtype: object) -> Array:
    """t σ + u |y|, plus the change if undecided choices went the other way. It is zero for `fixed` elements.

    `t` is Student's t with Bonferroni's correction over the `elements` of a cell: see `bench.noise.multiple`.
    The other way is rounded too: in the result, and in one operation at least, whose errors are up to u and
    have a spread of u/√3.
    """
    t, u = multiple(elements, one.draws), precision(dtype).u
    limit = np.asarray(t * one.sigma)
    limit += u * (np.abs(one.value) + one.jump)
    limit += one.jump * (1 + t * u / np.sqrt(3))
    limit[fixed] = 0
    return limit


def fixed_by_formula(one: Expected) -> NDArray[np.bool_]:
    """A mask of the elements that no rounding changes."""
    return np.asarray(~((one.sigma > 0) | (one.jump > 0)))


def nearest(one: Expected, fixed: NDArray[np.bool_], dtype: object) -> Array:
    """The values, rounded to the dtype if rounding never changes them: a constant may have more bits."""
    if not fixed.any():
        return one.value
    value, kind = np.array(one.value), precision(dtype)
    value[fixed] = to_bits(value[fixed], kind.bits)
    step = kind.tiny * 2.0 ** (1 - kind.bits)  # between subnormal numbers, which have fewer bits
    small = fixed & (np.abs(one.value) < kind.tiny)
    value[small] = np.rint(one.value[small] / step) * step
    return value


def margins(expected: Expectation, dtype: object) -> dict[str, tuple[Array, Array]]:
    """The expected value and the limit of each element, by tensor."""
    count = sum(one.value.size for one in expected.values())
    return {
        name: (nearest(one, fixed := fixed_by_formula(one), dtype), limit_of(one, fixed, count, dtype))
        for name, one in expected.items()
    }
