"""A/A test: times each contender against itself, so every difference that is found is a false positive."""

import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.cells.cell import Cell
from bench.machine.records import home, machine
from bench.report.table import Listing, Section, Table, markdown
from bench.speed.rounds import DROP, READY, SAMPLE, Entry
from bench.speed.timing import ratio
from bench.store.row import TIMED
from bench.worker import Died

if TYPE_CHECKING:
    from pandas import DataFrame

ROUNDS, TIMES = 15, 4
SLOW = 0.3  # seconds of a block, above which a call is timed once
LEVEL = 0.99
CHANCE = 1e-3  # the probability that the test fails although only chance moves the intervals
NAMES = ("A", "B")
COMMAND = "gaugeblock same"


@dataclass(frozen=True)
class Pair:
    """A cell timed under two names: the paired ratio of one to the other, and its interval."""

    cell: Cell
    ratio: float
    low: float
    high: float
    median_s: float
    rounds: int

    @property
    def holds(self) -> bool:
        """Whether the interval contains 1, as it should."""
        return self.low <= 1 <= self.high


def pair(cell: Cell, ask: Callable[..., Any], *, rounds: int = ROUNDS, times: int = 1) -> list[Pair] | str:
    """Time the cell against itself in interleaved rounds, in random order within each; or return why not.

    A quick call is timed so `times`, which gives as many intervals.
    """
    names = [f"{cell} {name}" for name in NAMES]
    try:
        answers = [ask(cell, READY, asdict(cell), name) for name in names]
        if errors := [answer["error"] for answer in answers if "error" in answer]:
            return str(errors[0])
        calls = max(answer["calls"] for answer in answers)
        rng, found = random.Random(str(cell)), list[Pair]()
        while len(found) < times and not (found and found[0].median_s * calls > SLOW):
            both = dict(zip(names, (Entry(**answer) for answer in answers), strict=True))
            for number in range(rounds):
                for name in rng.sample(names, 2):
                    both[name].samples.append(ask(cell, SAMPLE, name, calls))
                    both[name].rounds.append(number)
            one, other = (entry.timing() for entry in both.values())
            found.append(Pair(cell, *ratio(one, other, LEVEL), min(one.median_s, other.median_s), rounds))
        for name in names:
            ask(cell, DROP, name)
    except Died as error:
        return str(error)
    return found


def run(names: Sequence[str], told: Callable[[str], None]) -> list[Pair]:
    """Time the headlines of a default run against themselves, `TIMES` each; the machine should be idle.

    Of formulas that have none, what a call costs is timed.
    """
    from bench import pages
    from bench.cells.selection import Selection, cells, timed
    from bench.machine.variables import threads
    from bench.run.session import Session

    chosen, wanted = pages.chosen(names), list[Cell]()
    for selection in (Selection(), Selection(speeds=True)):
        every = cells(chosen, selection)
        wanted = wanted or [each for each in every if timed(each, pages.case(each.case), selection)]
    session = Session(
        wanted,
        wanted,
        lambda unit: False,
        threads=threads(),
        done={},
        finished=lambda row: None,
        drawn=lambda curve: None,
    )
    found = []
    try:
        ready = [cell for cell in wanted if session.row(cell).status in TIMED]
        for number, cell in enumerate(ready, 1):
            result = pair(cell, session.workers.ask, times=TIMES)
            if isinstance(result, str):
                told(f"{cell}: {result}")
                continue
            found += result
            ratios = ", ".join(f"{each.ratio:.3f}" for each in result)
            told(f"{number:,}/{len(ready):,} {cell}: {ratios}")
    finally:
        session.close()
    return found


def frame(pairs: Iterable[Pair]) -> "DataFrame":
    """One line per cell: its coordinates, the ratio, its interval, and whether that contains 1."""
    import pandas as pd

    return pd.DataFrame(
        [
            asdict(each.cell)
            | {name: getattr(each, name) for name in ("ratio", "low", "high", "median_s", "rounds", "holds")}
            for each in pairs
        ]
    )


def sentence(pairs: Sequence[Pair]) -> str:
    """The share of cells whose interval contains 1, as a sentence."""
    holding = sum(each.holds for each in pairs)
    share = holding / max(len(pairs), 1)
    return (
        f"{holding:,} of {len(pairs):,} intervals contain 1 ({share:.1%}; should be at least "
        f"{len(pairs) - by_chance(len(pairs)):,}): "
        f"each cell against itself, {LEVEL:.0%} intervals of {ROUNDS} paired rounds"
    )


def enough(pairs: Sequence[Pair]) -> bool:
    """Whether enough intervals contain 1: all but those that chance explains."""
    return sum(not each.holds for each in pairs) <= by_chance(len(pairs))


def by_chance(number: int) -> int:
    """The most of that number of intervals that miss 1 by chance, but for once in 1 / `CHANCE` tests."""
    from scipy import stats

    binomial: Any = stats.binom  # type: ignore[attr-defined]
    return int(binomial.ppf(1 - CHANCE, number, 1 - LEVEL))


def write(pairs: Sequence[Pair], root: Path) -> list[Path]:
    """Write the page and one line per cell: ``<date>-same.md`` and ``.csv`` in the folder of this machine."""
    stem = home(machine(), root) / f"{datetime.now(UTC):%Y-%m-%d}-same"
    text = "# A contender against itself\n\n" + markdown(page(pairs, COMMAND))
    stem.with_suffix(".md").write_text(text, encoding="utf-8")
    frame(pairs).to_csv(stem.with_suffix(".csv"), index=False, lineterminator="\n", float_format="%.6g")
    return [stem.with_suffix(".md"), stem.with_suffix(".csv")]


def page(pairs: Sequence[Pair], command: str) -> list[Section]:
    """The share of cells, and the cells whose interval does not contain 1, the largest difference first."""
    missing = sorted((each for each in pairs if not each.holds), key=lambda each: -abs(each.ratio - 1))
    lines = [(str(each.cell), f"{each.ratio:.3f}", f"{each.low:.3f} to {each.high:.3f}") for each in missing]
    return [
        Listing("A contender against itself", [(sentence(pairs), f"`{command}`")]),
        *([Table("False positives", ("cell", "ratio", "interval"), lines)] if lines else []),
    ]
