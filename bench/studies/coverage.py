"""Checks that pages cover the APIs that they name: every parameter is covered, or has a reason."""

import json
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from bench import pages
from bench.backends import SHIPPED, Absent, backend
from bench.report.table import Section, Table, markdown
from bench.studies.calls import DEFAULT, NEEDED
from bench.worker import Worker

NAMES = [name for name in SHIPPED if name != "numpy"]  # the reference has no API of its own
FILES = ("coverage.jsonl", "coverage.md")
STATUSES = ("covered", "partly", "not covered", "forgotten")
COLUMNS = ("parameter", "default", "status", "passed", "by, or why not")
NOTE = (
    "Covered: options of a case pass a value other than the default; for a flag both True and False, for a "
    "choice each string that suites/exemptions/coverage.py lists. Partly or not covered: that file gives "
    "the reason. Pairs: a kind of value of one parameter with one of another of the same callable, among the "
    "kinds that its calls pass (the default, another number, each flag, word and kind of array); met: some "
    "call passes both."
)
SHOWN = 6  # most values or places in one line of a table


@dataclass(frozen=True)
class Line:
    """One parameter of one callable of an API."""

    backend: str
    cases: Sequence[str]
    api: str
    parameter: str
    default: str
    values: Mapping[str, Sequence[str]]  # each value passed, with the cases and options that passed it
    missed: Sequence[str]  # values that should have been passed and were not
    reason: str = ""
    pairs: int = 0  # of a kind of value of this parameter and one of a later parameter
    met: int = 0  # of these, how many some call passes together

    def __str__(self) -> str:
        return f"{self.api}({self.parameter})"

    @property
    def status(self) -> str:
        if not self.missed:
            return "covered"
        if not self.reason:
            return "forgotten"
        return "partly" if set(self.values) - {self.default} else "not covered"


def study() -> tuple[list[Line], list[str]]:
    """The parameters of all installed frameworks, and what is wrong: see `lines` and `faults`."""
    left_out = pages.exemptions("coverage")
    here = []
    for name in NAMES:
        with suppress(Absent):
            backend(name).installed()
            here.append(name)
    found = lines(here, left_out.REASONS, left_out.CHOICES)
    # a reason that none of these frameworks needs may belong to one that is not installed
    everything = here == NAMES
    return found, faults(found, left_out.REASONS, left_out.CHOICES) if everything else faults(found, {}, {})


def lines(
    backends: Iterable[str], reasons: Mapping[str, str], choices: Mapping[str, Sequence[str]]
) -> list[Line]:
    """A line for each parameter with its reason, from workers in which every build runs every option."""
    with ThreadPoolExecutor(2) as pool:
        names = list(backends)
        found = [
            line(name, call, parameter, choices)
            for name, calls in zip(names, pool.map(_ask, names), strict=True)
            for call in calls
            for parameter in call["defaults"]
        ]
    return [replace(each, reason=reason(each, reasons)) for each in found]


def _ask(name: str) -> Any:
    worker = Worker(backend(name).environment(threads=1, dtype="float32", device="cpu"))
    try:
        return worker.request("bench.studies.calls:recorded", name)
    finally:
        worker.close()


def line(name: str, call: Mapping[str, Any], parameter: str, choices: Mapping[str, Sequence[str]]) -> Line:
    """The values that were passed for one parameter of an API, and those that were missed."""
    default, values = call["defaults"][parameter], call["passed"].get(parameter, {})
    pairs, met = paired(call, parameter)
    found = Line(name, call["cases"], call["name"], parameter, default, values, (), "", pairs, met)
    expected = {"True", "False"} if default in ("True", "False") else set[str]()
    expected |= {repr(each) for each in choices.get(match(found, choices) or "", ())}
    missed = sorted(expected - {default, *values})
    if not expected and not set(values) - {default}:
        missed = ["a value" if default == NEEDED else f"other than {default}"]
    return replace(found, missed=missed)


def paired(call: Mapping[str, Any], parameter: str) -> tuple[int, int]:
    """How many pairs there are of kinds of values of a parameter and of a later one, and how many are met.

    A parameter counts if calls pass it more than one kind of value.
    """
    calls = [{name: given.get(name, DEFAULT) for name in call["defaults"]} for given in call["together"]]
    kinds = {name: {given[name] for given in calls} for name in call["defaults"]}
    several = [name for name, found in kinds.items() if len(found) > 1]
    if parameter not in several:
        return 0, 0
    later = several[several.index(parameter) + 1 :]
    met = {(name, given[parameter], given[name]) for name in later for given in calls}
    return sum(len(kinds[parameter]) * len(kinds[name]) for name in later), len(met)


def match(found: Line, patterns: Iterable[str]) -> str | None:
    """The first pattern that matches this parameter."""
    return next((each for each in patterns if fnmatchcase(str(found), each)), None)


def reason(found: Line, reasons: Mapping[str, str]) -> str:
    """Why a parameter is not covered, or empty."""
    return reasons[each] if found.missed and (each := match(found, reasons)) else ""


def faults(found: Sequence[Line], reasons: Mapping[str, str], choices: Iterable[str]) -> list[str]:
    """A sentence for each forgotten parameter, and for each pattern that is no longer needed."""
    needed = {match(each, reasons) for each in found if each.missed}
    named = {match(each, choices) for each in found}
    return [
        *(
            f"{each} has no reason: got {', '.join(each.values) or 'nothing'} in its calls, not "
            f"{', '.join(each.missed)}; let an option of {each.cases[0]} pass it, or give a reason in "
            "suites/exemptions/coverage.py"
            for each in found
            if each.status == "forgotten"
        ),
        *(f"{each!r} is a stale reason: no parameter needs it" for each in reasons if each not in needed),
        *(f"{each!r} is a stale choice: no parameter has this name" for each in choices if each not in named),
    ]


def tables(found: Sequence[Line]) -> list[Section]:
    """A summary by framework, then a table for each callable."""
    rows: list[tuple[str, ...]] = []
    for name in dict.fromkeys(each.backend for each in found):
        own = [each for each in found if each.backend == name]
        tally = [sum(each.status == status for each in own) for status in STATUSES]
        tally += [sum(each.pairs for each in own), sum(each.met for each in own)]
        rows.append((name, *map(str, (len({each.api for each in own}), len(own), *tally))))
    columns = ("backend", "callables", "parameters", *STATUSES, "pairs", "met")
    title = "Coverage of the APIs"
    sections: list[Section] = [Table(title, columns, rows, right=columns[1:], note=NOTE)]
    for api in dict.fromkeys(each.api for each in found):
        own = [each for each in found if each.api == api]
        each_one = [(each.parameter, each.default, each.status, _values(each), _why(each)) for each in own]
        note = f"In {', '.join(own[0].cases)}."
        if pairs := sum(each.pairs for each in own):
            note += f" Of {pairs} pairs of kinds of values, {sum(each.met for each in own)} are met."
        sections.append(Table(api, COLUMNS, each_one, note=note, level=3))
    return sections


def _values(found: Line) -> str:
    return _few([each if len(each) < 40 else f"{each[:36]} …" for each in found.values])


def _why(found: Line) -> str:
    places = [where for value, all_ in found.values.items() if value != found.default for where in all_]
    missed = f"not {', '.join(found.missed)}: {found.reason}" if found.missed else ""
    return "; ".join(filter(None, (_few(list(dict.fromkeys(places))), missed)))


def _few(words: Sequence[str]) -> str:
    more = len(words) - SHOWN
    return ", ".join(words[:SHOWN]) + (f" and {more} more" if more > 0 else "")


def write(found: Sequence[Line], folder: Path) -> list[Path]:
    """Write the lines as JSON and as Markdown; returns the files."""
    folder.mkdir(parents=True, exist_ok=True)
    records = [json.dumps(asdict(each) | {"status": each.status}) for each in found]
    texts = ("".join(f"{each}\n" for each in records), markdown(tables(found)))
    paths = [folder / name for name in FILES]
    for path, text in zip(paths, texts, strict=True):
        path.write_text(text, encoding="utf-8")
    return paths
