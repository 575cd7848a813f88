"""The pages of suites/ and what stands beside them: the one place that imports suites."""

import ast
import importlib
import importlib.util
import json
import pkgutil
import re
import sys
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

from bench.case import Case, Contender, Limit, Refusal, Seen, Training
from bench.slip import choice, line_of, meant, told


@dataclass(frozen=True)
class Bad:
    """A page that cannot be run: why, in one sentence, and the cases that it names as far as one can read."""

    why: str
    names: Sequence[str]


@dataclass(frozen=True)
class Pages:
    """What was found in suites/: cases by name, the page of each, and the pages that cannot be run."""

    cases: dict[str, Case]
    owners: dict[str, str]
    bad: dict[str, Bad]


WORDS = {each.__name__: each for each in (Case, Contender, Limit, Refusal, Training)}
NAMED = re.compile(r"""\bname\s*=\s*(["'])([\w-]+)\1""")


def cases() -> dict[str, Case]:
    """Every case of every page, in the order of the pages' names. Imports NumPy, and no framework.

    A page that is wrong is left out, and `bad` says why.
    """
    return found().cases


def bad() -> dict[str, Bad]:
    """The pages that cannot be run, by their names: each costs itself alone."""
    return found().bad


@cache
def found() -> Pages:
    """The pages as they were when they were first asked for."""
    here = Pages({}, {}, {})
    for page in _pages():
        try:
            mine = _departing(page, _listed(page, here.owners))
            _planted(page, mine)
        except (Exception, SystemExit) as error:
            why = told(error, f"suites/{page}.py", WORDS)
            here.bad[page] = Bad(why, [name for name in _names(page) if name not in here.cases])
        else:
            here.cases.update(mine)
            here.owners.update(dict.fromkeys(mine, page))
    owners = {"__init__", *_pages()}
    for file in (*folder().glob("limits/*.*"), *folder().glob("mutants/*.py")):
        if file.suffix in (".py", ".json") and file.stem not in owners:
            where = f"suites/{file.parent.name}/{file.name}"
            why = f"{where}: got no page suites/{file.stem}.py, should be named as its page is"
            here.bad[file.stem] = Bad(f"{why}{meant(file.stem, _pages())}", [file.stem])
    return here


def leave_out(backends: Collection[str]) -> None:
    """Count as bad each page that has a contender of a backend which is none of these."""
    here = found()
    for name, case in list(here.cases.items()):
        odd = [each.backend for each in case.contenders if each.backend not in backends]
        page = here.owners.get(name)
        if page is None or not odd:
            continue
        line = line_of(_source(page), odd[0])
        should = f"should be one of {', '.join(backends)}, or a plug-in of this run{meant(odd[0], backends)}"
        wrong(page, f"suites/{page}.py{line}: Contender has the backend {odd[0]!r}, {should}")


def wrong(page: str, why: str) -> None:
    """Count a page as bad, and leave out its cases."""
    here = found()
    here.bad[page] = Bad(why, _names(page))
    for name in [name for name, owner in here.owners.items() if owner == page]:
        del here.cases[name], here.owners[name]


def _listed(page: str, owners: Mapping[str, str]) -> dict[str, Case]:
    """The cases that a page lists. Raises ValueError where it has none, or one whose name is taken."""
    module, where = importlib.import_module(f"suites.{page}"), f"suites/{page}.py"
    listed: Any = getattr(module, "cases", None) or [getattr(module, "case", None)]
    if not (isinstance(listed, list | tuple) and all(isinstance(each, Case) for each in listed)):
        raise ValueError(
            f"{where}: got no Case, should end with case = Case(...) or cases = (Case(...), ...)"
        )
    mine: dict[str, Case] = {}
    for case in listed:
        if case.name in mine or case.name in owners:
            line = line_of(_source(page), case.name)
            taken = f"suites/{owners.get(case.name, page)}.py has it already"
            raise ValueError(f"{where}{line}: got the case {case.name!r}, should be a new name: {taken}")
        mine[case.name] = case
    return mine


def _planted(page: str, cases: Mapping[str, Case]) -> None:
    """Raise ValueError where the page's mutants are none, or are of no case of it."""
    module, where = _beside("mutants", page), f"suites/mutants/{page}.py"
    listed = {} if module is None else getattr(module, "mutants", None)
    if not isinstance(listed, Mapping):
        raise ValueError(
            f"{where}: got no mutants by case, should end with mutants = {{name: (Mutant(…), …)}}"
        )
    for name in listed:
        if name not in cases:
            raise ValueError(f"{where}: got mutants of {name!r}, {choice(str(name), cases)}")


def _names(page: str) -> list[str]:
    """The cases that a page names, as one who cannot import it reads them."""
    spelled = [name for _, name in NAMED.findall(_source(page))]
    return list(dict.fromkeys((page.replace("_", "-"), *spelled)))


def _source(page: str) -> str:
    return (folder() / f"{page}.py").read_text(encoding="utf-8", errors="replace")


def limits(page: str) -> dict[str, Limit]:
    """The known departures of a page: suites/limits/<page>.py, with what was measured of them."""
    module, seen = _beside("limits", page), measured(page)
    listed: Any = {} if module is None else getattr(module, "limits", None)
    if not (isinstance(listed, Mapping) and all(isinstance(each, Limit) for each in listed.values())):
        raise ValueError(
            f"suites/limits/{page}.py: got no Limits by their names, should end with "
            "limits = {name: Limit(…)}"
        )
    for limit in seen:
        if limit not in listed:
            raise ValueError(
                f"suites/limits/{page}.json: it has {limit!r}, should be one of "
                f"{', '.join(listed) or 'none'}; take its entries away, or the file"
            )
    return {key: replace(limit, name=key, seen=tuple(seen.get(key, ()))) for key, limit in listed.items()}


def measured(page: str) -> dict[str, list[Seen]]:
    """What was measured of a page's limits, by their names: suites/limits/<page>.json."""
    file = measurements(page)
    if not file.exists():
        return {}
    try:
        return {
            name: list(map(_seen, entries))
            for name, entries in json.loads(file.read_text(encoding="utf-8")).items()
        }
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(
            f"suites/limits/{page}.json: got {type(error).__name__}: {error}, should be lists of "
            "measurements by the name of a limit; restore the file, or measure anew"
        ) from None


def measurements(page: str) -> Path:
    """The file of what was measured of a page's limits, which `gaugeblock limits --measure` writes."""
    return folder() / "limits" / f"{page}.json"


def _seen(entry: Mapping[str, Any]) -> Seen:
    cells = {name: str(value) for name, value in entry.items() if name not in ("release", "z")}
    low, high = map(float, entry["z"])  # an infinite one is written "inf", which JSON has no number for
    if not 0 <= low <= high:
        raise ValueError(f"z is {entry['z']}, not the smallest and the largest")
    return Seen(str(entry["release"]), cells, (low, high))


def _departing(page: str, cases: Mapping[str, Case]) -> dict[str, Case]:
    """The cases of a page, each with those of the page's limits that name it."""
    found = {name: list(case.limits) for name, case in cases.items()}
    for limit in limits(page).values():
        for name in {name for cells in limit.reach for name in _cases(cells, cases)}:
            if name not in cases:
                where = f"suites/limits/{page}.py: {limit}"
                raise ValueError(f"{where}: its case is {name!r}, {choice(name, cases)}")
            mine = [
                {field: value for field, value in cells.items() if field != "case"}
                for cells in limit.reach
                if name in _cases(cells, cases)
            ]
            found[name].append(replace(limit, cells=mine))
    return {name: replace(case, limits=tuple(found[name])) for name, case in cases.items()}


def _cases(cells: Mapping[str, Any], cases: Mapping[str, Case]) -> Sequence[str]:
    """The cases that a limit's cells name: all of its page where they name none."""
    named = cells.get("case", list(cases))
    return [named] if isinstance(named, str) else named


def page(case: Case) -> str:
    """The module that lists the case; of one that no page lists, that of its inputs."""
    owner = found().owners.get(case.name)
    return f"suites.{owner}" if owner else case.inputs.__module__


def sources(page: str) -> list[Path]:
    """The files of a page and of what it imports from suites/ and reference/, and these in turn."""
    found: dict[str, Path] = {}
    todo = [page]
    while todo:
        name = todo.pop()
        if name in found or (file := _file(name)) is None:
            continue
        found[name] = file
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom):
                names = [str(node.module), *(f"{node.module}.{alias.name}" for alias in node.names)]
            else:
                names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            todo += [each for each in names if each.partition(".")[0] in ("suites", "reference")]
    return [found[name] for name in sorted(found)]


def _file(name: str) -> Path | None:
    """Where a module lies; None where that name is none."""
    if name in sys.modules:
        return Path(str(sys.modules[name].__file__))
    with suppress(ModuleNotFoundError):  # of a function in a module
        spec = importlib.util.find_spec(name)
        return Path(spec.origin) if spec and spec.origin else None
    return None


def folder() -> Path:
    """Where the pages lie."""
    import suites

    return Path(next(iter(suites.__path__)))


def mutants(case: Case) -> Sequence[Any]:
    """The faults that are planted in a case alone: suites/mutants/<page>.py."""
    listed = _beside("mutants", page(case).rpartition(".")[2])
    return () if listed is None else tuple(listed.mutants.get(case.name, ()))


def exemptions(study: str) -> ModuleType:
    """What a study of the pages leaves out, and why: suites/exemptions/<study>.py."""
    return importlib.import_module(f"suites.exemptions.{study}")


def _beside(kind: str, page: str) -> ModuleType | None:
    """What stands beside a page under its name, in one of the folders of suites/; None where nothing does."""
    there = (folder() / kind / f"{page}.py").exists()
    return importlib.import_module(f"suites.{kind}.{page}") if there else None


def _pages() -> list[str]:
    found = sorted(module.name for module in pkgutil.iter_modules([str(folder())]) if not module.ispkg)
    return [each for each in found if each != "conftest" and not each.startswith("test_")]


@contextmanager
def also(case: Case) -> Iterator[None]:
    """One case more, while it lasts."""
    cases()[case.name] = case
    try:
        yield
    finally:
        del cases()[case.name]


def chosen(names: Sequence[str]) -> list[Case]:
    """The cases of these names, all where there is none; raises ValueError as `case` does."""
    return [case(name) for name in names] if names else list(cases().values())


def case(name: str) -> Case:
    """The case of that name; raises ValueError and says why there is none."""
    if name in (every := cases()):
        return every[name]
    for wrong in bad().values():
        if name in wrong.names:
            raise ValueError(wrong.why)
    raise ValueError(f"case: got {name!r}, {choice(name, every, len(every))}")
