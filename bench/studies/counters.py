"""Compares flops and bytes that a framework counts for a cell with those of the formula."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from bench import pages
from bench.backends import Absent, Backend, backend
from bench.case import Case, Contender, known
from bench.cells.cell import Cell
from bench.cells.selection import typical
from bench.contender.prepare import differentiated, find, instance
from bench.inputs import batch, draw, inputs, rounded
from bench.size import dims
from bench.speed import work
from bench.store.row import sentence
from bench.worker import pool

COUNTING = ("torch", "jax")
BELOW = 1e9  # flops: the largest size below this is used; terms that a formula leaves out are small there


@dataclass(frozen=True)
class Count:
    """Flops and bytes of one call: those of the page, and those that the framework counts or None."""

    cell: Cell
    formula: float
    version: str = ""
    counted: float | None = None
    least: int | None = None  # bytes
    moved: float | None = None  # bytes
    status: str = ""  # absent or error if it was not counted
    why: str = ""

    def __str__(self) -> str:
        cell = self.cell
        return f"{cell.backend}/{cell.case}/{cell.contender}/{cell.direction}"

    @property
    def ratio(self) -> float | None:
        """Counted flops over those of the formula; None if either is missing or the formula has none."""
        return self.counted / self.formula if self.counted is not None and self.formula else None


def study(cases: Sequence[Case], sizes: dict[str, str], backends: Sequence[str] = COUNTING) -> list[Count]:
    """Count every contender of these backends on these cases, each backend in its own process."""
    found: list[Count] = []
    for name in backends:
        units = [unit for case in cases for unit in cells(case, name, sizes.get(case.name) or size(case))]
        environment = backend(name).environment(threads=1, dtype="float32", device="cpu")
        # the environment must be set before the framework is imported, as in a spawned process
        with pool(1, environment) as alone:
            found += [one for counts in alone.map(count, units) for one in counts]
    order = [case.name for case in cases]
    return sorted(found, key=lambda one: order.index(one.cell.case))


def cells(case: Case, name: str, size: str) -> Iterator[Cell]:
    """The cells to count: each contender with its typical option and regime."""
    found = backend(name)
    for contender in found.contenders(case):
        option, regime = typical(case, contender)
        mode = (contender.modes or found.modes)[0]
        yield Cell(case.name, option, regime, size, str(contender), name, mode, "cpu", "float32", "")


def size(case: Case) -> str:
    """The case's size with the most flops below `BELOW`; the first one if several are equal."""
    option = next(iter(case.options.values()))
    flops = {each: float(case.flops(**dims(case, each), **option)) for each in case.sizes}
    return max((each for each in flops if flops[each] < BELOW), key=lambda each: flops[each])


def count(unit: Cell) -> list[Count]:
    """One count per direction of a unit. An exception of the contender or the counter becomes a status."""
    case = pages.case(unit.case)
    contender = find(case, unit)
    found = []
    for direction in contender.directions or case.directions:
        cell = replace(unit, direction=direction)
        blank = Count(cell, work.flops(cell))
        try:
            engine = instance(backend(cell.backend), cell.device, cell.dtype)
            blank = replace(blank, version=engine.version)
            found.append(_counted(case, contender, engine, blank))
        except Absent as reason:
            found.append(replace(blank, status="absent", why=str(reason)))
        except Exception as error:
            found.append(replace(blank, status="error", why=sentence(error)))
    return found


def _counted(case: Case, contender: Contender, engine: Backend, blank: Count) -> Count:
    asked = _training if case.training else _formula
    said, least = asked(case, contender, engine, blank.cell)
    if said is None:
        raise Absent(f"{engine.name} has no counter")
    return replace(blank, counted=said.get("flops"), moved=said.get("bytes"), least=least)


def _formula(
    case: Case, contender: Contender, engine: Backend, cell: Cell
) -> tuple[dict[str, float] | None, int]:
    given, option = inputs(cell.unit), case.options[cell.option]
    with engine.building():
        params, run = contender.build(given.weights, **option)
    arguments: tuple[Any, ...] = (engine.put(params), engine.put(dict(given.data)))
    if cell.direction == "forward":
        call = engine.forward(run, cell.mode)
    else:
        wrt = differentiated(case, given.data)
        arguments += (engine.put(dict(given.cotangents)),)

        # torch's counter needs module inputs that are not leaves of the graph
        call = engine.vjp(
            lambda params, **data: run(params, **data | {name: data[name] * 1 for name in wrt}),
            cell.mode,
            wrt,
        )
    return engine.counted(call, *arguments), work.traffic(*arguments, call(*arguments))


def _training(
    case: Case, contender: Contender, engine: Backend, cell: Cell
) -> tuple[dict[str, float] | None, int]:
    assert case.start is not None
    option = case.options[cell.option]
    weights, data = rounded(draw(case, cell), cell.dtype)
    with engine.building():
        made = contender.build(weights, case.start(weights, **known(case.start, option)), **option)
        loop = engine.loop(made, cell.mode)
    held, first = engine.put((made.params, made.state)), engine.put(batch(data, 0))
    least = work.traffic(held, first, held)
    if made.live is None:
        return engine.counted(lambda held, batch: made.step(*held, **batch), held, first), least
    loop.load(made.params, made.state)
    return engine.counted(loop.step, first), least
