"""Writes the published report: its pages, and the data that they load from the file system.

Runs are taken one by one, several at the same time where they are large: each has files of its own, and
gives the index only what departs, what is compared, and what tells its state.
"""

import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import orjson

from bench.report.formulas import kept
from bench.report.header import Records, setups
from bench.report.overview import DEPARTED
from bench.report.prices import Prices
from bench.report.ratios import across, compared
from bench.report.sections import NONE
from bench.report.states import FACTS, RUN
from bench.report.workloads import RACED, headlines, races
from bench.report.write import Paths, read
from bench.site import run as runs_of
from bench.site.index import index
from bench.site.machines import hardware
from bench.site.numbers import Values
from bench.store.results import write
from bench.store.row import CELL
from bench.store.rows import LARGE, all_files, run_id
from bench.store.suite import suite
from bench.worker.process import pool

if TYPE_CHECKING:
    from pandas import DataFrame

STATIC = ("index.html", "style.css", "app.js")
MARK = "gaugeblock.txt"  # a folder without it is not ours, and is not written over
SAID = "This folder is a report of Gaugeblock. `gaugeblock report --to` writes it anew.\n"
# what tells the states of machines, and what departs; few columns, because all runs are held at once
SETUP = [*(name for name in FACTS if name != "on"), "run_environment", "environment", "device", "dtype"]
OFF = [
    *CELL, "status", "why", "limit", "source", "versions", "since", "bits", "z_rms", "explained_low",
    "explained_high",
]  # fmt: skip


@dataclass(frozen=True)
class Written:
    """What the index needs of runs whose own files are written.

    runs: as `bench.site.run.about` tells them, each with the `part` that its files are called by.
    facts: a row for each state. off: the rows that depart. timed: the speeds of each, to be compared.
    machines: records by key. told: what the runs say of their formulas.
    """

    runs: Sequence[Values]
    facts: "DataFrame"
    off: "DataFrame"
    timed: Sequence["DataFrame"]
    machines: Records
    told: Mapping[str, Values]


def publish(
    paths: Paths,
    to: Path,
    *,
    lenient: bool = False,
    said: Callable[[str], None] = lambda text: None,
    prices: Prices | None = None,
) -> Path:
    """Write the report on these runs to a folder; returns its page.

    Raises ValueError for a folder that holds something else, and if there are no rows.
    """
    _check(to)
    several = _grouped(all_files(paths))
    to.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix=f".{to.name}-", dir=to.parent, ignore_cleanup_errors=True) as folder:
        whole = Path(folder, to.name)
        (whole / "data").mkdir(parents=True)
        found = []
        for number, each in enumerate(_written(several, whole / "data", lenient), 1):
            names = ", ".join(str(one["id"]) for one in each.runs)
            said(f"{number} of {len(several)}: {names or 'no row'}")
            found.append(each)
        _index(found, whole, prices)
        if to.exists():
            shutil.rmtree(to)
        whole.rename(to)
    return to / STATIC[0]


def _grouped(found: Sequence[Path]) -> list[list[Path]]:
    """The files of each run: one may lie in several."""
    groups: dict[str, list[Path]] = {}
    for file in found:
        groups.setdefault(run_id(file), []).append(file)
    return list(groups.values())


def _written(several: Sequence[Sequence[Path]], data: Path, lenient: bool) -> Iterator[Written]:
    """What `runs` gives of each group of files, in their order."""
    jobs = min(os.cpu_count() or 1, len(several))
    large = sum(file.stat().st_size for group in several for file in group) > LARGE
    given = several, [data] * len(several), range(len(several)), [lenient] * len(several)
    with pool(jobs) if large and jobs > 1 else nullcontext() as processes:
        yield from (processes.map if processes else map)(runs, *given)


def runs(paths: Sequence[Path], data: Path, number: int, lenient: bool) -> Written:
    """Write the files of the runs at these paths, and return what the index needs of them."""
    rows, machines, environments = read(paths, lenient=lenient)
    found, compare = [], []
    for place, (_, mine) in enumerate(rows.groupby(RUN, sort=False, observed=True)):
        name = f"{number}-{place}"
        timed = races(mine[RACED].assign(on=""))
        named = headlines(timed)
        found.append(runs_of.about(mine, machines, environments) | {"part": name})
        compare.append(compared(timed, named))
        part(data, f"verdicts-{name}", runs_of.verdicts(mine))
        part(data, f"speeds-{name}", runs_of.workloads(timed, named))
        part(data, f"cells-{name}", runs_of.cells(mine))
        for formula, told in enumerate(runs_of.formulas(mine)):
            part(data, f"formula-{formula}-{name}", told)
    facts, off = rows[SETUP].drop_duplicates(), rows.loc[rows["status"].isin(DEPARTED), OFF]
    return Written(found, facts, off, compare, machines, kept(paths))


def _index(found: Sequence[Written], to: Path, prices: Prices | None) -> None:
    """Write what stands over all runs, and the pages."""
    runs = sorted((run for each in found for run in each.runs), key=lambda run: run["id"], reverse=True)
    if not runs:
        raise ValueError(NONE)
    seen = set[str]()
    for run in runs:
        if run["id"] in seen:  # one name on two machines
            run["id"] += f" {run['machine']}"
        seen.add(run["id"])
    facts, off = _joined([each.facts for each in found]), _joined([each.off for each in found])
    timed = [each for one in found for each in one.timed]
    machines = {key: record for each in found for key, record in each.machines.items()}
    told = {name: words for each in reversed(found) for name, words in each.told.items()}
    built = {"built": datetime.now(UTC).date().isoformat(), "suite": suite()}
    write(to / MARK, SAID)
    for name in STATIC:
        write(to / name, (files("bench.site") / "static" / name).read_text(encoding="utf-8"))
    part(to / "data", "index", index(runs, off, told) | built)
    part(to / "data", "hardware", hardware(across(setups(facts), timed, prices), machines))


def _joined(several: Sequence["DataFrame"]) -> "DataFrame":
    """The rows of all; of none, no row."""
    import pandas as pd

    return pd.concat([each for each in several if len(each)] or several[:1], ignore_index=True)


def _check(to: Path) -> None:
    """Raise ValueError unless the folder is new, empty or a report."""
    if to.is_dir() and any(to.iterdir()) and not (to / MARK).is_file():
        raise ValueError(
            f"--to: got {to}, which holds something else, should be a new folder or a report of before"
        )
    if to.exists() and not to.is_dir():
        raise ValueError(f"--to: got {to}, which is a file, should be a folder")


def part(folder: Path, name: str, value: Any) -> None:
    """A script that hands the value to the page: from the file system, pages may load scripts alone."""
    text = orjson.dumps(value, option=orjson.OPT_NON_STR_KEYS).decode()
    text = text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")
    (folder / f"{name}.js").write_text(f"GB.put({json.dumps(name)},{text});\n", encoding="utf-8")
