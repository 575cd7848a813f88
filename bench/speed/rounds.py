"""Times all contenders of a workload in interleaved rounds, in random order within each round."""

import random
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from typing import Any

from bench.cells.cell import Cell
from bench.speed.timing import Sample, Timing, ratio
from bench.worker import Died

FEWEST, MOST, LONG = 5, 7, 15  # rounds; LONG replaces MOST if a run measures speeds only
BUDGET = 1.0  # seconds of samples, after which a slow contender leaves the rounds
JUDGES = 2  # verdicts at the same time, after sampling
PRECISION = 0.05  # relative half-width of the interval of a ratio at which sampling ends

# the functions that a worker runs
READY, SAMPLE, SETTLE, DROP, ROOF = (
    f"bench.speed.timed:{name}" for name in ("ready", "sample", "settle", "drop", "roof")
)

Sampled = tuple[Timing, Mapping[str, Any]] | str  # with the row of the timed outputs; or why there is none


@dataclass
class Entry:
    """A prepared contender: the figures from its preparation, and its samples so far."""

    calls: int
    first_call_s: float
    compile_s: float | None = None
    rounds: list[int] = field(default_factory=list)
    samples: list[Sequence[float]] = field(default_factory=list)

    def due(self, most: int) -> bool:
        """Whether it takes part in the next round: a slow contender stops after `BUDGET` seconds."""
        spent = sum(seconds for seconds, *_ in self.samples) * self.calls
        return len(self.samples) < min(FEWEST, most) or spent < BUDGET

    @property
    def faulty(self) -> bool:
        """Whether its samples have a fault that more samples cannot remove."""
        return len(self.samples) >= FEWEST and bool(self.timing().fault)

    def timing(self, **more: Any) -> Timing:
        series = dict(zip(Sample._fields, zip(*self.samples, strict=True), strict=True))
        return Timing(
            samples=series["seconds"],
            residues=series["residue"],
            idles=series["idle"],
            calls=self.calls,
            first_call_s=self.first_call_s,
            rounds=tuple(self.rounds),
            cpu=series["cpu"],
            compiled=sum(series["compiled"]),
            compile_s=self.compile_s,
            issues=series["issue"],
            times=series["at"],
            sm_mhz=series["sm_mhz"],
            power_w=series["power_w"],
            throttled=series["throttled"],
            wholes=series["whole"],
            asked=series["asked"],
            **more,
        )


def rounds(
    cells: Sequence[Cell],
    ask: Callable[..., Any],
    *,
    verdict: str,
    most: int = MOST,
    precision: float = PRECISION,
    joules: bool = False,
) -> dict[Cell, Sampled]:
    """The timing of each cell with the row of its timed outputs, or why there is none.

    ``ask(cell, function, *arguments)`` runs a function in the cell's worker; `verdict` names the function
    that judges the timed outputs. Rounds end when every ratio to the fastest is known to `precision`, or
    after `most` rounds. `joules` measures energy too, which takes seconds.
    """

    def asked(cell: Cell, function: str, *arguments: Any) -> Any:
        try:
            return ask(cell, function, *arguments)
        except Died as error:
            return {"error": str(error)}

    entries: dict[Cell, Entry] = {}
    found: dict[Cell, Sampled] = {}
    for cell in cells:
        answer = asked(cell, READY, asdict(cell), str(cell))
        if "error" in answer:
            found[cell] = answer["error"]
        else:
            entries[cell] = Entry(**answer)
    rng = random.Random(0)
    for number in range(most):
        taking = [cell for cell, entry in entries.items() if entry.due(most) and not entry.faulty]
        if not taking or (number >= FEWEST and _precise(entries, precision)):
            break
        for cell in rng.sample(taking, len(taking)):
            try:
                entries[cell].samples.append(ask(cell, SAMPLE, str(cell)))
                entries[cell].rounds.append(number)
            except Died as error:
                found[cell] = str(error)
                del entries[cell]
    timings: dict[Cell, Timing] = {}
    for cell, entry in entries.items():
        answer = asked(cell, SETTLE, str(cell), joules)
        if "error" in answer:
            found[cell] = answer["error"]
        else:
            timings[cell] = entry.timing(**{name: _frozen(value) for name, value in answer.items()})
    return found | _judged(timings, asked, verdict)


def _judged(timings: Mapping[Cell, Timing], asked: Callable[..., Any], verdict: str) -> dict[Cell, Sampled]:
    """Judge the timed outputs, two backends at the same time: nothing is timed any more."""

    def of(name: str) -> dict[Cell, Sampled]:
        return {cell: sampled(cell) for cell in timings if cell.backend == name}

    def sampled(cell: Cell) -> Sampled:
        row = asked(cell, verdict, str(cell))
        return row["error"] if "error" in row else (timings[cell], row)

    with ThreadPoolExecutor(JUDGES) as pool:
        done = pool.map(of, dict.fromkeys(cell.backend for cell in timings))
        return {cell: each for some in done for cell, each in some.items()}


def best(timings: Mapping[Cell, Timing]) -> Cell:
    """The cell with the smallest median."""
    return min(timings, key=lambda cell: timings[cell].median_s)


def _precise(entries: Mapping[Cell, Entry], precision: float) -> bool:
    """Whether the ratio to the fastest is known to `precision` for all contenders still sampling."""
    timings = {cell: entry.timing() for cell, entry in entries.items()}
    first = timings[best(timings)]
    return all(
        narrow(ratio(timing, first), precision)
        for cell, timing in timings.items()
        if timing is not first and entries[cell].due(MOST) and not timing.fault
    )


def narrow(found: tuple[float, float, float], precision: float = PRECISION) -> bool:
    """Whether both ends of a ratio's interval are within the relative `precision`."""
    middle, low, high = found
    return max(high / middle, middle / low) - 1 <= precision


def _frozen(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value
