"""The speeds of one workload: all its contenders in interleaved rounds, in random order inside each."""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from bench import pages
from bench.cell import Cell
from bench.row import Row
from bench.size import dims
from bench.timing import BUDGET, FEWEST, ROUNDS, Timing
from bench.worker import Died, as_request


@dataclass
class Entry:
    """A contender that stands ready: what its preparation said, and its samples so far."""

    calls: int
    first_call_s: float
    samples: list[Sequence[float]] = field(default_factory=list)

    @property
    def due(self) -> bool:
        """Whether it takes part in the next round: a slow one stops once it has cost enough."""
        spent = sum(seconds for seconds, *_ in self.samples) * self.calls
        return len(self.samples) < FEWEST or spent < BUDGET


def rounds(cells: Sequence[Cell], ask: Callable[..., Any]) -> dict[Cell, Timing | str]:
    """Each cell's timing, or why it has none. ``ask(cell, verb, *arguments)`` asks the cell's worker."""
    entries: dict[Cell, Entry] = {}
    found: dict[Cell, Timing | str] = {}
    for cell in cells:
        try:
            answer = ask(cell, "ready", as_request(cell))
        except Died as error:
            answer = {"error": str(error)}
        if "error" in answer:
            found[cell] = answer["error"]
        else:
            entries[cell] = Entry(**answer)
    rng = random.Random(0)
    for _ in range(ROUNDS):
        for cell in rng.sample(list(entries), len(entries)):
            try:
                if entries[cell].due:
                    entries[cell].samples.append(ask(cell, "sample", str(cell)))
            except Died as error:
                found[cell] = str(error)
                del entries[cell]
    for cell, entry in entries.items():
        ask(cell, "forget", str(cell))
        seconds, residues, idles = zip(*entry.samples, strict=True)
        found[cell] = Timing(seconds, residues, idles, entry.calls, entry.first_call_s)
    return found


def with_speed(row: Row, cell: Cell, timing: Timing | str) -> Row:
    """The row with what was timed; an error where it could not be, or where nobody waited."""
    if isinstance(timing, str):
        return replace(row, status="error", why=timing)
    if not timing.waited:
        why = f"not waited for: reading one result took {timing.residue_s:.2g} s after the claimed end"
        return replace(row, status="error", why=why)
    case = pages.case(cell.case)
    given = {**dims(case, cell.size), **case.options[cell.option]}
    passes = 3 if cell.direction == "gradient" else 1  # a forward pass, and two products for each of its
    flops = passes * float(case.flops(**given))
    low, high = timing.interval_s
    return replace(
        row,
        first_call_s=timing.first_call_s if cell.direction == "forward" else row.first_call_s,
        median_s=timing.median_s,
        low_s=low,
        high_s=high,
        samples=len(timing.samples),
        calls=timing.calls,
        residue_s=timing.residue_s,
        throughput=float(case.items(**given)) / timing.median_s,
        unit=case.unit,
        flops=flops,
        gflops=flops / timing.median_s / 1e9,
    )
