"""Which functions a reference may use, and what it is told where it uses another."""

import difflib
import warnings

import numpy as np
import pytest
from numpy.lib.stride_tricks import sliding_window_view
from scipy import special, stats

from bench import noise
from bench.noise.names import INSTEAD, advice, named, names
from bench.report.inventory import rules
from bench.report.readme import fill, words
from bench.report.table import markdown
from bench.store.row import sentence
from bench.tolerance.spread import spread

X = np.array([[0.5, -1.25, 2.0], [3.0, 0.75, -0.5], [1.5, 2.5, 1.0]])


def refusal(function):
    with pytest.raises(NotImplementedError) as raised:
        spread(function, (X,), dtype="float32", seed=0)
    return raised.value


# ---- what a refusal says ----

SAYS = {
    "np.nancumprod": (lambda x: np.nancumprod(x), "nearest that have one: np.cumprod;"),
    "np.nancumsum": (lambda x: np.nancumsum(x), "nearest that have one: np.cumsum;"),
    "np.median": (lambda x: np.median(x), "write np.sort(x)[n // 2]"),
    "np.outer": (lambda x: np.outer(x, x), "write x[:, None] * y;"),
    "np.linalg.inv": (lambda x: np.linalg.inv(x), "write np.linalg.solve(A, b);"),
    "np.linalg.vector_norm": (lambda x: np.linalg.vector_norm(x), "write np.linalg.norm;"),
    "np.linalg.cond": (lambda x: np.linalg.cond(x), "write it with operations that have one;"),
    "np.linalg.svd": (lambda x: np.linalg.svd(x), "write it with operations that have one;"),
    "np.maximum.accumulate": (lambda x: np.maximum.accumulate(x), "np.add.accumulate"),
    "np.sum with where=": (lambda x: np.sum(x, where=x > 0), "leave where= out;"),
    "np.add.reduce with initial=": (lambda x: np.add.reduce(x, initial=1.0), "leave initial= out;"),
    "np.add with dtype=": (lambda x: np.add(x, x, dtype=np.float32), "write it with operations"),
    "ndarray.sort": (lambda x: x.sort(), "write x = np.sort(x);"),
    "ndarray.tolist": (lambda x: x.tolist(), "write a loop over the array itself;"),
    "scipy.special.softmax": (lambda x: special.softmax(x), "e / e.sum(axis=-1, keepdims=True);"),
    "scipy.special.log_softmax": (lambda x: special.log_softmax(x, axis=1), "d - np.log("),
    "scipy.special.logsumexp": (lambda x: special.logsumexp(x, axis=1), "m + np.log("),
    "scipy.special.gammaln": (lambda x: special.gammaln(x), "write it with operations that have one;"),
    "scipy.stats.zscore": (lambda x: stats.zscore(x), "write it with operations that have one;"),
    "float() of a rounded value": (lambda x: float(x[0, 0]), "use np.exp for math.exp;"),
    "branching on a value": (lambda x: x if x[0, 0] else -x, "use np.where;"),
    "an array converted by np.asarray, np.array or a library": (
        lambda x: np.asarray(x * 1.1) + 1,
        "leave that call out;",
    ),
    "putting rounded values into a plain array": (lambda x: put(np.zeros(3), x[0] * 1.1), "np.zeros_like("),
    "np.finfo of a rounded array": (lambda x: x + np.finfo(x.dtype).eps, "give the number itself;"),
}


def put(z, x):
    z[:] = x
    return z


@pytest.mark.parametrize("what", SAYS)
def test_a_refusal_says_what_and_where_and_what_to_write_instead_in_one_line_of_a_table(what):
    function, instead = SAYS[what]
    error = refusal(function)
    told = str(error)
    assert told.startswith(f"{what} has no rounding rule; ") and instead in told
    line = function.__code__.co_firstlineno
    assert "all are in docs/extending.md (in " in told and ", noise/test_refusals.py, line " in told
    assert abs(int(told.rpartition("line ")[2].rstrip(")")) - line) <= 1 or "put" in told
    assert sentence(error) == f"NotImplementedError: {told}"  # nothing is cut off


def test_the_line_is_that_of_the_function_of_the_formula_that_was_called_last():
    def inner(x):
        return np.median(x)

    def outer(x):
        return inner(x * 2)

    line = inner.__code__.co_firstlineno + 1
    assert str(refusal(outer)).endswith(f"(in inner, noise/test_refusals.py, line {line})")


@pytest.mark.parametrize("function", [np.median, special.softmax], ids=["numpy", "scipy"])
def test_a_function_that_is_itself_the_formula_is_named(function):
    told = str(refusal(function))
    assert told.startswith((f"np.{function.__name__} has", f"scipy.special.{function.__name__} has"))
    assert told.endswith("all are in docs/extending.md")


def test_an_error_of_the_formula_itself_stays_what_it_is():
    with pytest.raises(TypeError, match="can only concatenate str"):
        spread(lambda x: "a" + 1, (X,), dtype="float32", seed=0)
    with pytest.raises(ValueError, match="cannot reshape"):
        spread(lambda x: x.reshape(2, 2), (X,), dtype="float32", seed=0)
    with pytest.raises(TypeError, match="unexpected keyword argument 'axes'"):
        spread(lambda x: np.sum(x, axes=1), (X,), dtype="float32", seed=0)


# ---- what it says to write is right, and may be used ----

x, y, w = np.array([0.5, -1.25, 2.0, 3.5]), np.array([3.0, 0.75, -0.5, 1.0]), np.array([1.0, 2.0, 0.5, 0.25])
A, B = X @ X.T + np.eye(3), X - 0.125
WRITTEN = {
    "np.average": (lambda: np.average(x, weights=w), lambda x, w: np.sum(w * x) / np.sum(w), (x, w)),
    "np.convolve": (
        lambda: np.convolve(x, w),
        lambda x, w: sliding_window_view(np.pad(x, 3), 4) @ w[::-1],
        (x, w),
    ),
    "np.count_nonzero": (lambda: np.count_nonzero(x), lambda x: np.sum((x != 0) * 1.0) + 0 * x[0], (x,)),
    "np.cov": (
        lambda: np.cov(X, rowvar=False),
        lambda x: (d := x - x.mean(axis=0)).T @ d / (len(x) - 1),
        (X,),
    ),
    "np.diff": (lambda: np.diff(x), lambda x: x[1:] - x[:-1], (x,)),
    "np.ediff1d": (lambda: np.ediff1d(x), lambda x: x[1:] - x[:-1], (x,)),
    "np.inner": (lambda: np.inner(X, B), lambda x, y: x @ y.T, (X, B)),
    "np.kron": (
        lambda: np.kron(X, B),
        lambda x, y: (x[:, None, :, None] * y[None, :, None, :]).reshape(9, 9),
        (X, B),
    ),
    "np.linalg.inv": (lambda: np.linalg.inv(A) @ y[:3], np.linalg.solve, (A, y[:3])),
    "np.linalg.lstsq": (
        lambda: np.linalg.lstsq(X[:, :2], y[:3])[0],
        lambda X, y: np.linalg.solve((f := np.linalg.qr(X))[1], f[0].T @ y),
        (X[:, :2], y[:3]),
    ),
    "np.linalg.vector_norm": (lambda: np.linalg.vector_norm(X), np.linalg.norm, (X,)),
    "np.linalg.matrix_norm": (lambda: np.linalg.matrix_norm(X), np.linalg.norm, (X,)),
    "np.median": (lambda: np.median(x[:3]), lambda x: np.sort(x)[len(x) // 2], (x[:3],)),
    "np.nansum": (
        lambda: np.nansum(np.where(x > 2, np.nan, x)),
        lambda x: np.sum(np.where(np.isnan(x), 0, x)),
        (np.where(x > 2, np.nan, x),),
    ),
    "np.outer": (lambda: np.outer(x, y), lambda x, y: x[:, None] * y, (x, y)),
    "np.ptp": (lambda: np.ptp(x), lambda x: np.max(x) - np.min(x), (x,)),
    "np.sinc": (lambda: np.sinc(x), lambda x: np.sin(np.pi * x) / (np.pi * x), (x,)),
    "np.trace": (lambda: np.trace(X), lambda x: np.sum(np.diagonal(x)), (X,)),
    "np.trapezoid": (
        lambda: np.trapezoid(y, x),
        lambda y, x: np.sum((y[1:] + y[:-1]) * (x[1:] - x[:-1])) / 2,
        (y, x),
    ),
    "np.vdot": (lambda: np.vdot(x, y), lambda x, y: np.sum(x * y), (x, y)),
    "np.vecdot": (lambda: np.vecdot(X, B), lambda x, y: np.sum(x * y, axis=-1), (X, B)),
    "ndarray.sort": (lambda: np.array(sorted(x)), np.sort, (x,)),
    "scipy.special.softmax": (
        lambda: special.softmax(X, axis=-1),
        lambda x: (e := np.exp(x - x.max(axis=-1, keepdims=True))) / e.sum(axis=-1, keepdims=True),
        (X,),
    ),
    "scipy.special.log_softmax": (
        lambda: special.log_softmax(X, axis=-1),
        lambda x: (d := x - x.max(axis=-1, keepdims=True)) - np.log(np.exp(d).sum(axis=-1, keepdims=True)),
        (X,),
    ),
    "scipy.special.logsumexp": (
        lambda: special.logsumexp(X, axis=-1, keepdims=True),
        lambda x: (m := x.max(axis=-1, keepdims=True)) + np.log(np.exp(x - m).sum(axis=-1, keepdims=True)),
        (X,),
    ),
}


@pytest.mark.parametrize("name", WRITTEN)
def test_what_is_to_be_written_gives_the_same_and_has_rules(name):
    told, (old, new, given) = INSTEAD[name], WRITTEN[name]
    found = spread(new, given, dtype="float64", seed=0)[""].value
    assert np.allclose(found, old(), 1e-12, 1e-14), told


def exists(name):
    place = {"np": np, "ndarray": np.ndarray, "scipy": __import__("scipy")}[name.partition(".")[0]]
    for part in name.split(".")[1:]:
        place = getattr(place, part)
    return callable(place)


def test_every_name_that_is_refused_exists_and_has_no_rule():
    usable = {name for group in noise.usable().values() for name in group}
    later = {"np.cumulative_prod", "np.cumulative_sum"}  # of a later NumPy than the oldest
    assert all(exists(name) for name in INSTEAD if name not in later)
    assert not usable & set(INSTEAD)


def test_every_name_that_is_near_has_a_rule_and_can_be_called():
    usable = {name for group in noise.usable().values() for name in group}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        others = [f"np.{name}" for name, value in vars(np).items() if callable(value)]
    near = {name: advice(name, usable) for name in others if name not in INSTEAD}
    offered = {each for text in near.values() if text.startswith("nearest") for each in text[23:].split(", ")}
    assert offered and offered <= usable
    assert not difflib.get_close_matches("svd", usable, cutoff=0.7)


# ---- the list ----


@pytest.mark.parametrize(
    ("group", "name"),
    [
        ("Element by element", "np.abs"),
        ("Element by element", "scipy.special.expit"),
        ("Sums and statistics", "np.add.at"),
        ("Norms and products of all elements", "np.linalg.norm"),
        ("Norms and products of all elements", "np.multiply.reduce"),
        ("Running sums and products", "np.cumsum"),
        ("Products of matrices", "np.einsum"),
        ("Choices and order", "np.sort"),
        ("Making arrays", "np.zeros_like"),
        ("Moving elements", "np.lib.stride_tricks.sliding_window_view"),
        ("Methods of arrays", "x.cumsum"),
    ],
)
def test_a_function_stands_where_a_reader_looks_for_it(group, name):
    assert name in noise.usable()[group]


def test_every_function_of_the_list_exists_and_every_rule_is_in_it():
    listed = [name for group in noise.usable().values() for name in group]
    assert len(listed) == len(set(listed))
    assert all(
        exists(name.replace("x.", "ndarray.", 1) if name.startswith("x.") else name) for name in listed
    )
    for function in (np.exp, np.sum, np.matmul, np.where, np.pad, np.roll, special.erf):
        assert set(names(function)) <= set(listed)
    assert named(np.abs) == "np.absolute" and "np.abs" in names(np.absolute)


def test_the_handbook_and_the_terminal_show_the_list():
    block = words()["docs/extending.md"]["rules"]
    page = fill("<!-- rules -->\n<!-- /rules -->", {"rules": block})
    assert "### Functions that a reference may use" in page and "np.linalg.norm" in page
    assert all(name.replace("_", "\\_") in page or name in page for name in INSTEAD)
    assert markdown(rules()).count("np.cumsum") == block.count("np.cumsum") >= 1
