"""The command `gaugeblock gate`: from its options to what is printed, written and returned."""

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic

from bench.backends import SHIPPED
from bench.backends.plugin import register
from bench.cells.selection import Selection
from bench.digits import count
from bench.gate import accepted as acceptance
from bench.gate import page
from bench.gate.gate import run
from bench.gate.wanted import sides, variables, wanted
from bench.machine.variables import threads as usual_threads
from bench.report.rules import USUAL, rules
from bench.report.table import Section, markdown
from bench.run.interrupts import interrupts
from bench.run.workers import TIMEOUT
from bench.store.results import write

PAUSE = 10.0  # seconds between two lines of progress where nobody watches a terminal


@dataclass(frozen=True)
class Asked:
    """The options of the command, as they were given."""

    against: Sequence[str]
    against_rev: str
    env: Sequence[str]
    words: str
    backends: Sequence[str]
    sizes: Sequence[str] | None
    dtypes: Sequence[str] | None
    modes: Sequence[str] | None
    threads: int
    limit: str
    budget: float
    fail_on: str
    strict: bool
    results: Path
    accepted: Path


@dataclass(frozen=True)
class Gated:
    """What is printed, the files that were written, and the exit status."""

    sections: Sequence[Section]
    written: Sequence[Path]
    status: int


def gated(asked: Asked, files: Mapping[str, Path | None], said: Callable[[str], None]) -> Gated:
    """Run the gate that was asked for. Raises ValueError for bad input, before anything is timed."""
    failing, limit = rules(asked.fail_on or USUAL), percent(asked.limit)
    entries, env = acceptance.read(asked.accepted), variables(asked.env)
    threads = asked.threads or usual_threads()
    backends = list(dict.fromkeys(asked.backends or SHIPPED))
    register(
        asked.backends, threads=threads, timeout=TIMEOUT, modes=asked.modes or ("eager",), dtypes=("float32",)
    )
    selection = Selection(backends=backends, dtypes=asked.dtypes, modes=asked.modes, sizes=asked.sizes)
    cells = wanted(selection, asked.words)
    used = list(dict.fromkeys(cell.backend for cell in cells))
    today = datetime.now(UTC).date()
    with interrupts(), sides(asked.against, asked.against_rev, env, used) as (old, *between, new):
        long = f"at most about {asked.budget:.0f} s"
        said(f"compares {new.name} with {old.name}: {count(len(cells), 'cell')}, {long}")
        found = run(
            cells, (old, new), threads=threads, limit=limit, budget=asked.budget, rules=failing,
            between=between, accepted=entries, today=today, said=progress(said),
        )  # fmt: skip
    status, expired = found.status(asked.strict), acceptance.expired(entries, today)
    sections = page.sections(found, expired)
    texts = {
        "json": lambda: page.as_json(found, expired, status),
        "markdown": lambda: "# Gaugeblock: the gate\n\n" + markdown(sections),
        "junit": lambda: page.as_junit(found),
    }
    written = [write(file, texts[kind]()) for kind, file in files.items() if file]
    return Gated(sections, [*page.rows(found, asked.results), *written], status)


def percent(text: str) -> float:
    """A share from ``5%`` or ``0.05``. Raises ValueError."""
    try:
        found = float(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
    except ValueError:
        found = 0.0
    if not 0 < found < 1:
        raise ValueError(f"--limit: got {text!r}, should be a slowdown like 5% or 0.05")
    return found


def progress(said: Callable[[str], None]) -> Callable[[str], None]:
    """Every line where a person watches, else one in `PAUSE` seconds."""
    last = -PAUSE

    def told(text: str) -> None:
        nonlocal last
        if sys.stderr.isatty() or monotonic() - last >= PAUSE:
            last = monotonic()
            said(text)

    return told
