"""Run as a script in a backend's environment: freeze cells as if they had failed, and say where.

python -m tests.repeating torch float64 FOLDER [CASE]... prints for each its folder, z_worst and notes.
"""

import json
import os
import sys
from dataclasses import replace
from pathlib import Path

from bench import pages
from bench.backends import backend
from bench.cells.cell import Cell
from bench.failure import freeze as failure
from bench.verdict.judge import judge


def main(name: str, dtype: str, folder: str, *names: str) -> None:
    found = backend(name)
    os.environ.update(found.environment(threads=1, dtype=dtype, device="cpu"))
    failure.FOLDERS = 10_000
    told = []
    for case in [pages.case(each) for each in names] or pages.cases().values():
        for contender in found.contenders(case):
            option = next(option for option in case.options if option not in contender.without)
            size, regime = next(iter(case.sizes)), next(iter(case.regimes))
            mode = next(mode for mode in found.modes if mode in (contender.modes or found.modes))
            unit = Cell(case.name, option, regime, size, str(contender), name, mode, "cpu", dtype, "")
            directions = contender.directions or case.directions
            judged = judge(unit, directions)
            for direction, row in judged.rows.items():
                cell = replace(unit, direction=direction)
                failed = replace(row, status="disagrees", why=row.why or "planted")
                failure.freeze(Path(folder), cell, failed, judged, graph="gradient" in directions)
                home = Path(folder) / failure.folder_name(cell)
                notes = json.loads((home / "cell.json").read_text())["notes"]
                told.append((str(home), row.z_worst, notes))
    print(json.dumps(told))


if __name__ == "__main__":
    main(*sys.argv[1:])
