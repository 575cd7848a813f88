"""Functions that a run calls in its workers: derive limits, judge cells, probe arithmetic.

A worker calls them by name, so they take and return built-in types.
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from bench import pages
from bench.backends import Absent, backend
from bench.cells.cell import LOW, Cell
from bench.contender.environment import environment
from bench.contender.prepare import instance, lost
from bench.contender.program import Programs
from bench.failure.freeze import freeze
from bench.failure.steps import explained
from bench.machine.malloc import held
from bench.machine.records import key
from bench.noise import accumulators
from bench.size import headline
from bench.speed import timed
from bench.speed.kept import keep as keep_until_timed
from bench.tolerance.expected import expectation
from bench.verdict import fingerprint as fingerprints
from bench.verdict import saboteur
from bench.verdict import timed as verdicts
from bench.verdict.again import CALLS
from bench.verdict.judge import judge as judge_unit

_PROGRAMS = Programs()  # of this worker


def derive(cell: dict[str, Any], sets: int = 1, directions: Sequence[str] = ()) -> None:
    """Derive a cell's limits for that many sets into the cache. The cells that need them report errors.

    Of all its directions, or of some.
    """
    one = Cell(**cell)
    with held(), suppress(Exception):
        for direction in directions or pages.case(one.case).directions:
            for number in range(1 if pages.case(one.case).training else sets):
                each = replace(one, direction=direction)
                expectation(each, accumulator=accumulators(one.dtype)[0], number=number)
            if one.dtype not in LOW:
                saboteur.passing(one, direction)


def judge(
    unit: dict[str, Any],
    directions: list[str],
    keep: bool,
    curve: bool,
    calls: int = CALLS,
    failures: str = "",
    options: Sequence[str] = (),
) -> dict[str, Any]:
    """Judge one unit: its rows by direction, the losses of its free training, the environment record.

    In the result, `lost` means that the worker cannot compute any more: its GPU fails even on a small
    product. `calls` is how often it is called in float32. At the size of a headline it is called again only
    when it is timed, on more sets.

    A cell that fails gets a folder in `failures`, whose command includes the run's `options`.
    """
    cell = Cell(**unit)
    with suppress(Absent):
        backend(cell.backend).installed()
        backend(cell.backend).compile_anew(keep)
    record = environment(cell)
    later = keep and headline(pages.case(cell.case), cell.size)
    again = None if keep else _PROGRAMS  # a compilation that is timed is one of its own
    judged = judge_unit(cell, directions, curve=curve, calls=0 if later else calls, programs=again)
    if keep and judged.ready is not None:
        keep_until_timed(cell, judged.ready)
    rows = {}
    for direction, row in judged.rows.items():
        if failures:
            one = replace(cell, direction=direction)
            first = cell.size == next(iter(pages.case(cell.case).sizes))  # others take minutes
            row = replace(explained(one, row) if first else row, command=one.command(*options))
            freeze(Path(failures), one, row, judged, graph="gradient" in directions)
        rows[direction] = plain(replace(row, environment=key(record) if record else "").as_dict())
    losses = [float(loss) for loss in judged.curve]
    broken = any(row["status"] == "error" for row in rows.values()) and lost(cell)
    return {"rows": rows, "curve": losses, "environment": record, "lost": broken}


def verdict(name: str) -> dict[str, Any]:
    """The row for the result of a timed call, which is then released."""
    wanted, call = timed.taken(name)
    return timed.answer(lambda: plain(verdicts.judged(call, wanted.unit, wanted.direction).as_dict()))


def fingerprint(unit: dict[str, Any]) -> dict[str, Any]:
    """The fingerprint of the arithmetic of a unit's backend, mode and dtype."""
    cell = Cell(**unit)
    return fingerprints.fingerprint(instance(backend(cell.backend), cell.device, cell.dtype), cell.mode)


def plain(row: Mapping[str, Any]) -> dict[str, Any]:
    """The row with NumPy scalars converted to Python numbers."""
    return {name: value.item() if isinstance(value, np.generic) else value for name, value in row.items()}
