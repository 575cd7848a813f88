"""Finds the step of a model that diverges first: judges each formula in it alone, on reference intermediates.

A model's reference calls the references of other pages. This module records those calls, and judges the
case of each such page with the recorded arguments as inputs.
"""

import inspect
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from types import FrameType
from typing import Any

import numpy as np

from bench import pages
from bench.backends import backend
from bench.cache import digest
from bench.case import Case, Contender, known
from bench.cells.cell import Cell
from bench.failure.repro import worst_step
from bench.inputs import draw, inputs, rounded
from bench.store.row import TIMED, Row
from bench.tree import to_arrays
from bench.verdict.judge import judge

ELSEWHERE = ("case", "option", "regime", "size")  # fields of a Limit that do not apply to a step


@dataclass(frozen=True)
class Step:
    """A call of the reference of `case`, from another page, with its arguments."""

    name: str
    case: Case
    arguments: Mapping[str, Any]


def explained(cell: Cell, row: Row) -> Row:
    """The row; if it disagrees and its reference calls others, `why` names the first step that diverges."""
    if row.status != "disagrees" or row.why.startswith("stale"):
        return row
    try:
        return replace(row, why=row.why + diverged(cell, row))
    except Exception:  # the row is complete without it
        return row


def diverged(cell: Cell, row: Row) -> str:
    """A clause for the `why`: the first step that disagrees by itself, or that each agrees; or empty."""
    agreed = []
    for step in steps(cell, row):
        ends = dict(_alone(cell, step))
        wrong = [contender for contender, statuses in ends.items() if "disagrees" in statuses]
        if wrong:
            return f"; the first step that diverges is {step.name}, {wrong[0]} by itself"
        agreed += [step.name] if set().union(*ends.values()) & set(TIMED) else []
    return f"; each of its steps agrees by itself: {', '.join(agreed)}" if agreed else ""


def steps(cell: Cell, row: Row) -> list[Step]:
    """The calls of other pages' references, in order, without calls nested in them."""
    case, given = pages.case(cell.case), inputs(cell, row.input_set or 0)
    option = case.options[cell.option]
    others = [
        each
        for each in pages.cases().values()
        if inspect.isfunction(each.reference) and each.reference is not case.reference
    ]
    with _watched(others) as calls:
        if case.step is not None:
            weights, state, batch = rounded(given.starts[worst_step(row)], "float64")
            case.step(weights, state, **batch, **known(case.step, option))
        elif case.reference is not None:
            exact = {**rounded(dict(given.data), "float64"), **rounded(given.weights, "float64")}
            case.reference(**exact, **known(case.reference, option))
    seen: Counter[str] = Counter()
    found = []
    for other, arguments in calls:
        seen[other.name] += 1
        found.append(Step(f"{other.name} {seen[other.name]}", other, arguments))
    return found


@contextmanager
def _watched(others: Sequence[Case]) -> Iterator[list[tuple[Case, dict[str, Any]]]]:
    """Record the outermost calls of the references of these cases, with their arguments, inside the block."""
    calls: list[tuple[Case, dict[str, Any]]] = []
    outer: FrameType | None = None
    alike: dict[int, list[tuple[Case, Any]]] = {}  # by identity: code objects of equal text compare as equal
    for each in others:
        function: Any = inspect.unwrap(each.reference)  # type: ignore[arg-type]
        alike.setdefault(id(function.__code__), []).append((each, function))

    def watch(frame: FrameType, event: str, argument: Any) -> None:
        nonlocal outer
        if event == "call" and outer is None:
            for case, function in alike.get(id(frame.f_code), ()):
                if _runs(frame, function):
                    names = inspect.signature(function).parameters
                    calls.append((case, {name: frame.f_locals[name] for name in names}))
                    outer = frame
                    break
        elif event == "return" and frame is outer:
            outer = None

    before = sys.getprofile()
    sys.setprofile(watch)
    try:
        yield calls
    finally:
        sys.setprofile(before)


def _runs(frame: FrameType, function: Any) -> bool:
    """Whether a frame of this function's code is a call of it: two closures share one code object."""
    cells = zip(function.__code__.co_freevars, function.__closure__ or (), strict=True)
    return frame.f_globals is function.__globals__ and all(
        frame.f_locals.get(name) is cell.cell_contents for name, cell in cells
    )


def _alone(cell: Cell, step: Step) -> Iterator[tuple[str, set[str]]]:
    """The statuses of each of the framework's contenders for the step, over the directions."""
    found = backend(cell.backend)
    contenders = found.contenders(step.case)
    option, case = _case(cell, step, contenders)
    with pages.also(case):
        for contender in contenders:
            modes = [mode for mode in found.modes if mode in (contender.modes or found.modes)]
            wanted = ("forward",) if cell.direction == "forward" else case.directions
            directions = [each for each in wanted if each in (contender.directions or case.directions)]
            mode = cell.mode if cell.mode in modes else modes[0]
            where = (case.name, option, "typical", "here", str(contender), cell.backend, mode)
            unit = Cell(*where, cell.device, cell.dtype, "", cell.seed)
            rows = judge(unit, directions).rows.values() if directions else ()
            yield str(contender), {row.status for row in rows}


def _case(cell: Cell, step: Step, contenders: list[Contender]) -> tuple[str, Case]:
    """The step's case with its arguments as inputs, and the name of the option that matches them."""
    case, given = step.case, {name: x for name, x in step.arguments.items() if x is not None}
    assert case.reference is not None
    usual, regime, size = (next(iter(each)) for each in (case.options, case.regimes, case.sizes))
    drawn, _ = draw(case, Cell(case.name, usual, regime, size, "", "", "", "", "", ""))  # its weights' names
    defaults = {name: each.default for name, each in inspect.signature(case.reference).parameters.items()}
    chosen = {
        name: x
        for name, x in given.items()
        if name not in drawn
        and not isinstance(x, np.ndarray)
        and x is not defaults[name]
        and x != defaults[name]
    }
    named = (name for name, option in case.options.items() if known(case.reference, option) == chosen)
    option = next(named, "here")
    weights = {name: x for name, x in given.items() if name in drawn}
    data = {name: x for name, x in given.items() if name not in drawn and isinstance(x, np.ndarray)}
    model = pages.case(cell.case)

    def same(rng: Any, **_: Any) -> Any:
        return weights, data

    same.__module__ = model.inputs.__module__  # the cache key of limits has the source of the model's page
    limits = [
        replace(
            limit,
            always=False,
            cells=[{k: v for k, v in cells.items() if k not in ELSEWHERE} for cells in limit.reach],
        )
        for limit in case.limits
    ]
    return option, replace(
        case,
        name=f"{cell.case}-{cell.option}-{step.name}-{digest(to_arrays((weights, data)))}".replace(" ", "-"),
        inputs=same,
        sizes={"here": {}},
        items=lambda **_: 1,
        flops=lambda **_: 1,
        options={option: case.options.get(option, chosen)},
        regimes={"typical": "as the model gives it"},
        rare=(),
        headlines=(),
        vast=(),
        variants={},
        integers={},
        limits=limits,
        contenders=contenders,
    )
