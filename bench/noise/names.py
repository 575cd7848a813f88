"""The names of functions in a reference, and what to write for those that have no rounding rule."""

import difflib
from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.lib import stride_tricks
from scipy import special

HANDBOOK = "docs/extending.md"

# what to write instead, for names that are not close to the right one
INSTEAD = {
    "np.argsort": "np.sort for the values, np.argmax for the first",
    "np.average": "np.mean, or np.sum(w * x) / np.sum(w)",
    "np.bincount": "np.add.at on np.zeros_like(x, shape=(n,))",
    "np.convolve": "sliding_window_view(np.pad(x, n - 1), n) @ w[::-1]",
    "np.corrcoef": "np.mean and @ of what is left of the mean",
    "np.count_nonzero": "np.sum((x != 0) * 1.0)",
    "np.cov": "d = x - x.mean(axis=0), then d.T @ d / (len(x) - 1)",
    "np.cross": "products of slices, such as x[1] * y[2] - x[2] * y[1]",
    "np.cumulative_prod": "np.cumprod",
    "np.cumulative_sum": "np.cumsum",
    "np.diff": "x[1:] - x[:-1]",
    "np.ediff1d": "x[1:] - x[:-1]",
    "np.inner": "x @ y.T",
    "np.interp": "np.where over the segments",
    "np.kron": "x[:, None, :, None] * y[None, :, None, :], reshaped",
    "np.linalg.cholesky": "np.linalg.solve of the matrix itself",
    "np.linalg.inv": "np.linalg.solve(A, b)",
    "np.linalg.lstsq": "Q, R = np.linalg.qr(X), then np.linalg.solve(R, Q.T @ y)",
    "np.linalg.matrix_power": "@, repeated",
    "np.linalg.matrix_norm": "np.linalg.norm",
    "np.linalg.multi_dot": "@, pair by pair",
    "np.linalg.outer": "x[:, None] * y",
    "np.linalg.pinv": "Q, R = np.linalg.qr(X), then np.linalg.solve(R, Q.T @ y)",
    "np.linalg.vector_norm": "np.linalg.norm",
    "np.median": "np.sort(x)[n // 2], and the mean of two where n is even",
    "np.nanmax": "np.max of np.where(np.isnan(x), -np.inf, x)",
    "np.nanmean": "np.sum of np.where(np.isnan(x), 0, x), over the count",
    "np.nansum": "np.sum of np.where(np.isnan(x), 0, x)",
    "np.outer": "x[:, None] * y",
    "np.partition": "np.sort",
    "np.percentile": "np.sort, and the elements at that share",
    "np.ptp": "np.max(x) - np.min(x)",
    "np.quantile": "np.sort, and the elements at that share",
    "np.sinc": "np.sin(np.pi * x) / (np.pi * x)",
    "np.trace": "np.sum(np.diagonal(x))",
    "np.trapezoid": "np.sum((y[1:] + y[:-1]) * (x[1:] - x[:-1])) / 2",
    "np.vdot": "np.sum(x * y)",
    "np.vecdot": "np.sum(x * y, axis=-1)",
    "ndarray.argsort": "np.sort for the values, np.argmax for the first",
    "ndarray.item": "x[i] or x[()], which stay arrays",
    "ndarray.partition": "x = np.sort(x)",
    "ndarray.sort": "x = np.sort(x)",
    "ndarray.tolist": "a loop over the array itself",
    "ndarray.trace": "np.sum(np.diagonal(x))",
    "scipy.special.log_softmax": "d = x - x.max(axis=-1, keepdims=True), then "
    "d - np.log(np.exp(d).sum(axis=-1, keepdims=True))",
    "scipy.special.logsumexp": "m = x.max(axis=-1, keepdims=True), then "
    "m + np.log(np.exp(x - m).sum(axis=-1, keepdims=True))",
    "scipy.special.softmax": "e = np.exp(x - x.max(axis=-1, keepdims=True)), then "
    "e / e.sum(axis=-1, keepdims=True)",
}

# the modules of functions, under the names of a reference; a function may have several
_PLACES = {
    "np.": np,
    "np.linalg.": np.linalg,
    "np.lib.stride_tricks.": stride_tricks,
    "scipy.special.": special,
}
_NAMES: dict[int, list[str]] = {}
for _place, _module in _PLACES.items():
    for _name, _value in vars(_module).items():
        if callable(_value) and not _name.startswith("_"):
            _NAMES.setdefault(id(_value), []).append(_place + _name)


def names(function: Any, method: str = "__call__") -> list[str]:
    """All names of a function of NumPy or SciPy, or of a method of a ufunc, in a reference."""
    unknown = f"{getattr(function, '__module__', '').replace('numpy', 'np', 1)}.{function.__name__}"
    found = sorted(_NAMES.get(id(function), [unknown]))
    return found if method == "__call__" else [f"{name}.{method}" for name in found]


def named(function: Any, method: str = "__call__") -> str:
    """The name of a function; of several, the one that NumPy itself uses."""
    found = names(function, method)
    own = function.__name__ if method == "__call__" else f"{function.__name__}.{method}"
    return next((name for name in found if name.endswith(f".{own}")), found[0])


def advice(name: str, having: Iterable[str]) -> str:
    """What to write instead: a known replacement, or the nearest names of functions that have a rule."""
    if name in INSTEAD:
        return f"write {INSTEAD[name]}"
    last = {each.removeprefix("np.").removeprefix("linalg."): each for each in sorted(having)}
    word = name.removeprefix("np.").removeprefix("ndarray.").removeprefix("scipy.").removeprefix("linalg.")
    near = [last[each] for each in difflib.get_close_matches(word, last, n=2, cutoff=0.7)]
    return f"nearest that have one: {', '.join(near)}" if near else "write it with operations that have one"
