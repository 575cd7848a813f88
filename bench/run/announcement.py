"""What a run of speeds says before it starts: what it times, and how long that takes."""

from collections.abc import Sequence

from bench import pages
from bench.cells.cell import Cell
from bench.digits import count
from bench.run.derive import stale
from bench.size import headline

# seconds of a speed with its verdict: a run on two cores took 15 minutes for 197, most of them of headlines;
# of a call at a first size, and of the spreads of a headline, estimates
TIMED, CALLED, DERIVED = 5.0, 0.6, 60.0


def announcement(speeds: Sequence[Cell]) -> str:
    """The sentences, or nothing if nothing is timed."""
    if not speeds:
        return ""
    large = [cell for cell in speeds if headline(pages.case(cell.case), cell.size)]
    headlines = {(cell.case, cell.size) for cell in large}
    formulas = {cell.case for cell in speeds} - {case for case, _ in headlines}
    parts = [count(len(headlines), "headline size")] * bool(headlines)
    parts += [count(len(formulas), "other formula")] * bool(formulas)
    long = about(sum(map(seconds, speeds)))
    lines = [f"times {count(len(speeds), 'speed')} of {' and '.join(parts)}: {long} on two cores"]
    if late := stale(speeds):
        what = f"derives {count(len(late), 'spread')} that the pages do not carry"
        lines.append(f"{what}: {about(DERIVED * len(late))} more; `gaugeblock derive` does it alone")
    return "\n".join(lines)


def seconds(cell: Cell) -> float:
    """How long a speed takes with its verdict, on two cores."""
    return TIMED if headline(pages.case(cell.case), cell.size) else CALLED


def about(seconds: float) -> str:
    """A length of time in words."""
    return f"about {count(max(1, round(seconds / 60)), 'minute')}"
