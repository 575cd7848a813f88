"""Rotary positions: each pair of components of a vector is turned by an angle that grows with its position.

Formula
    y_a = x_a cos θ - x_b sin θ,  y_b = x_a sin θ + x_b cos θ    for each pair (a, b)
    θ = p f,  f = base^(-2i/r)    for pair i of r/2; the components behind the first r stay as they are
Shapes
    x : (n, h, t, d)    queries or keys, head by head
    positions : (n, t)    p, whole numbers
    y : (n, h, t, d)
Source
    Su et al. 2021, RoFormer, section 3.2.2 and eq. (34). arXiv:2104.09864
Choices
    Pairs are neighbours, (2i, 2i + 1), as in the paper (GPT-J), or halves, (i, i + r/2) (GPT-NeoX, Llama):
    the same after a permutation of the components.
    r is a share of d: all of it, or the first quarter in GPT-NeoX.
    Angles are exact, less whole turns: a position is a whole number, and base is known. Frameworks round f
    and θ.
"""

from decimal import Decimal, localcontext

import numpy as np

PI = Decimal("3.1415926535897932384626433832795028841971693993751")


def rotary(x, positions, *, base=10000.0, halves=True, share=1.0):
    a, b, rest = _pairs(x, halves, share)
    c, s = _circle(x, positions, a.shape[-1], base)
    return _joined(a * c - b * s, a * s + b * c, rest, halves)


def rotary_vjp(dy, x, positions, *, base=10000.0, halves=True, share=1.0):
    """A rotation is orthogonal: its transpose turns back."""
    a, b, rest = _pairs(dy, halves, share)
    c, s = _circle(dy, positions, a.shape[-1], base)
    return {"x": _joined(a * c + b * s, b * c - a * s, rest, halves)}


def _pairs(x, halves, share):
    """The first and the second component of each pair : (n, h, t, r/2), and what is not turned."""
    m = int(share * x.shape[-1]) // 2
    if halves:
        return x[..., :m], x[..., m : 2 * m], x[..., 2 * m :]
    return x[..., 0 : 2 * m : 2], x[..., 1 : 2 * m : 2], x[..., 2 * m :]


def _joined(a, b, rest, halves):
    if not halves:
        pairs = np.concatenate([a[..., None], b[..., None]], axis=-1)  # (n, h, t, r/2, 2)
        return np.concatenate([pairs.reshape(*a.shape[:-1], -1), rest], axis=-1)
    return np.concatenate([a, b, rest], axis=-1)


def _circle(x, positions, m, base):
    """The cosine and the sine of p f, each (n, 1, t, r/2).

    f is a number of turns: a whole one of 2⁻⁶⁴ turns, and a rest below. Products of whole numbers of 64 bits
    drop whole turns, as cosines do, so that no digit is lost at any position. Of an angle beyond an eighth of
    a turn, the nearest quarters k are taken off, so that no cosine or sine cancels.
    """
    p, f = positions[:, None, :, None], [_turns(base, i, m) for i in range(m)]
    whole = (p.astype(np.uint64) * np.array([int(each) for each in f], np.uint64)).astype(np.int64)
    k = (whole + 2**61) >> 62
    theta = np.empty_like(x, shape=whole.shape)
    theta[...] = 2 * np.pi * (whole - (k << 62) + p * np.array([float(each % 1) for each in f])) / 2**64
    c, s = np.cos(theta), np.sin(theta)
    one, other = (np.where(k & 1, *pair) for pair in ((s, c), (c, s)))
    return np.where((k + 1) & 2, -one, one), np.where(k & 2, -other, other)


def _turns(base, i, m):
    """base^(-i/m) / 2π in units of 2⁻⁶⁴, to 50 digits."""
    with localcontext(prec=50):
        return Decimal(base) ** (Decimal(-i) / m) / (2 * PI) * 2**64
