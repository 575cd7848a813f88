"""Times all contenders of a workload in interleaved rounds, in random order within each round."""

import random
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from typing import Any

from bench.cells.cell import Cell
from bench.speed.timing import Sample, Timing, ratio
from bench.worker import Died

FEWEST, SLOW, FEW = 5, 0.05, 3  # rounds at least; FEW for a contender whose samples take `SLOW` seconds
MOST = 60  # rounds
JUDGES = 2  # verdicts at the same time, after sampling


@dataclass(frozen=True)
class Effort:
    """When sampling ends.

    precision: the relative half-width of the interval of a ratio at which a contender leaves the rounds.
    seconds: of samples for each contender of a workload; those of a quick one are left for others.
    """

    precision: float
    seconds: float


BRIEF, THOROUGH = Effort(0.1, 0.5), Effort(0.05, 1.2)  # of a default run, and of one of speeds only

# the functions that a worker runs
READY, SAMPLE, SETTLE, FINISH, DROP, ROOF = (
    f"bench.speed.timed:{name}" for name in ("ready", "sample", "settle", "finish", "drop", "roof")
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

    @property
    def spent(self) -> float:
        """Seconds of its samples."""
        return sum(seconds for seconds, *_ in self.samples) * self.calls

    @property
    def few(self) -> bool:
        """Whether it has fewer samples than any contender needs."""
        count = len(self.samples)
        return count < FEW or (count < FEWEST and self.spent < SLOW * count)

    @property
    def faulty(self) -> bool:
        """Whether its samples have a fault that more samples cannot remove."""
        return not self.few and bool(self.timing().fault)

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
    effort: Effort = BRIEF,
    joules: bool = False,
) -> dict[Cell, Sampled]:
    """The timing of each cell with the row of its timed outputs, or why there is none.

    ``ask(cell, function, *arguments)`` runs a function in the cell's worker; `verdict` names the function
    that judges the timed outputs. A contender leaves the rounds when its ratio to the fastest is known, and
    all do when the time of `effort` is used up. `joules` measures energy too, which takes seconds.
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
    for number in range(MOST):
        taking = _taking(entries, effort)
        if not taking:
            break
        for cell in rng.sample(taking, len(taking)):
            try:
                entries[cell].samples.append(ask(cell, SAMPLE, str(cell)))
                entries[cell].rounds.append(number)
            except Died as error:
                found[cell] = str(error)
                del entries[cell]
    settled = {cell: asked(cell, SETTLE, str(cell), joules) for cell in entries}
    return found | _finished(entries, settled, asked, verdict)


def _finished(
    entries: Mapping[Cell, Entry],
    settled: Mapping[Cell, Mapping[str, Any]],
    asked: Callable[..., Any],
    verdict: str,
) -> dict[Cell, Sampled]:
    """Finish, and judge the timed outputs, two backends at the same time: nothing is timed any more."""

    def of(name: str) -> dict[Cell, Sampled]:
        return {cell: sampled(cell) for cell in entries if cell.backend == name}

    def sampled(cell: Cell) -> Sampled:
        answers: dict[str, Any] = dict(settled[cell])
        if "error" not in answers:
            answers |= asked(cell, FINISH, str(cell))
        row = answers if "error" in answers else asked(cell, verdict, str(cell))
        if "error" in row:
            return str(row["error"])
        return entries[cell].timing(**{name: _frozen(value) for name, value in answers.items()}), row

    with ThreadPoolExecutor(JUDGES) as pool:
        done = pool.map(of, dict.fromkeys(cell.backend for cell in entries))
        return {cell: each for some in done for cell, each in some.items()}


def best(timings: Mapping[Cell, Timing]) -> Cell:
    """The cell with the smallest median."""
    return min(timings, key=lambda cell: timings[cell].median_s)


def _taking(entries: Mapping[Cell, Entry], effort: Effort) -> list[Cell]:
    """Who takes part in the next round: all that have few samples, else the fastest and those whose ratio to
    it is not known well enough. A round that the time does not suffice for leaves the slowest out."""
    sound = {cell: entry for cell, entry in entries.items() if not entry.faulty}
    timings = {cell: entry.timing() for cell, entry in sound.items() if entry.samples}
    few = [cell for cell, entry in sound.items() if entry.few]
    if len(timings) < 2:
        return few
    first = best(timings)
    if few:
        return list(dict.fromkeys((first, *few)))
    left = effort.seconds * len(entries) - sum(entry.spent for entry in entries.values())
    taking = [first]
    for cell in sorted(timings, key=lambda cell: timings[cell].median_s):
        block = timings[cell].median_s * timings[cell].calls
        if (
            cell != first
            and block < left
            and not narrow(ratio(timings[cell], timings[first]), effort.precision)
        ):
            taking.append(cell)
            left -= block
    return taking if len(taking) > 1 else []


def narrow(found: tuple[float, float, float], precision: float) -> bool:
    """Whether both ends of a ratio's interval are within the relative `precision`."""
    middle, low, high = found
    return max(high / middle, middle / low) - 1 <= precision


def _frozen(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value
