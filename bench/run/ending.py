"""The end of a run: write the report beside the rows, print it, and summarize the cells that failed."""

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from bench.cache import told
from bench.cells.cell import Cell, cell_of
from bench.digits import count
from bench.failure.blame import blame
from bench.failure.freeze import folder_name
from bench.store.results import FAILURES, REPORT, Run, Unwritten
from bench.store.row import TIMED, Row

NOT_RUN = ("absent", "missing")
FAILED = ("disagrees", "mistrusted", "error")


def failing(strictly: bool) -> tuple[str, ...]:
    """The statuses that fail a run; imprecise is one of them if `strictly`."""
    return (*FAILED, "imprecise") if strictly else FAILED


@dataclass(frozen=True)
class Ended:
    """A run that has ended.

    run: its folder.
    chosen, speeds: the cells that were selected to be judged and to be timed.
    interrupted: whether pytest was interrupted.
    rows: returns the rows by cell.
    faults: errors of the whole run, one sentence each.
    failing: the statuses that count as failed.
    """

    run: Run
    chosen: Sequence[Cell]
    speeds: Sequence[Cell]
    interrupted: bool
    rows: Callable[[], Mapping[str, Row]]
    faults: Sequence[str] = ()
    failing: Sequence[str] = FAILED


def report(ended: Ended, *, shown: bool, every: bool, plugins: Sequence[str]) -> list[str]:
    """Write the report and, if `shown`, print it. An unfinished run prints how to continue it.

    Returns the errors of the run, including files that could not be written or read.
    """
    from bench.report import write as pages
    from bench.report.table import legible

    faults, folder, cut = list(ended.faults), ended.run.folder, ended.interrupted
    rows: Mapping[str, Row] = {}
    try:
        rows = ended.rows()
        cut = cut or unfinished(ended, rows)
        if not cut:
            with ended.run.writing(REPORT):
                _blamed(ended, rows)
                pages.write(folder)
        faults += nothing_ran(ended, rows)
    except KeyboardInterrupt:
        cut = True
    except (Unwritten, ValueError) as error:
        faults.append(str(error))
    if not shown:
        return faults
    legible(sys.stdout)
    if cut:
        print(f"\ninterrupted: the rows so far are kept; to continue, add --results {folder}", flush=True)
    try:
        if rows:
            pages.show([folder], every=every, plugins=plugins)
    except ValueError as error:
        faults = [*{*faults, str(error)}]
    print(
        "".join(f"\n{sentence}\n" for sentence in (*told().values(), *failed(ended, rows), *faults)), end=""
    )
    return faults


def unfinished(ended: Ended, rows: Mapping[str, Row]) -> bool:
    """Whether a selected cell still has no row, or no speed."""
    speeds = set(map(str, ended.speeds))
    found = {str(cell): rows.get(str(cell)) for cell in ended.chosen}
    return any(
        row is None or (name in speeds and row.status in TIMED and row.median_s is None)
        for name, row in found.items()
    )


def nothing_ran(ended: Ended, found: Mapping[str, Row]) -> list[str]:
    """An error if no cell ran: a run without its framework or device must not pass."""
    rows = [found[str(cell)] for cell in ended.chosen if str(cell) in found]
    if not rows or any(row.status not in NOT_RUN for row in rows):
        return []
    said = " or ".join(sorted({row.status for row in rows}))
    return [
        f"nothing ran: got {count(len(rows), 'cell')}, all {said}, should be at least one that runs; "
        f"the first is {rows[0].status} because {rows[0].why}"
    ]


def failed(ended: Ended, rows: Mapping[str, Row]) -> list[str]:
    """A sentence with the number of cells that failed and the folder of their inputs and values."""
    where = ended.run.folder / FAILURES
    names = [
        folder_name(cell)
        for cell in ended.chosen
        if str(cell) in rows and rows[str(cell)].status in ended.failing
    ]
    kept = sum((where / name / "cell.json").is_file() for name in names)
    some = "each" if kept == len(names) else f"{kept} of them"
    parts = f"inputs and, if there are any, values and a repro.py of {some}"
    return [f"{count(len(names), 'cell')} failed: {parts} are in {where}"] if kept else []


def _blamed(ended: Ended, rows: Mapping[str, Row]) -> None:
    """Add to each row that disagrees whether other frameworks disagree in the same way."""
    found = [(cell_of(row.as_dict()), row) for row in rows.values()]
    for _, row in blame(found, ended.run.folder / FAILURES):
        ended.run.append(row)
