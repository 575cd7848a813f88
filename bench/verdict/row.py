"""Makes the row of a cell's outputs: compares them with the expectation, then applies known limits."""

import math
import os
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime
from functools import partial
from typing import Any

import numpy as np

from bench.backends import Backend, backend, packages
from bench.cache import digest, folder
from bench.case import INTEGERS
from bench.cells.cell import LOW, Cell
from bench.machine import isa
from bench.noise import TF32_FACTORS, accumulators, precision
from bench.store.row import TIMED, Row
from bench.tolerance.expected import expectation, shares
from bench.verdict import saboteur
from bench.verdict.compare import Agreement, compare
from bench.verdict.known import Known, limits, settle


def verdict(unit: Cell, direction: str, got: Mapping[str, Any], engine: Backend, **more: Any) -> Row:
    """The row of the outputs `got`, compared with the expectation, after applying known limits."""

    mine = _of(direction, lambda: got)
    known = limits(unit, engine, direction)
    accumulator, agreement = _inferred(unit, direction, mine, engine, known)
    rounded = accumulator == TF32_FACTORS
    few = unit.dtype if unit.dtype in LOW else TF32_FACTORS if rounded else ""  # few bits let saboteurs pass
    trusted = agreement.status != "agrees" or few
    if rounded:  # rounding to TF32 can hide a known departure
        known = [replace(each, limit=replace(each.limit, always=False)) for each in known]
    if not trusted and (passing := saboteur.passing(unit, direction)):
        agreement = replace(agreement, status="mistrusted", why=f"{passing} would pass this check as well")
    if agreement.status == "mistrusted" and _flushable(unit, direction):
        few = unit.dtype
    settled = _resolved(settle(agreement, known), few)
    # a cell that fails in another way than by its errors has no bits
    told = settled["status"] in TIMED or agreement.status in ("imprecise", "disagrees")
    identity = engine.name == "numpy" and unit.dtype == "float64" and settled["status"] == "agrees"
    return row_of(
        unit,
        direction,
        **settled,
        **_departed(agreement, known),
        **_bits(agreement.bits if told and not identity else None, unit.dtype),
        z_rms=agreement.z_rms,
        z_worst=agreement.z_worst,
        worst=agreement.worst,
        **_there(agreement),
        undecided=agreement.undecided,
        version=engine.version,
        threads=engine.threads(),
        precision=engine.precision_in(unit.mode),
        isa=engine.isa(),
        settings=", ".join(declared(engine.shipped, os.environ.get(isa.TOLD))),
        accumulator=accumulator,
        spread="" if unit.regime == INTEGERS else "shared" if shares(unit) else "own",
        checksum=f"{zlib.crc32(b''.join(np.ascontiguousarray(y).tobytes() for y in mine.values())):08x}",
        **more,
    )


def after(row: Row, unit: Cell, got: Mapping[str, Any], engine: Backend, number: int) -> Row:
    """The row after the outputs for a further set of inputs, which may be wrong or further off."""
    known = limits(unit, engine, row.direction)
    agreement = _further(unit, row.direction, got, engine, number, known)
    wrong = _wrong(unit, number, agreement, known) if row.status in TIMED else {}
    seen = (row.departed_low, row.departed_high)
    return replace(row, **wrong, **_departed(agreement, known, [z for z in seen if z is not None]))


def elsewhere(
    unit: Cell, direction: str, got: Mapping[str, Any], engine: Backend, number: int
) -> dict[str, Any]:
    """What a row says if the outputs for a further set of inputs are not right; empty if they are.

    They are right if they agree, if they are imprecise like the first, or if a Limit explains them.
    """
    known = limits(unit, engine, direction)
    return _wrong(unit, number, _further(unit, direction, got, engine, number, known), known)


def _further(
    unit: Cell, direction: str, got: Mapping[str, Any], engine: Backend, number: int, known: Sequence[Known]
) -> Agreement:
    return _inferred(unit, direction, _of(direction, lambda: got), engine, known, number)[1]


def _departed(agreement: Agreement, known: Sequence[Known], seen: Sequence[float] = ()) -> dict[str, Any]:
    """How far off the sets of inputs are on which a cell with a Limit departs; `seen` are those before."""
    mine = any(not each.limit.varies for each in known)
    if not mine or agreement.z_rms is None or agreement.status not in ("disagrees", "imprecise"):
        return {}
    every = [*seen, agreement.z_rms]
    return {"departed_low": min(every), "departed_high": max(every)}


def _wrong(unit: Cell, number: int, agreement: Agreement, known: Sequence[Known]) -> dict[str, Any]:
    if agreement.status in ("agrees", "mistrusted"):
        return {}
    settled = settle(agreement, known)
    if settled["status"] == "limited":
        return {}
    return {
        **settled,
        "why": f"on further inputs (set {number}): {settled['why']}",
        "input_set": number,
        **_bits(agreement.bits, unit.dtype),
        "z_rms": agreement.z_rms,
        "z_worst": agreement.z_worst,
        "worst": agreement.worst,
        **_there(agreement),
    }


def _bits(bits: float | None, dtype: str) -> dict[str, float | None]:
    return {"bits": bits, "bits_lost": None if bits is None else precision(dtype).bits - bits}


def _there(agreement: Agreement) -> dict[str, float | None]:
    """What the worst element is, should be, and may be off by."""
    return {name: getattr(agreement, name) for name in ("got", "expected", "allowed")}


def declared(shipped: bool, level: str | None) -> Iterator[str]:
    """The settings of a row: as shipped, at most an instruction set."""
    if shipped:
        yield "as shipped"
    if level:
        yield f"at most {level}"


def _of(direction: str, tensors: Callable[[], Mapping[str, Any]]) -> dict[str, Any]:
    prefix = f"{direction}."
    return {path.removeprefix(prefix): x for path, x in tensors().items() if path.startswith(prefix)}


def _inferred(
    unit: Cell,
    direction: str,
    got: Mapping[str, Any],
    engine: Backend,
    known: Sequence[Known],
    number: int = 0,
) -> tuple[str, Agreement]:
    """The widest accumulator with which the cell agrees, else the narrowest, and the result with it.

    Unless a Limit decides, the narrowest is also compared with the worst case of every sum. Large outputs
    whose bits have been compared before, such as those of timed calls, have the same result.
    """
    worst = all(each.limit.varies for each in known)
    every = accumulators(unit.dtype, tf32=engine.allows_tf32(unit.mode))
    if sum(np.size(y) for y in got.values()) < LARGE:
        return _compared(unit, direction, got, worst, every, number)
    arrays = {path: np.asarray(y) for path, y in got.items()}
    key = folder(), unit, direction, worst, every, number, digest(arrays)
    if key not in _FOUND:
        _FOUND[key] = _compared(unit, direction, arrays, worst, every, number)
    return _FOUND[key]


LARGE = 2**16  # elements
NEAR = 8.0  # times its limit, from draws that elements share
_FOUND: dict[Any, tuple[str, Agreement]] = {}


def _compared(
    unit: Cell, direction: str, got: Mapping[str, Any], worst: bool, every: Sequence[str], number: int
) -> tuple[str, Agreement]:
    """The accumulator with which they agree, and the result; `worst`: else the worst case decides.

    An element that is a little outside of a limit from draws that elements share gets draws of its own: the
    model of what they share misses a few of a million, where a gradient nearly cancels.
    """
    cell = replace(unit, direction=direction)
    for accumulator in every:
        expected = partial(expectation, cell, accumulator=accumulator, number=number)
        last = worst and accumulator == every[-1]
        agreement = compare(got, _of(direction, expected), dtype=unit.dtype)
        if agreement.status in ("agrees", "mistrusted"):
            break
        if not last:
            continue
        if shares(cell) and (agreement.z_worst or math.inf) < NEAR:
            expected = partial(expected, own=True)
        most = partial(_of, direction, partial(expected, worst=True))
        agreement = compare(got, _of(direction, expected), dtype=unit.dtype, worst=most)
    return accumulator, agreement


def _flushable(unit: Cell, direction: str) -> bool:
    """Whether the right results are so small that zeros are right too; results that are all 0 are not."""
    values = _of(direction, partial(expectation, replace(unit, direction=direction)))
    largest = max((float(np.abs(one.value).max(initial=0)) for one in values.values()), default=0.0)
    return 0 < largest < precision(unit.dtype).tiny / precision(unit.dtype).u


def _resolved(settled: dict[str, Any], few: str) -> dict[str, Any]:
    """Status and why, with mistrusted replaced by absent if it comes from the dtype's few bits or range."""
    if settled["status"] != "mistrusted" or not few:
        return settled
    return {"status": "absent", "why": f"{few} does not resolve it: {settled['why']}"}


def _package(cell: Cell) -> tuple[str, str]:
    """The package of the cell's API and its version; empty if the backend cannot be found."""
    try:
        return packages.package(cell.contender, backend(cell.backend))
    except ValueError:
        return "", ""


def row_of(unit: Cell, direction: str, **found: Any) -> Row:
    """A row with the coordinates of its cell, the time, and the columns `found`."""
    cell = replace(unit, direction=direction)
    package, version = _package(cell)
    return Row(
        **asdict(cell),
        package=package,
        package_version=version,
        time=datetime.now(UTC).isoformat(timespec="seconds"),
        lane="exact" if unit.regime == INTEGERS else "semantics" if unit.dtype == "float64" else "native",
        command=cell.command(),
        **found,
    )
