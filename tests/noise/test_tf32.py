"""Where TF32 is allowed, a cell is judged by what rounding its factors does, and its bits say that it was."""

import numpy as np
import pytest

from bench import pages
from bench.backends import TF32
from bench.backends.numpy import NumPy, named
from bench.case import known
from bench.cells.cell import Cell
from bench.coarse import OPERANDS
from bench.inputs import inputs
from bench.noise import TF32_FACTORS
from bench.tree import flatten, tree_map
from bench.verdict.row import verdict

CASES = ["linear-regression", "perceptron", "attention", "lstm", "conv2d"]
BITS = {"nearest": 11, "cut": 11, "bfloat16": 8, "float32": 24}


def rounded(x, how):
    """x with so many significant bits: as one unit rounds it, or as another cuts it."""
    mantissa, exponent = np.frexp(x)
    whole = (np.trunc if how == "cut" else np.rint)(np.ldexp(mantissa, BITS[how]))
    return np.ldexp(whole, exponent - BITS[how]).astype(x.dtype)


def arrays(how):
    """Arrays whose products of matrices round their factors first, as tensor cores do, and nothing else."""

    class Rounding(np.ndarray):
        def __array_ufunc__(self, ufunc, method, *given, out=None, **keywords):
            bare = [x.view(np.ndarray) if isinstance(x, Rounding) else x for x in given]
            bare = [rounded(x, how) for x in bare] if ufunc is np.matmul else bare
            if out:
                keywords["out"] = tuple(x.view(np.ndarray) for x in out)
            result = getattr(ufunc, method)(*bare, **keywords)
            return out[0] if out else result.view(Rounding) if isinstance(result, np.ndarray) else result

        def __array_function__(self, function, types, given, keywords):
            if function not in OPERANDS:
                return super().__array_function__(function, types, given, keywords)
            bare = [x.view(np.ndarray) if isinstance(x, Rounding) else x for x in given]
            bare = [rounded(x, how) if isinstance(x, np.ndarray) else x for x in bare]
            return function(*bare, **keywords).view(Rounding)

    return lambda x: x.view(Rounding) if isinstance(x, np.ndarray) and x.dtype.kind == "f" else x


def judged(name, how, mode=TF32, seed=0):
    """The rows of both directions of that page, its products so computed."""
    case = pages.case(name)
    option, regime, size = (next(iter(each)) for each in (case.options, case.regimes, case.sizes))
    unit = Cell(name, option, regime, size, "", "numpy", mode, "cpu", "float32", "", seed)
    given, settings = inputs(unit), case.options[option]
    weights, data, cotangents = tree_map(arrays(how), (given.weights, dict(given.data), given.cotangents))
    outputs = named(case.reference(**data, **weights, **known(case.reference, settings)))
    cotangent = cotangents["y"] if set(cotangents) == {"y"} else cotangents
    gradients = case.gradient(cotangent, **data, **weights, **known(case.gradient, settings))
    got = {"forward": outputs, "gradient": gradients}
    plain = {path: np.asarray(y) for path, y in flatten(got).items() if path.split(".")[1] not in case.fixed}
    return [verdict(unit, direction, plain, NumPy("cpu", "float32")) for direction in case.directions]


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("how", ["nearest", "cut"])
def test_factors_of_eleven_bits_agree_where_they_are_allowed(name, how):
    rows = judged(name, how)
    assert [row.status for row in rows] == ["agrees"] * 2, [row.why for row in rows]
    assert {row.accumulator for row in rows} == {TF32_FACTORS}
    assert all(8 < row.bits < 15 for row in rows), [row.bits for row in rows]


@pytest.mark.parametrize("name", CASES)
def test_factors_of_eight_bits_disagree_where_eleven_are_allowed(name):
    assert [row.status for row in judged(name, "bfloat16")] == ["disagrees"] * 2


@pytest.mark.parametrize("name", CASES)
def test_a_mode_that_allows_tf32_and_does_not_use_it_says_so(name):
    rows = judged(name, "float32")
    assert {(row.status, row.accumulator) for row in rows} == {("agrees", "float32")}


def test_factors_of_eleven_bits_disagree_in_any_other_mode():
    assert [row.status for row in judged("linear-regression", "nearest", "eager")] == ["disagrees"] * 2


def test_a_gpu_that_is_left_as_it_ships_may_use_tf32(monkeypatch):
    engine = NumPy("gpu", "float32")
    assert not engine.allows_tf32("eager")
    monkeypatch.setenv("GAUGEBLOCK_AS_SHIPPED", "1")
    assert NumPy("gpu", "float32").allows_tf32("eager") and not NumPy("cpu", "float32").allows_tf32("eager")


def test_a_limit_of_float32_is_not_stale_where_tf32_drowns_it(monkeypatch):
    from bench.verdict import row as run
    from bench.verdict.known import Known

    case = pages.case("linear-regression")
    limit = next(limit for name in pages.cases() for limit in pages.case(name).limits if limit.always)
    known = Known(limit, (1.0, 10.0), "1", measured=True)
    monkeypatch.setattr(run, "limits", lambda *_: [known])
    assert case and [row.status for row in judged("linear-regression", "nearest")] == ["agrees"] * 2
    strict = [row.status for row in judged("linear-regression", "float32")]
    assert strict == ["disagrees"] * 2  # a Limit that nothing shows is stale


def test_every_other_draw_is_cut():
    from bench.noise import Rounding

    rounding = Rounding("float32", tf32=True, seed=0)
    value = np.array([1 + 2.0**-12, 3.0, 0.0, -(1 + 2.0**-12)])
    rows = rounding.factors(np.repeat(value[:, None], rounding.layout.rows, axis=1))
    away = rows - value[:, None]
    full = rounding.layout.full
    assert not away[1:3].any() and not away[:, full:].any()
    assert (away[0, 1:full:2] <= 0).all() and (away[3, 1:full:2] >= 0).all()
    assert np.abs(away[0, :full:2]).max() <= 2.0**-11 < np.abs(away[0, 1:full:2]).max() <= 2.0**-10
    again = rounding.factors(value[:, None])
    assert (again[0, :full] - value[0] == away[0, :full]).all()  # the same number is rounded again alike
