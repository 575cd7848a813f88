"""Rules for matrix products, tensor products and linear systems."""

from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_tuple

from bench.noise.array import Noisy, exact, full, pack, rule, spread_out
from bench.noise.bits import is_power_of_two
from bench.noise.elementwise import numbers
from bench.noise.rounding import current
from bench.noise.sums import into, total


@rule(np.matmul)
def matmul(a: Any, b: Any) -> Noisy:
    """(…, m, k) @ (…, k, n). If an operand is equal in all rows, one product has the rows as columns."""
    x, y = numbers(a), numbers(b)
    if x.ndim == 2:
        return matmul_of(x[None], y if y.ndim > 2 else y[:, None], (-2,) if y.ndim > 2 else (-2, -1))
    return matmul_of(x, y if y.ndim > 2 else y[:, None], () if y.ndim > 2 else (-1,))


def matmul_of(x: Any, y: Any, squeezed: tuple[int, ...] = ()) -> Noisy:
    x, y = current().factors(x), current().factors(y)
    xe, ye = np.asarray(x[..., -1], float, order="C"), np.asarray(y[..., -1], float, order="C")
    (m, k), n = xe.shape[-2:], ye.shape[-1]
    if x.shape[-1] == 1 and y.shape[-1] == 1:
        z = spread_out((xe @ ye)[..., None])
    elif x.shape[-1] == 1:
        rows = y.shape[-1]
        z = xe @ np.asarray(y, order="C").reshape(*y.shape[:-2], n * rows)
        z = z.reshape(*_batch(xe, ye), m, n, rows)
    elif y.shape[-1] == 1:
        z = np.asarray(np.swapaxes(ye, -1, -2)[..., None, :, :] @ x, order="C")
    else:
        axes = max(x.ndim, y.ndim)
        z = np.moveaxis(_leading(x, axes) @ _leading(y, axes), 0, -1)
        z = np.asarray(z, order="C")
    powers = (x.shape[-1] == 1 and is_power_of_two(xe).all()) or (
        y.shape[-1] == 1 and is_power_of_two(ye).all()
    )
    count: Any = k
    if not (xe.all() and ye.all()):
        count = ((xe != 0).astype(float) @ (ye != 0).astype(float)).astype(np.int64)
    if k > 0:
        sizes = np.abs(xe) @ np.abs(ye) if current().worst else np.zeros(())
        current().sum(z, np.square(xe) @ np.square(ye), sizes, count, products=not powers)
    return _squeeze(pack(z), squeezed) if squeezed else pack(z)


@rule(np.dot)
def dot(a: Any, b: Any, out: Any = None) -> Any:
    if not np.ndim(a) or not np.ndim(b):
        return into(np.multiply(a, b), out)
    return into(tensordot(a, b, ((-1,), (-1 if np.ndim(b) == 1 else -2,))), out)


@rule(np.tensordot)
def tensordot(a: Any, b: Any, axes: Any = 2) -> Noisy:
    x, y = numbers(a), numbers(b)
    p, q = x.ndim - 1, y.ndim - 1
    if isinstance(axes, int):
        axes = (tuple(range(p - axes, p)), tuple(range(axes)))
    left = normalize_axis_tuple(axes[0], p)
    right = normalize_axis_tuple(axes[1], q)
    letters = "abcdefghijklmnopqrstuvwxyz"
    first, second = list(letters[:p]), list(letters[p : p + q])
    for i, j in zip(left, right, strict=True):
        second[j] = first[i]
    result = [c for i, c in enumerate(first) if i not in left] + [
        c for j, c in enumerate(second) if j not in right
    ]
    return einsum(f"{''.join(first)},{''.join(second)}->{''.join(result)}", a, b)


@rule(np.einsum)
def einsum(formula: Any, *operands: Any, out: Any = None, optimize: Any = False) -> Any:
    """One or two operands with an explicit output, computed by sums, transpositions and matrix products."""
    if not isinstance(formula, str) or "->" not in formula or "." in formula or len(operands) > 2:
        raise NotImplementedError(
            f"np.einsum {formula!r} has no rounding rule; write one or two operands and an explicit output"
        )
    left, result = formula.replace(" ", "").split("->")
    labels = left.split(",")
    operands = tuple(_diagonal(x, label) for x, label in zip(operands, labels, strict=True))
    labels = ["".join(dict.fromkeys(label)) for label in labels]
    if len(operands) == 1:
        summed = tuple(i for i, c in enumerate(labels[0]) if c not in result)
        x = total(operands[0], axis=summed) if summed else operands[0]
        kept = [c for c in labels[0] if c in result]
        return into(x.transpose([kept.index(c) for c in result]), out)
    return into(_contract(labels[0], labels[1], result, operands[0], operands[1]), out)


def _contract(first: str, second: str, result: str, a: Any, b: Any) -> Any:
    alone = [c for c in first + second if c not in result and (c in first) != (c in second)]
    if alone:
        raise NotImplementedError(
            f"np.einsum that sums {alone[0]!r} in one operand only has no rounding rule; sum it first"
        )
    batch = [c for c in first if c in second and c in result]
    inner = [c for c in first if c in second and c not in result]
    m = [c for c in first if c not in second]
    n = [c for c in second if c not in first]
    x, y = numbers(a), numbers(b)
    size = dict(zip(first, x.shape, strict=False)) | dict(zip(second, y.shape, strict=False))
    x = x.transpose([first.index(c) for c in batch + m + inner] + [x.ndim - 1])
    y = y.transpose([second.index(c) for c in batch + inner + n] + [y.ndim - 1])

    def shape(*groups: list[str]) -> list[int]:
        return [int(np.prod([size[c] for c in group])) for group in groups]

    z: Any = matmul_of(
        x.reshape(*[size[c] for c in batch], *shape(m, inner), x.shape[-1]),
        y.reshape(*[size[c] for c in batch], *shape(inner, n), y.shape[-1]),
    )
    z = z.reshape([size[c] for c in batch + m + n])
    return z.transpose([(batch + m + n).index(c) for c in result])


@rule(np.linalg.solve)
def solve(a: Any, b: Any) -> Any:
    """Gaussian elimination with the pivots of the exact row, written in operations that have rules."""
    if np.ndim(a) != 2:
        raise NotImplementedError(
            "np.linalg.solve of a batch has no rounding rule; solve one system at a time"
        )
    A: Any = full(a)
    B: Any = full(b[:, None] if np.ndim(b) == 1 else b)
    n = len(A)
    for k in range(n):
        pivot = k + int(np.argmax(np.abs(exact(A)[k:, k])))
        order = np.r_[:k, pivot, k:pivot, pivot + 1 : n]
        A, B = A[order], B[order]
        l = A[k + 1 :, k] / A[k, k]
        A[k + 1 :, k + 1 :] -= l[:, None] * A[k, k + 1 :]
        B[k + 1 :] -= l[:, None] * B[k]
    for k in reversed(range(n)):
        B[k] = (B[k] - A[k, k + 1 :] @ B[k + 1 :]) / A[k, k] if k < n - 1 else B[k] / A[k, k]
    return B[:, 0] if np.ndim(b) == 1 else B


@rule(np.linalg.qr)
def qr(a: Any, mode: Any = "reduced") -> Any:
    """Householder's reflections with the signs of the exact row, written in operations that have rules.

    Column x becomes ∓|x| e₁ by H = 1 − 2 v vᵀ / vᵀv with v = x ± |x| e₁, where the sign of x₁ avoids a
    difference. R is H A, and Q is the product of all H, applied to the first columns of the identity.
    """
    if np.ndim(a) != 2 or mode != "reduced" or len(a) < np.shape(a)[1]:
        raise NotImplementedError(
            "np.linalg.qr of a batch, a wide matrix or with another mode has no rounding rule; "
            "factor one tall matrix at a time"
        )
    R: Any = full(a)
    n = R.shape[1]
    Q: Any = full(np.zeros_like(R))
    Q[np.arange(n), np.arange(n)] = 1.0
    reflections = []
    for k in range(n):
        x = R[k:, k]
        sign = np.where(exact(x)[0] < 0, -1.0, 1.0)
        v = x.copy()
        length = sign * np.linalg.norm(x)
        v[0] = x[0] + length
        w = v * (2.0 / (v @ v))
        R[k:, k + 1 :] -= v[:, None] * (w @ R[k:, k + 1 :])
        R[k, k], R[k + 1 :, k] = -length, 0.0
        reflections.append((k, v, w))
    for k, v, w in reversed(reflections):
        Q[k:, k:] -= v[:, None] * (w @ Q[k:, k:])
    return Q, R[:n]


def _leading(x: Any, axes: int) -> Any:
    """x with the rows first, then padded to `axes` axes."""
    padded = x.reshape((1,) * (axes - x.ndim) + x.shape)
    return np.asarray(np.moveaxis(padded, -1, 0), order="C")


def _batch(x: Any, y: Any) -> tuple[int, ...]:
    return np.broadcast_shapes(x.shape[:-2], y.shape[:-2])


def _squeeze(x: Noisy, axes: tuple[int, ...]) -> Any:
    return np.ndarray.squeeze(x, axis=axes)


def _diagonal(x: Any, label: str) -> Any:
    if len(set(label)) != len(label):
        raise NotImplementedError(
            f"np.einsum that repeats an index in {label!r} has no rounding rule; take the diagonal first"
        )
    return x
