"""``run(cell) -> Row``: build the contender, call it, compare. What it raises becomes a row."""

import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import numpy as np

from bench import pages
from bench.backends import FURTHER, SHIPPED, Absent, Backend, backend
from bench.backends.api import require
from bench.case import TIERS, Case, Contender, Refusal
from bench.cells.cell import Cell
from bench.contender.layout import Layout
from bench.contender.prepare import Ready, find, instance, placed, tensors
from bench.contender.train import Trained, train
from bench.inputs import inputs
from bench.store.row import GONE, Row, sentence
from bench.tree import tree_map
from bench.verdict import invariants
from bench.verdict.known import holds, limits, refusal, unsteady
from bench.verdict.row import row_of, verdict


@dataclass(frozen=True)
class Judged:
    """The rows of one call, by direction, and what a timing of it needs."""

    rows: Mapping[str, Row]
    ready: Any = None  # what bench.speed.timing prepares its calls from
    curve: Sequence[float] = ()
    got: Mapping[str, Any] = field(default_factory=dict)  # by tensor, in the reference's layout
    places: Layout | None = None


def run(cell: Cell) -> Row:
    """One cell's row. Never raises for what the contender does: that is a row with status error."""
    return judge(cell.unit, (cell.direction,)).rows[cell.direction]


def judge(unit: Cell, directions: Sequence[str], *, curve: bool = False) -> Judged:
    """The rows of `directions`, which one call gives together; a refused one is asked for alone."""
    try:
        case = pages.case(unit.case)
        contender = find(case, unit)
        for each in (unit.option, unit.size):
            if each in contender.without:
                raise Absent(f"{contender}: {contender.without[each]}")
        engine = instance(backend(unit.backend), unit.device, unit.dtype)
        if unit.backend in (*SHIPPED, *FURTHER):  # a plug-in may call its APIs as it likes
            with suppress(ImportError):  # a build says itself what it lacks
                require(contender.api)
        refusals = {each: known for each in directions if (known := refusal(contender, unit, each, engine))}
    except Absent as reason:
        return _absent(unit, directions, reason)
    except Exception as error:
        return _broken(unit, directions, error)
    lacking = [each for each in directions if each in engine.without]
    willing = [each for each in directions if each not in lacking and each not in refusals]
    judged = attempt(case, contender, engine, unit, willing, curve) if willing else Judged({})
    rows = dict(judged.rows)
    cheap = not case.random and unit.mode not in engine.typical and unit.size == next(iter(case.sizes))
    if (
        cheap
        and "gradient" in rows
        and rows["gradient"].status == "agrees"
        and (fault := unchanged(judged.ready))
    ):
        found: dict[str, Any] = unsteady(fault, limits(unit, engine, "gradient"))
        rows["gradient"] = replace(rows["gradient"], **found)
    for each, known in refusals.items():
        alone = attempt(case, contender, engine, unit, [each], False)
        rows[each] = refused(alone.rows[each], known, sure=holds(known, engine) is not None)
    for each in lacking:
        rows |= _absent(unit, [each], Absent(engine.without[each])).rows
    return replace(judged, rows=rows)


def refused(row: Row, known: Refusal, *, sure: bool) -> Row:
    """The row of a cell that is known to be refused: absent where it is, and news where it is not.

    It is no news where it is not `sure` that the refusal's condition holds.
    """
    if row.status == "error" and known.words in row.why:
        return replace(row, status="absent", why=f"{row.contender} refuses: {row.why}")
    if row.status in ("error", "absent") or not sure:
        return row
    return replace(row, why=f"{GONE}: it raised {known.words!r}; {row.why}".rstrip("; "))


def unchanged(ready: Any) -> str:
    """The invariant of lane (d) that the call breaks, or nothing.

    A GPU may sum in any order each time, and is asked for them only where it gives the same bits again.
    """
    if not isinstance(ready, Ready):
        return ""
    given = ready.params, ready.data, ready.cotangents
    alike = partial(invariants.repeats, ready.engine, ready.vjp, *given)
    fault = invariants.broken(ready.engine, ready.vjp, *given, ready.vjp(*given))
    return fault if not fault or ready.engine.device == "cpu" or alike() else ""


def attempt(
    case: Case,
    contender: Contender,
    engine: Backend,
    unit: Cell,
    directions: Sequence[str],
    curve: bool = False,
) -> Judged:
    """The rows of these directions; an exception becomes a row with its sentence."""
    try:
        if case.training:
            return _training(case, contender, engine, unit, curve)
        return _formula(case, contender, engine, unit, directions)
    except Absent as reason:  # some frameworks say only when they are called that they have no such kernel
        return _absent(unit, directions, reason)
    except Exception as error:
        if engine.lacks(error) and len(directions) > 1:  # one of them may have its kernels
            alone = [attempt(case, contender, engine, unit, [each], curve) for each in directions]
            return Judged({each: one.rows[each] for each, one in zip(directions, alone, strict=True)})
        if engine.lacks(error):
            why = f"no {unit.dtype} kernel: {sentence(error)}"
            return Judged({each: row_of(unit, each, status="absent", why=why) for each in directions})
        return _broken(unit, directions, error)


def _absent(unit: Cell, directions: Sequence[str], reason: Absent) -> Judged:
    return Judged({each: row_of(unit, each, status="absent", why=str(reason)) for each in directions})


def _broken(unit: Cell, directions: Sequence[str], error: Exception) -> Judged:
    why = sentence(error)
    return Judged({each: row_of(unit, each, status="error", why=why) for each in directions})


def _formula(
    case: Case, contender: Contender, engine: Backend, unit: Cell, directions: Sequence[str]
) -> Judged:
    ready = placed(case, contender, engine, unit, directions)
    forward = engine.forward(ready.run, unit.mode)

    def call(params: Any) -> Any:
        if ready.vjp:
            return ready.vjp(params, ready.data, ready.cotangents)
        return forward(params, ready.data), None

    compiled = unit.mode not in ("eager", *engine.layouts)
    params = engine.put(tree_map(turned, engine.get(ready.params))) if compiled else ready.params
    before = engine.compilations()[1]
    start = time.perf_counter()
    outputs, gradients = call(params)
    engine.wait((outputs, gradients))
    first = time.perf_counter() - start
    compiling = engine.compiling_since(before)
    if compiled:  # what it kept of the weights in its first call is not what is judged
        outputs, gradients = call(ready.params)
        engine.wait((outputs, gradients))
    got = tensors(ready, outputs, gradients)
    took = {"first_call_s": first, "compile_s": compiling, "tier": tier(contender, engine, unit.mode)}
    rows = {each: verdict(unit, each, got, engine, **took) for each in directions}
    return Judged(rows, ready, got=got, places=ready.places)


def tier(contender: Contender, engine: Backend, mode: str) -> str:
    """A contender's own, and at least that of the mode in which it runs."""
    return TIERS[max(TIERS.index(contender.tier), int(mode in engine.tuned))]


def turned(leaf: Any) -> Any:
    """Other weights of the same kind: each element in the place of the next."""
    return np.roll(leaf, 1) if isinstance(leaf, np.ndarray) else leaf


def _training(case: Case, contender: Contender, engine: Backend, unit: Cell, curve: bool) -> Judged:
    trained: Trained = train(case, contender, engine, unit, inputs(unit), curve=curve)
    took: dict[str, Any] = {"first_call_s": trained.first_call_s, "compile_s": trained.compile_s}
    took["tier"] = tier(contender, engine, unit.mode)
    row = verdict(unit, "training", trained.got, engine, **took)
    if trained.miscount and row.status in ("agrees", "limited"):
        row = replace(row, status="disagrees", why=trained.miscount)
    if trained.score:
        assert case.curve is not None
        metric = f"{trained.score[0]} after {case.curve['steps']} steps at size {case.curve['size']}"
        row = replace(row, metric=metric, score=trained.score[1])
    return Judged({"training": row}, trained.ready, trained.curve, trained.got, trained.places)
