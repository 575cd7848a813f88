"""``run(cell) -> Row``: build the contender, call it, compare. What it raises becomes a row."""

import re
import time
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

import numpy as np

from bench import invariants, pages, saboteur
from bench.backends import Absent, Backend, backend
from bench.case import INTEGERS, Case, Contender
from bench.cell import Cell
from bench.expect import expectation, inputs
from bench.known import limits, refusal, settle
from bench.layout import layout
from bench.row import Row
from bench.train import Trained, train
from bench.tree import flatten
from bench.verdict import compare


@dataclass(frozen=True)
class Judged:
    """The rows of one call, by direction, and what a timing of it needs."""

    rows: Mapping[str, Row]
    ready: Any = None  # what bench.timing prepares its calls from
    curve: Sequence[float] = ()


def run(cell: Cell) -> Row:
    """One cell's row. Never raises for what the contender does: that is a row with status error."""
    return judge(cell.unit, (cell.direction,)).rows[cell.direction]


@dataclass(frozen=True)
class Ready:
    """A contender on its device, ready to be called again."""

    engine: Backend
    run: Any
    vjp: Any
    params: Any
    data: Any
    cotangents: Any


def judge(unit: Cell, directions: Sequence[str], *, curve: bool = False) -> Judged:
    """The rows of `directions`, which one call gives together; a refused one is asked for alone."""
    try:
        case = pages.case(unit.case)
        contender = find(case, unit)
        if unit.option in contender.without:
            raise Absent(f"{contender}: {contender.without[unit.option]}")
        engine = instance(backend(unit.backend), unit.device, unit.dtype)
    except Absent as reason:
        return _absent(unit, directions, reason)
    except Exception as error:
        return _broken(unit, directions, error)
    lacking = [each for each in directions if each in engine.without]
    refusals = {each: words for each in directions if (words := refusal(contender, unit, each))}
    willing = [each for each in directions if each not in lacking and each not in refusals]
    judged = attempt(case, contender, engine, unit, willing, curve) if willing else Judged({})
    rows = dict(judged.rows)
    cheap = unit.mode not in engine.typical and unit.size == next(iter(case.sizes))
    if (
        cheap
        and "gradient" in rows
        and rows["gradient"].status == "agrees"
        and (fault := unchanged(judged.ready))
    ):
        rows["gradient"] = replace(rows["gradient"], status="disagrees", why=fault)
    for each, words in refusals.items():
        row = attempt(case, contender, engine, unit, [each], False).rows[each]
        if row.status == "error" and words in row.why:
            rows[each] = replace(row, status="absent", why=f"{contender} refuses: {row.why}")
        else:
            why = f"stale refusal: got {row.status}, should raise {words!r}; {row.why}".rstrip("; ")
            rows[each] = replace(row, status="disagrees", why=why)
    for each in lacking:
        rows |= _absent(unit, [each], Absent(engine.without[each])).rows
    return replace(judged, rows=rows)


def find(case: Case, cell: Cell) -> Contender:
    """The contender of a cell; raises ValueError and names those that exist."""
    contenders = {str(each): each for each in backend(cell.backend).contenders(case)}
    if cell.contender not in contenders:
        known = ", ".join(contenders) or "none"
        raise ValueError(f"contender of {case.name}: got {cell.contender!r}, should be one of {known}")
    return contenders[cell.contender]


def unchanged(ready: Any) -> str:
    """The invariant of lane (d) that the call breaks, or nothing. A GPU may sum in any order each time."""
    if not isinstance(ready, Ready) or ready.engine.device != "cpu":
        return ""
    first = ready.vjp(ready.params, ready.data, ready.cotangents)
    return invariants.broken(ready.engine, ready.vjp, ready.params, ready.data, ready.cotangents, first)


def attempt(
    case: Case,
    contender: Contender,
    engine: Backend,
    unit: Cell,
    directions: Sequence[str],
    curve: bool = False,
) -> Judged:
    """The rows of these directions; what is raised becomes a row."""
    try:
        if case.training:
            return _training(case, contender, engine, unit, curve)
        return _formula(case, contender, engine, unit, directions)
    except Absent as reason:  # some frameworks say only when they are called that they have no such kernel
        return _absent(unit, directions, reason)
    except Exception as error:
        return _broken(unit, directions, error)


def _absent(unit: Cell, directions: Sequence[str], reason: Absent) -> Judged:
    return Judged({each: _row(unit, each, status="absent", why=str(reason)) for each in directions})


def _broken(unit: Cell, directions: Sequence[str], error: Exception) -> Judged:
    why = sentence(error)
    return Judged({each: _row(unit, each, status="error", why=why) for each in directions})


@lru_cache
def instance(cls: type[Backend], device: str, dtype: str) -> Backend:
    """One backend per device and dtype in this process; raises Absent."""
    cls.installed()
    return cls(device, dtype)


def sentence(error: BaseException) -> str:
    """An exception in one line, short enough for a table."""
    text = re.sub(
        r"/[^\s\"']*/(?=[^/\s]+/[^/\s]+\.py)", "", " ".join(str(error).split())
    )  # rows are published
    if len(text) > 300:
        text = f"{text[:100]} … {text[-200:]}"  # a framework's own message often comes last
    return f"{type(error).__name__}: {text}".rstrip(": ")


def _formula(
    case: Case, contender: Contender, engine: Backend, unit: Cell, directions: Sequence[str]
) -> Judged:
    given, option = inputs(unit), case.options[unit.option]
    with engine.building():
        params, run = contender.build(given.weights, **option)
        places = layout(lambda tree: contender.build(tree, **option)[0], given.weights)
    if places.problem:
        raise ValueError(f"{contender.api}: {places.problem}; a build should only rearrange them")
    floating = [name for name, value in given.data.items() if value.dtype.kind not in "iub"]
    wrt = [name for name in floating if name not in case.fixed]
    vjp = engine.vjp(run, unit.mode, wrt) if "gradient" in directions else None
    on_device = engine.put(params), engine.put(dict(given.data)), engine.put(dict(given.cotangents))
    start = time.perf_counter()
    if vjp:
        outputs, gradients = vjp(*on_device)
    else:
        outputs, gradients = engine.forward(run, unit.mode)(*on_device[:2]), None
    engine.wait((outputs, gradients))
    first = time.perf_counter() - start
    got = {f"forward.{path}": array for path, array in flatten(engine.get(outputs)).items()}
    if gradients is not None:
        found = engine.get(gradients)
        back = {**flatten(places.back(found["params"])), **flatten(found["data"])}
        got |= {f"gradient.{p}": array for p, array in back.items() if p.split(".")[0] not in case.fixed}
    rows = {each: verdict(unit, each, got, engine, first_call_s=first) for each in directions}
    return Judged(rows, Ready(engine, run, vjp, *on_device))


def forward(unit: Cell, engine: Backend, outputs: Any) -> Row:
    """The row of outputs that a forward call gave, without a gradient."""
    got = {f"forward.{path}": array for path, array in flatten(engine.get(outputs)).items()}
    return verdict(unit, "forward", got, engine)


def _training(case: Case, contender: Contender, engine: Backend, unit: Cell, curve: bool) -> Judged:
    trained: Trained = train(case, contender, engine, unit, inputs(unit), curve=curve)
    row = verdict(unit, "training", trained.got, engine, first_call_s=trained.first_call_s)
    if trained.score:
        assert case.curve is not None
        metric = f"{trained.score[0]} after {case.curve['steps']} steps at size {case.curve['size']}"
        row = replace(row, metric=metric, score=trained.score[1])
    return Judged({"training": row}, trained.ready, trained.curve)


def verdict(unit: Cell, direction: str, got: Mapping[str, Any], engine: Backend, **more: Any) -> Row:
    """The row of what was `got`: compared with the expectation, then held against the limits."""

    def of(tensors: Mapping[str, Any]) -> dict[str, Any]:
        prefix = f"{direction}."
        return {path.removeprefix(prefix): x for path, x in tensors.items() if path.startswith(prefix)}

    mine = of(got)
    agreement = compare(
        mine,
        of(expectation(unit)),
        dtype=unit.dtype,
        worst=lambda: of(expectation(unit, worst=True)),
    )
    if agreement.status == "agrees" and (passing := saboteur.passing(unit, direction)):
        agreement = replace(agreement, status="mistrusted", why=f"{passing} would pass this check as well")
    settled = settle(agreement, limits(unit, engine, direction))
    identity = engine.name == "numpy" and unit.dtype == "float64" and settled["status"] == "agrees"
    return _row(
        unit,
        direction,
        **settled,
        bits=None if identity else agreement.bits,
        z_rms=agreement.z_rms,
        z_worst=agreement.z_worst,
        worst=agreement.worst,
        undecided=agreement.undecided,
        version=engine.version,
        threads=engine.threads(),
        precision=engine.precision,
        checksum=f"{zlib.crc32(b''.join(np.ascontiguousarray(y).tobytes() for y in mine.values())):08x}",
        **more,
    )


def _row(unit: Cell, direction: str, **found: Any) -> Row:
    cell = replace(unit, direction=direction)
    coordinates = {name: value for name, value in asdict(cell).items()}
    return Row(
        **coordinates,
        time=datetime.now(UTC).isoformat(timespec="seconds"),
        lane="exact" if unit.regime == INTEGERS else "semantics" if unit.dtype == "float64" else "native",
        command=cell.command,
        **found,
    )
