"""Run as a script in a backend's environment: make each contender's named API raise, print the row's status.

python -m tests.raising torch
"""

import json
import os
import sys

from bench import pages
from bench.backends import backend
from bench.backends.api import owner_of
from bench.cells.cell import Cell
from bench.verdict.judge import judge


def planted(*arguments, **keywords):
    raise RuntimeError("planted")


def main(name: str) -> None:
    found = backend(name)
    dtype = found.dtypes[0]
    os.environ.update(found.environment(threads=1, dtype=dtype, device="cpu"))
    rows = []
    for case in pages.cases().values():
        for contender in found.contenders(case):
            option = next(option for option in case.options if option not in contender.without)
            size, regime = next(iter(case.sizes)), next(iter(case.regimes))
            mode = next(mode for mode in found.modes if mode in (contender.modes or found.modes))
            unit = Cell(case.name, option, regime, size, str(contender), name, mode, "cpu", dtype, "")
            owner, last = owner_of(contender.api)
            honest = getattr(owner, last)
            setattr(owner, last, planted)
            try:
                directions = contender.directions or case.directions
                for row in judge(unit, directions).rows.values():
                    rows.append((case.name, contender.api, row.direction, row.status, row.why))
            finally:
                setattr(owner, last, honest)
    print(json.dumps(rows))


if __name__ == "__main__":
    main(sys.argv[1])
