"""Over ten seeds, honest runs of every page agree: inside every limit, and within the gate of 2 in rms.

An honest run in float32 is the reference in float32. In float64 the reference gives the values, so the
honest run is the reference in extended precision: what it differs by is the reference's own rounding.
"""

from functools import partial

import numpy as np
import pytest

from bench import pages
from bench.backends import backend
from bench.cells.cell import Cell
from bench.contender.prepare import find
from bench.inputs import inputs
from bench.tolerance.expected import derive
from bench.tree import flatten, tree_map
from bench.verdict.compare import compare

SEEDS = range(10)
DOUBLE_ONLY = {
    "gelu": "scipy's erf has no extended precision",
    "linear-system": "LAPACK has no extended precision",
    "normal-equations": "LAPACK has no extended precision",
}
HONEST = {"float32": np.float32, "float64": np.longdouble}


def typical(case, dtype, seed):
    contender = backend("numpy").contenders(case)[0]
    names = (next(iter(case.options)), next(iter(case.regimes)), next(iter(case.sizes)))
    return Cell(case.name, *names, str(contender), "numpy", "eager", "cpu", dtype, "", seed)


def run(case, cell, dtype):
    """Outputs and gradients of the reference in another dtype, by the expectation's paths."""
    widen = partial(
        tree_map,
        lambda x: np.asarray(x, dtype) if np.asarray(x).dtype.kind == "f" and hasattr(x, "dtype") else x,
    )
    given, option = inputs(cell), case.options[cell.option]
    contender = find(case, cell)
    if not case.training:
        params, formula = contender.build(widen(given.weights), **option)
        data = widen(dict(given.data))
        found = {"forward": formula(params, **data)}
        if case.gradient is not None:
            found["gradient"] = formula.vjp(params, data, widen(dict(given.cotangents)))
        return found
    got = {}
    for number, (weights, state, batch) in enumerate(given.starts):
        training = contender.build(widen(weights), widen(state), **option)
        weights, state, loss = training.step(training.params, training.state, **widen(dict(batch)))
        got[str(number)] = {"loss": np.asarray(loss), "weights": weights, "state": state}
    return {"training": got}


@pytest.mark.parametrize("dtype", HONEST)
@pytest.mark.parametrize("name", sorted(pages.cases()))
def test_honest_runs_stay_within_their_limits(name, dtype):
    if dtype == "float64" and name in DOUBLE_ONLY:
        pytest.skip(DOUBLE_ONLY[name])
    case = pages.case(name)
    for seed in SEEDS:
        cell = typical(case, dtype, seed)
        expected = derive(cell)
        found = flatten(run(case, cell, HONEST[dtype]))
        got = {path: np.asarray(found[path], one.value.dtype if dtype == "float64" else None)
               for path, one in expected.items()}  # fmt: skip
        for direction in {path.partition(".")[0] for path in expected}:

            def of(tensors, prefix=f"{direction}."):
                return {
                    path.removeprefix(prefix): x for path, x in tensors.items() if path.startswith(prefix)
                }

            agreement = compare(of(got), of(expected), dtype=dtype)
            assert agreement.status == "agrees", f"seed {seed}, {direction}: {agreement.why}"
