"""A contender against itself: both halves of a pair are one call, so that every difference is a false one."""

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

ROUNDS = 15
LEVEL = 0.99
WANTED = 0.98  # of the cells whose interval should hold 1
NAMES = ("A", "B")
COMMAND = "gaugeblock same"


@dataclass(frozen=True)
class Pair:
    """One cell under two names: the paired ratio of the one to the other, and its interval."""

    cell: Cell
    ratio: float
    low: float
    high: float
    median_s: float
    rounds: int

    @property
    def holds(self) -> bool:
        """Whether the interval holds 1, as it should."""
        return self.low <= 1 <= self.high


def pair(cell: Cell, ask: Callable[..., Any], *, rounds: int = ROUNDS) -> Pair | str:
    """The cell against itself in interleaved rounds, in random order inside each; or why not."""
    names = [f"{cell} {name}" for name in NAMES]
    try:
        answers = [ask(cell, READY, asdict(cell), name) for name in names]
        if errors := [answer["error"] for answer in answers if "error" in answer]:
            return str(errors[0])
        both = dict(zip(names, (Entry(**answer) for answer in answers), strict=True))
        calls = max(entry.calls for entry in both.values())
        rng = random.Random(str(cell))
        for number in range(rounds):
            for name in rng.sample(names, 2):
                both[name].samples.append(ask(cell, SAMPLE, name, calls))
                both[name].rounds.append(number)
        for name in names:
            ask(cell, DROP, name)
    except Died as error:
        return str(error)
    one, other = (entry.timing() for entry in both.values())
    return Pair(cell, *ratio(one, other, LEVEL), min(one.median_s, other.median_s), rounds)


def run(names: Sequence[str], told: Callable[[str], None]) -> list[Pair]:
    """Every cell that a default run times, against itself, on a machine that should be quiet."""
    from bench import pages
    from bench.cells.selection import Selection, cells, timed
    from bench.machine.variables import threads
    from bench.run.session import Session

    everything = cells(pages.chosen(names), Selection())
    wanted = [each for each in everything if timed(each, pages.case(each.case), Selection())]
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
            result = pair(cell, session.workers.ask)
            if isinstance(result, str):
                told(f"{cell}: {result}")
                continue
            found.append(result)
            told(f"{number:,}/{len(ready):,} {cell}: {result.ratio:.3f}")
    finally:
        session.close()
    return found


def frame(pairs: Iterable[Pair]) -> "DataFrame":
    """One line a cell: its coordinates, the ratio, its interval, and whether that holds 1."""
    import pandas as pd

    return pd.DataFrame(
        [
            asdict(each.cell)
            | {name: getattr(each, name) for name in ("ratio", "low", "high", "median_s", "rounds", "holds")}
            for each in pairs
        ]
    )


def sentence(pairs: Sequence[Pair]) -> str:
    """The share of cells whose interval holds 1, and whether that is enough."""
    holding = sum(each.holds for each in pairs)
    share = holding / max(len(pairs), 1)
    return (
        f"{holding:,} of {len(pairs):,} intervals hold 1 ({share:.1%}; should be at least {WANTED:.0%}): "
        f"each cell against itself, {LEVEL:.0%} intervals of {ROUNDS} paired rounds"
    )


def enough(pairs: Sequence[Pair]) -> bool:
    """Whether as many intervals hold 1 as should."""
    return sum(each.holds for each in pairs) >= WANTED * len(pairs)


def write(pairs: Sequence[Pair], root: Path) -> list[Path]:
    """The page and one line a cell, as ``<date>-same.md`` and ``.csv`` in the folder of this machine."""
    stem = home(machine(), root) / f"{datetime.now(UTC):%Y-%m-%d}-same"
    text = "# A contender against itself\n\n" + markdown(page(pairs, COMMAND))
    stem.with_suffix(".md").write_text(text, encoding="utf-8")
    frame(pairs).to_csv(stem.with_suffix(".csv"), index=False, lineterminator="\n", float_format="%.6g")
    return [stem.with_suffix(".md"), stem.with_suffix(".csv")]


def page(pairs: Sequence[Pair], command: str) -> list[Section]:
    """The figure, and the cells whose interval misses 1, the furthest first."""
    missing = sorted((each for each in pairs if not each.holds), key=lambda each: -abs(each.ratio - 1))
    lines = [(str(each.cell), f"{each.ratio:.3f}", f"{each.low:.3f} to {each.high:.3f}") for each in missing]
    return [
        Listing("A contender against itself", [(sentence(pairs), f"`{command}`")]),
        *([Table("Told apart falsely", ("cell", "ratio", "interval"), lines)] if lines else []),
    ]
