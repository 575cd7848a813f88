"""``run(cell) -> Row``: builds a contender, calls it and compares. An exception becomes a row."""

import math
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from time import perf_counter
from typing import Any

import numpy as np

from bench import pages
from bench.backends import FURTHER, SHIPPED, Absent, Backend, backend
from bench.backends.api import require
from bench.case import TIERS, Case, Contender, Refusal
from bench.cells.cell import Cell
from bench.contender import check
from bench.contender.given import bits, changed, held
from bench.contender.layout import Layout
from bench.contender.prepare import Ready, find, instance, placed, tensors
from bench.contender.program import Program, Programs, compiles
from bench.contender.train import Trained, train
from bench.inputs import inputs
from bench.noise import accumulators
from bench.store.row import GONE, TIMED, Row, sentence
from bench.tolerance.expected import expectation
from bench.tree import tree_map
from bench.verdict import invariants
from bench.verdict.again import CALLS, FEWER, called_again, left, repeat, unlinked, unsteady_row
from bench.verdict.compare import Agreement
from bench.verdict.known import holds, limits, refusal, settle
from bench.verdict.missing import missing
from bench.verdict.row import elsewhere, row_of, verdict


@dataclass(frozen=True)
class Judged:
    """The rows of one call, by direction, and what is needed to time it."""

    rows: Mapping[str, Row]
    ready: Any = None  # the prepared contender, which bench.speed times
    curve: Sequence[float] = ()
    got: Mapping[str, Any] = field(default_factory=dict)  # outputs by tensor, in the reference's layout
    places: Layout | None = None


def run(cell: Cell) -> Row:
    """The row of a cell. An exception of the contender is not raised: it becomes status error."""
    return missing(cell) or judge(cell.unit, (cell.direction,)).rows[cell.direction]


def judge(
    unit: Cell,
    directions: Sequence[str],
    *,
    curve: bool = False,
    calls: int = CALLS,
    programs: Programs | None = None,
) -> Judged:
    """The rows of `directions`, from one call; a direction with a Refusal gets a call of its own.

    The call is repeated on further inputs: see `bench.verdict.again`. `calls` is how often, in float32.

    With `programs`, one that was compiled for other values may judge that the cell agrees. If it says
    anything else, or raises, the contender is built and compiled again: the row is that of its own program.
    """
    try:
        case = pages.case(unit.case)
        contender = find(case, unit)
        for each in (unit.option, unit.size):
            if each in contender.without:
                raise Absent(f"{contender}: {contender.without[each]}")
        engine = instance(backend(unit.backend), unit.device, unit.dtype)
        formula = contender.backend == "numpy" and contender not in case.contenders
        if unit.backend in (*SHIPPED, *FURTHER) and not formula:  # a plug-in need not name a real API
            with suppress(ImportError):  # the build itself reports what is not installed
                require(contender.api)
        refusals = {each: known for each in directions if (known := refusal(contender, unit, each, engine))}
    except Absent as reason:
        return _absent(unit, directions, reason)
    except Exception as error:
        return _broken(unit, directions, error)
    lacking = [each for each in directions if each in engine.without]
    willing = [each for each in directions if each not in lacking and each not in refusals]
    judged = Judged({})
    if willing:
        judged = attempt(case, contender, engine, unit, willing, curve, calls, programs)
    rows = dict(judged.rows)
    cheap = not case.random and unit.mode not in engine.typical and unit.size == next(iter(case.sizes))
    if cheap and "gradient" in rows and rows["gradient"].status == "agrees":
        rows["gradient"] = unsteady_row(rows["gradient"], unit, engine, unchanged(judged.ready))
    for each, known in refusals.items():
        alone = attempt(case, contender, engine, unit, [each], False, calls)
        rows[each] = refused(alone.rows[each], known, sure=holds(known, engine) is not None)
    for each in lacking:
        rows |= _absent(unit, [each], Absent(engine.without[each])).rows
    return replace(judged, rows=rows)


def refused(row: Row, known: Refusal, *, sure: bool) -> Row:
    """The row of a cell with a Refusal: absent if the framework refuses it, else with a note that it works.

    The note is left out unless it is `sure` that the condition of the Refusal holds.
    """
    if row.status == "error" and known.words in row.why:
        return replace(row, status="absent", why=f"{row.contender} refuses: {row.why}")
    if row.status in ("error", "absent") or not sure:
        return row
    return replace(row, why=f"{GONE}: it raised {known.words!r}; {row.why}".rstrip("; "))


def unchanged(ready: Any) -> str:
    """The invariant of lane (d) that the call breaks, or empty.

    A GPU may sum in a different order each time, so there it counts only if repeated calls give equal bits.
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
    calls: int = 0,
    programs: Programs | None = None,
) -> Judged:
    """The rows of these directions; an exception becomes a row. Without `calls`, no call is repeated."""
    least = calls if unit.dtype == "float32" else calls // FEWER
    try:
        if case.training:
            return _training(case, contender, engine, unit, curve, least)
        return _formula(case, contender, engine, unit, directions, least, programs)
    except Absent as reason:  # some frameworks raise only at the call if they have no kernel
        return _absent(unit, directions, reason)
    except check.Unlike as error:
        return _unlike(unit, directions, engine, error)
    except Exception as error:
        package = contender.api.partition(".")[0]
        if isinstance(error, ModuleNotFoundError) and error.name == package:
            needs = f"{contender} needs {package}, which is not installed (pip install {package})"
            return _absent(unit, directions, Absent(needs))
        if engine.lacks(error) and len(directions) > 1:  # one of the directions may have a kernel
            alone = [attempt(case, contender, engine, unit, [each], curve, calls) for each in directions]
            return Judged({each: one.rows[each] for each, one in zip(directions, alone, strict=True)})
        if engine.lacks(error):
            why = f"no {unit.dtype} kernel: {sentence(error)}"
            return Judged({each: row_of(unit, each, status="absent", why=why) for each in directions})
        return _broken(unit, directions, error)


def _unlike(unit: Cell, directions: Sequence[str], engine: Backend, error: check.Unlike) -> Judged:
    """The rows of outputs of another shape or dtype, for which no gradient exists: errors without a Limit."""
    rows, why = {}, str(error)
    for each in directions:
        found: dict[str, Any] = {"status": "error", "why": why}
        if known := limits(unit, engine, each):
            settled = settle(Agreement("disagrees", why, z_rms=math.inf), known)
            found = {**settled, "z_rms": math.inf, "version": engine.version, "threads": engine.threads()}
        rows[each] = row_of(unit, each, **found)
    return Judged(rows)


def _absent(unit: Cell, directions: Sequence[str], reason: Absent) -> Judged:
    return Judged({each: row_of(unit, each, status="absent", why=str(reason)) for each in directions})


def _broken(unit: Cell, directions: Sequence[str], error: Exception) -> Judged:
    why = sentence(error)
    return Judged({each: row_of(unit, each, status="error", why=why) for each in directions})


def _formula(
    case: Case,
    contender: Contender,
    engine: Backend,
    unit: Cell,
    directions: Sequence[str],
    least: int,
    programs: Programs | None,
) -> Judged:
    ready = placed(case, contender, engine, unit, directions)
    if programs and (kept := programs.get(ready, unit, directions)):
        judged = Judged({})
        with suppress(Exception):
            given = replace(ready, run=kept.run, vjp=kept.vjp)
            judged = _rows(contender, given, kept.forward, unit, directions, least, compiled=True)
        if judged.rows and all(row.status == "agrees" for row in judged.rows.values()):
            return judged
        ready = placed(case, contender, engine, unit, directions)  # the call may have changed what it got
    forward = engine.forward(ready.run, unit.mode)
    judged = _rows(contender, ready, forward, unit, directions, least)
    if programs and not case.random and compiles(engine, unit.mode):
        programs.keep(ready, unit, directions, Program(ready.run, forward, ready.vjp))
    return judged


def _rows(
    contender: Contender,
    ready: Ready,
    forward: Any,
    unit: Cell,
    directions: Sequence[str],
    least: int,
    *,
    compiled: bool = False,
) -> Judged:
    """The rows of a contender on its device; `compiled` means that its program was called before."""
    engine = ready.engine

    def call(params: Any, data: Any, cotangents: Any) -> tuple[Any, Any]:
        return ready.vjp(params, data, cotangents) if ready.vjp else (forward(params, data), None)

    wrt = ready.wrt if ready.vjp else None
    given = ready.run, ready.params, ready.data, ready.cotangents, wrt
    before = bits(engine, ready.given)
    try:
        outputs, gradients, took = _called(ready, unit.mode, call, compiled)
    except Absent:
        raise
    except Exception as error:
        if not engine.lacks(error):
            check.explain(contender, engine, *given)
        raise
    check.named(contender, outputs, ready.cotangents)
    got = tensors(ready, outputs, gradients)
    took["tier"] = tier(contender, engine, unit.mode)
    rows = {each: verdict(unit, each, got, engine, **took) for each in directions}
    if (
        "gradient" in rows
        and rows["gradient"].status == "disagrees"
        and (names := _unreached(ready, unit, got))
    ):
        why = f"{contender}: {check.detached(names)}"
        rows["gradient"] = row_of(unit, "gradient", status="error", why=why)
    rows = left(rows, changed(before, bits(engine, ready.given)))
    if least and any(row.status in TIMED or row.limit for row in rows.values()):
        first = held(engine.get((outputs, gradients)))
        rows, other = called_again(rows, ready, unit, partial(call, ready.params), first, least)
        wrong = {each for each, row in rows.items() if row.input_set}
        got |= {path: y for path, y in other.items() if path.partition(".")[0] in wrong}
        rows = left(rows, changed(before, bits(engine, ready.given)))
    return Judged(rows, ready, got=got, places=ready.places)


def _unreached(ready: Ready, unit: Cell, got: Mapping[str, Any]) -> str:
    """The gradients that are zero where they should not be since the framework has no path to them."""
    expected = expectation(replace(unit, direction="gradient"), accumulator=accumulators(unit.dtype)[0])
    zero = {
        path.partition(".")[2]
        for path, one in expected.items()
        if path.startswith("gradient.") and one.value.any() and path in got and not got[path].any()
    }
    outputs = list(ready.cotangents)
    given = ready.run, ready.params, ready.data, outputs, ready.wrt
    return ", ".join(sorted(zero & check.lost(ready.engine, *given, ready.places))) if zero else ""


def _called(ready: Ready, mode: str, call: Any, compiled: bool) -> tuple[Any, Any, dict[str, Any]]:
    """Outputs and gradients of one call, and what the first call took unless it was `compiled` before."""
    engine = ready.engine
    if compiled:
        outputs, gradients = call(ready.params, ready.data, ready.cotangents)
        engine.wait((outputs, gradients))
        return outputs, gradients, {}
    compiled = compiles(engine, mode)
    params = engine.put(tree_map(turned, engine.get(ready.params))) if compiled else ready.params
    before = engine.compilations()[1]
    start = perf_counter()
    outputs, gradients = call(params, ready.data, ready.cotangents)
    engine.wait((outputs, gradients))
    first = perf_counter() - start
    compiling = engine.compiling_since(before)
    if compiled:  # the first call had other weights: weights that the program captured would be wrong here
        outputs, gradients = call(ready.params, ready.data, ready.cotangents)
        engine.wait((outputs, gradients))
    return outputs, gradients, {"first_call_s": first, "compile_s": compiling}


def tier(contender: Contender, engine: Backend, mode: str) -> str:
    """The tier of a contender, at least the tier of its mode."""
    return TIERS[max(TIERS.index(contender.tier), int(mode in engine.tuned))]


def turned(leaf: Any) -> Any:
    """Other weights with the same shape and dtype: the elements rotated by one."""
    return np.roll(leaf, 1) if isinstance(leaf, np.ndarray) else leaf


def _training(
    case: Case, contender: Contender, engine: Backend, unit: Cell, curve: bool, least: int
) -> Judged:
    def alike(number: int, result: Any) -> bool:
        return engine.device != "cpu" and not elsewhere(unit, "training", result, engine, number)

    trained: Trained = train(case, contender, engine, unit, inputs(unit), curve=curve)
    took: dict[str, Any] = {"first_call_s": trained.first_call_s, "compile_s": trained.compile_s}
    took["tier"] = tier(contender, engine, unit.mode)
    row = verdict(unit, "training", trained.got, engine, **took)
    if trained.miscount and row.status in ("agrees", "limited"):
        row = replace(row, status="disagrees", why=trained.miscount, bits=None)
    if least and row.status in TIMED:
        ready = trained.ready
        times = -(-least // max(len(ready.batches), 1))
        calls, faults = repeat(lambda number: ready.again(), [trained.got], times, alike, fewest=1)
        ready.start()
        fault = " ".join(faults.values()) or unlinked(ready, trained.got)
        row = unsteady_row(row, unit, engine, fault)
        row = left({"training": row}, changed(ready.bits, bits(engine, ready.given)))["training"]
        row = replace(row, judged=str(len(ready.batches)), repeats=calls * len(ready.batches))
    if trained.score:
        assert case.curve is not None
        metric = f"{trained.score[0]} after {case.curve['steps']} steps at size {case.curve['size']}"
        row = replace(row, metric=metric, score=trained.score[1])
    return Judged({"training": row}, trained.ready, trained.curve, trained.got, trained.places)
