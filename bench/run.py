"""``run(cell) -> Row``: build the contender, call it, compare. What it raises becomes a row."""

import os
import re
import time
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from functools import lru_cache, partial
from typing import Any

import numpy as np

from bench import invariants, pages, saboteur
from bench.backends import Absent, Backend, backend
from bench.case import INTEGERS, TIERS, Case, Contender
from bench.cell import LOW, Cell
from bench.expect import expectation, inputs
from bench.known import limits, refusal, settle, unsteady
from bench.layout import Layout, layout
from bench.noise import TF32_FACTORS, accumulators
from bench.row import Row
from bench.train import Trained, train
from bench.tree import flatten, tree_map
from bench.verdict import Agreement, compare

THREADS = "GAUGEBLOCK_THREADS"


@dataclass(frozen=True)
class Judged:
    """The rows of one call, by direction, and what a timing of it needs."""

    rows: Mapping[str, Row]
    ready: Any = None  # what bench.timing prepares its calls from
    curve: Sequence[float] = ()
    got: Mapping[str, Any] = field(default_factory=dict)  # by tensor, in the reference's layout
    places: Layout | None = None


def run(cell: Cell) -> Row:
    """One cell's row. Never raises for what the contender does: that is a row with status error."""
    return judge(cell.unit, (cell.direction,)).rows[cell.direction]


@dataclass(frozen=True)
class Ready:
    """A contender on its device, ready to be called again."""

    engine: Backend
    case: Case
    places: Layout
    wrt: Sequence[str]
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
        for each in (unit.option, unit.size):
            if each in contender.without:
                raise Absent(f"{contender}: {contender.without[each]}")
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
    cheap = not case.random and unit.mode not in engine.typical and unit.size == next(iter(case.sizes))
    if (
        cheap
        and "gradient" in rows
        and rows["gradient"].status == "agrees"
        and (fault := unchanged(judged.ready))
    ):
        found: dict[str, Any] = unsteady(fault, limits(unit, engine, "gradient"))
        rows["gradient"] = replace(rows["gradient"], **found)
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
        if engine.lacks(error) and len(directions) > 1:  # one of them may have its kernels
            alone = [attempt(case, contender, engine, unit, [each], curve) for each in directions]
            return Judged({each: one.rows[each] for each, one in zip(directions, alone, strict=True)})
        if engine.lacks(error):
            why = f"no {unit.dtype} kernel: {sentence(error)}"
            return Judged({each: _row(unit, each, status="absent", why=why) for each in directions})
        return _broken(unit, directions, error)


def _absent(unit: Cell, directions: Sequence[str], reason: Absent) -> Judged:
    return Judged({each: _row(unit, each, status="absent", why=str(reason)) for each in directions})


def _broken(unit: Cell, directions: Sequence[str], error: Exception) -> Judged:
    why = sentence(error)
    return Judged({each: _row(unit, each, status="error", why=why) for each in directions})


@lru_cache
def instance(cls: type[Backend], device: str, dtype: str) -> Backend:
    """One backend per device and dtype in this process; raises Absent, or RuntimeError for its threads.

    A worker is told in its environment how many threads it was started with.
    """
    cls.installed()
    engine = cls(device, dtype)
    asked, found = os.environ.get(THREADS), engine.threads()
    if asked and found is not None and found != int(asked):
        raise RuntimeError(
            f"{cls.name}: reads back {found} threads, should be the {asked} it was started with"
        )
    return engine


def sentence(error: BaseException) -> str:
    """An exception in one line, short enough for a table."""
    text = re.sub(
        r"/[^\s\"']*/(?=[^/\s]+/[^/\s]+\.py)", "", " ".join(str(error).split())
    )  # rows are published
    if len(text) > 300:
        text = f"{text[:100]} … {text[-200:]}"  # a framework's own message often comes last
    return f"{type(error).__name__}: {text}".rstrip(": ")


def prepared(unit: Cell) -> Any:
    """What a timing of a unit needs, without a verdict: what is timed has its own. Raises what it raises."""
    case, engine = pages.case(unit.case), instance(backend(unit.backend), unit.device, unit.dtype)
    contender = find(case, unit)
    if case.training:
        return train(case, contender, engine, unit, inputs(unit), curve=False).ready
    given = contender.directions or case.directions
    return _placed(case, contender, engine, unit, [each for each in given if each not in engine.without])


def _placed(
    case: Case, contender: Contender, engine: Backend, unit: Cell, directions: Sequence[str]
) -> Ready:
    given, option = inputs(unit), case.options[unit.option]
    with engine.building():
        params, run = contender.build(given.weights, **option)
        places = layout(lambda tree: contender.build(tree, **option)[0], given.weights)
    if places.problem:
        raise ValueError(f"{contender.api}: {places.problem}; a build should only rearrange them")
    wrt = differentiated(case, given.data)
    vjp = engine.vjp(run, unit.mode, wrt) if "gradient" in directions else None
    on_device = engine.put(params), taken(engine, case, given.data), engine.put(dict(given.cotangents))
    return Ready(engine, case, places, wrt, run, vjp, *on_device)


def _formula(
    case: Case, contender: Contender, engine: Backend, unit: Cell, directions: Sequence[str]
) -> Judged:
    ready = _placed(case, contender, engine, unit, directions)
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


def taken(engine: Backend, case: Case, data: Mapping[str, Any]) -> Any:
    """The data as a run is given them: on the device, unless taking them there is the formula."""
    return dict(data) if case.on_host else engine.put(dict(data))


def differentiated(case: Case, data: Mapping[str, Any]) -> list[str]:
    """The data that have a gradient: floating ones, but for targets."""
    floating = [name for name, value in data.items() if value.dtype.kind not in "iub"]
    return [name for name in floating if name not in case.fixed]


def tensors(ready: Ready, outputs: Any, gradients: Any) -> dict[str, Any]:
    """By ``forward.<output>`` and ``gradient.<input>``, as NumPy has them and in the reference's layout."""
    engine = ready.engine
    got = {f"forward.{path}": array for path, array in flatten(engine.get(outputs)).items()}
    if gradients is not None:
        found = engine.get(gradients)
        back = {**flatten(ready.places.back(found["params"])), **flatten(found["data"])}
        fixed = ready.case.fixed
        got |= {f"gradient.{path}": y for path, y in back.items() if path.split(".")[0] not in fixed}
    return got


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


def verdict(unit: Cell, direction: str, got: Mapping[str, Any], engine: Backend, **more: Any) -> Row:
    """The row of what was `got`: compared with the expectation, then held against the limits."""

    mine = _of(direction, lambda: got)
    accumulator, agreement = _inferred(unit, direction, mine, engine)
    rounded = accumulator == TF32_FACTORS
    few = unit.dtype if unit.dtype in LOW else TF32_FACTORS if rounded else ""  # bits, which let more pass
    trusted = agreement.status != "agrees" or few
    known = limits(unit, engine, direction)
    if rounded:  # those of its size drown
        known = [replace(each, always=False) for each in known]
    if not trusted and (passing := saboteur.passing(unit, direction)):
        agreement = replace(agreement, status="mistrusted", why=f"{passing} would pass this check as well")
    settled = _resolved(settle(agreement, known), few)
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
        settings="as shipped" if engine.shipped else "",
        accumulator=accumulator,
        checksum=f"{zlib.crc32(b''.join(np.ascontiguousarray(y).tobytes() for y in mine.values())):08x}",
        **more,
    )


def _of(direction: str, tensors: Callable[[], Mapping[str, Any]]) -> dict[str, Any]:
    prefix = f"{direction}."
    return {path.removeprefix(prefix): x for path, x in tensors().items() if path.startswith(prefix)}


def _inferred(unit: Cell, direction: str, got: Mapping[str, Any], engine: Backend) -> tuple[str, Agreement]:
    """The first accumulator under which the cell agrees, the widest first; else what the last one says."""
    for accumulator in accumulators(unit.dtype, tf32=engine.allows_tf32(unit.mode)):
        expected = partial(expectation, unit, accumulator=accumulator)
        worst = partial(_of, direction, partial(expected, worst=True))
        agreement = compare(got, _of(direction, expected), dtype=unit.dtype, worst=worst)
        if agreement.status in ("agrees", "mistrusted"):
            break
    return accumulator, agreement


def _resolved(settled: dict[str, str], few: str) -> dict[str, str]:
    """Where rounding to few bits drowns a formula, that is said of them, and not of the check."""
    if settled["status"] != "mistrusted" or not few:
        return settled
    return {"status": "absent", "why": f"{few} does not resolve it: {settled['why']}"}


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
