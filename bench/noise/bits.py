"""Functions of the bits of floating-point numbers."""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

_EXPONENT = np.int64(0x7FF0000000000000)
MANTISSA = np.int64(0x000FFFFFFFFFFFFF)


def rms(x: Array) -> Array:
    """The rms over the last axis; where squares might leave the range, scaled by the largest element."""
    with np.errstate(all="ignore"):
        found = np.sqrt(np.einsum("...i,...i->...", x, x) / x.shape[-1])[()]
    off = ~((found > 1e-140) & (found < 1e140))
    if off.any():
        found = np.array(found)
        found[off] = _scaled_rms(x[off])
    return np.asarray(found)


def _scaled_rms(x: Array) -> Array:
    largest = np.maximum(x.max(axis=-1, initial=0), -x.min(axis=-1, initial=0))
    some = (largest > 0) & np.isfinite(largest)
    y = x[some] / largest[some][..., None]
    largest[some] *= np.sqrt(np.einsum("...i,...i->...", y, y) / x.shape[-1])
    return largest


def binade(x: Array) -> Array:
    """The largest power of two up to |x|; zero for zero, infinity and NaN."""
    bits = np.array(x, dtype=np.float64).view(np.int64)
    bits &= _EXPONENT
    power = bits.view(np.float64)
    return np.where(power == np.inf, 0, power)


def to_bits(x: Array, bits: int) -> Array:
    """x rounded to `bits` significant bits."""
    mantissa, exponent = np.frexp(x)
    return np.asarray(np.ldexp(np.rint(np.ldexp(mantissa, bits)), exponent - bits))


def is_power_of_two(x: Array) -> NDArray[np.bool_]:
    """A mask of ±2^k, zero and infinity: products with them are exact."""
    return (np.asarray(x, dtype=np.float64, order="C").view(np.int64) & MANTISSA) == 0


def lowest(x: Array) -> Array:
    """The largest power of two that x is a whole multiple of; infinite for zero."""
    mantissa, exponent = np.frexp(np.abs(np.where(np.isfinite(x), x, 0)))
    whole = np.ldexp(mantissa, 53).astype(np.int64)
    return np.where(whole == 0, np.inf, np.ldexp((whole & -whole).astype(np.float64), exponent - 53))


def odd(x: Array) -> Array:
    """|x| without its factors of two; 1 for zero and infinity."""
    plain = np.isfinite(x) & (x != 0)
    return np.divide(np.abs(x), lowest(x), out=np.ones_like(x), where=plain)


def mixed(z: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """The hash of splitmix64."""
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))
