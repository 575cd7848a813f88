"""How a run ends: its report, written beside the rows and printed, and what is said of cells that failed."""

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


@dataclass(frozen=True)
class Ended:
    """A run that has ended: what was chosen of it, its rows by cell, and what is wrong with it as a whole."""

    run: Run
    chosen: Sequence[Cell]
    speeds: Sequence[Cell]
    interrupted: bool
    rows: Callable[[], Mapping[str, Row]]
    faults: Sequence[str] = ()
    failing: Sequence[str] = FAILED


def report(ended: Ended, *, shown: bool, every: bool, plugins: Sequence[str]) -> list[str]:
    """Write the report, and print it where it is `shown`; an unfinished run says how to go on.

    Gives what is wrong with the run, with what could not be written or read.
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
        faults += nothing(ended, rows)
    except KeyboardInterrupt:
        cut = True
    except (Unwritten, ValueError) as error:
        faults.append(str(error))
    if not shown:
        return faults
    legible(sys.stdout)
    if cut:
        print(f"\ninterrupted: the rows so far are kept; to go on, add --results {folder}", flush=True)
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
    """Whether a cell that was chosen still lacks its row, or its speed."""
    speeds = set(map(str, ended.speeds))
    found = {str(cell): rows.get(str(cell)) for cell in ended.chosen}
    return any(
        row is None or (name in speeds and row.status in TIMED and row.median_s is None)
        for name, row in found.items()
    )


def nothing(ended: Ended, found: Mapping[str, Row]) -> list[str]:
    """That no cell ran, where none did: a framework or a device that is not there passes no test."""
    rows = [found[str(cell)] for cell in ended.chosen if str(cell) in found]
    if not rows or any(row.status not in NOT_RUN for row in rows):
        return []
    said = " or ".join(sorted({row.status for row in rows}))
    return [
        f"nothing ran: got {count(len(rows), 'cell')}, all {said}, should be one at least that runs; "
        f"the first is {rows[0].status} because {rows[0].why}"
    ]


def failed(ended: Ended, rows: Mapping[str, Row]) -> list[str]:
    """How many cells failed, as pytest counts them, and what is kept of them."""
    where = ended.run.folder / FAILURES
    names = [
        folder_name(cell)
        for cell in ended.chosen
        if str(cell) in rows and rows[str(cell)].status in ended.failing
    ]
    kept = sum((where / name / "cell.json").is_file() for name in names)
    some = "" if kept == len(names) else f" of {kept}"
    said = f"{count(len(names), 'cell')} failed: inputs, values and a repro.py{some} are in {where}"
    return [said] if kept else []


def _blamed(ended: Ended, rows: Mapping[str, Row]) -> None:
    """Add to the rows that disagree whether they are alone with it."""
    found = [(cell_of(row.as_dict()), row) for row in rows.values()]
    for _, row in blame(found, ended.run.folder / FAILURES):
        ended.run.append(row)
