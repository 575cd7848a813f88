"""The pages of suites/ with their limits, mutants and exemptions. Only this module imports suites."""

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
from bench.slip import choice, describe, line_of, meant


@dataclass(frozen=True)
class Bad:
    """A page that cannot be run: the reason, in one sentence, and the names of its cases, from its source."""

    why: str
    names: Sequence[str]


@dataclass(frozen=True)
class Pages:
    """The contents of suites/: cases by name, the page of each case, and the pages that cannot be run."""

    cases: dict[str, Case]
    owners: dict[str, str]
    bad: dict[str, Bad]


WORDS = {each.__name__: each for each in (Case, Contender, Limit, Refusal, Training)}
NAMED = re.compile(r"""\bname\s*=\s*(["'])([\w-]+)\1""")


def cases() -> dict[str, Case]:
    """Every case of every page by name, in alphabetical order of the pages. Imports no framework.

    Pages that cannot be run are left out; see `bad`.
    """
    return found().cases


def bad() -> dict[str, Bad]:
    """The pages that cannot be run, by name. The other pages are not affected."""
    return found().bad


@cache
def found() -> Pages:
    """The contents of suites/, read at the first call."""
    here = Pages({}, {}, {})
    for page in _pages():
        try:
            mine = _departing(page, _listed(page, here.owners))
            _planted(page, mine)
        except (Exception, SystemExit) as error:
            why = describe(error, f"suites/{page}.py", WORDS)
            here.bad[page] = Bad(why, [name for name in _names(page) if name not in here.cases])
        else:
            here.cases.update(mine)
            here.owners.update(dict.fromkeys(mine, page))
    owners = {"__init__", *_pages()}
    for file in (*folder().glob("limits/*.*"), *folder().glob("mutants/*.py")):
        if file.suffix in (".py", ".json") and file.stem not in owners:
            where = f"suites/{file.parent.name}/{file.name}"
            why = f"{where}: got no page suites/{file.stem}.py, should have the name of its page"
            here.bad[file.stem] = Bad(f"{why}{meant(file.stem, _pages())}", [file.stem])
    return here


def leave_out(backends: Collection[str]) -> None:
    """Move each page with a contender of a backend that is not in `backends` to `bad`."""
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
    """The cases of a page. Raises ValueError if it has none, or if the name of one is taken."""
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
            raise ValueError(f"{where}{line}: got the case {case.name!r}, should be a new name; {taken}")
        mine[case.name] = case
    return mine


def _planted(page: str, cases: Mapping[str, Case]) -> None:
    """Raise ValueError if the page's file of mutants has none, or some for a case of another page."""
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
    """The names of a page's cases, found in its source because it may fail to import."""
    spelled = [name for _, name in NAMED.findall(_source(page))]
    return list(dict.fromkeys((page.replace("_", "-"), *spelled)))


def _source(page: str) -> str:
    return (folder() / f"{page}.py").read_text(encoding="utf-8", errors="replace")


def limits(page: str) -> dict[str, Limit]:
    """The known departures of a page from suites/limits/<page>.py, with their measurements.

    Raises ValueError if that file or the measurements are malformed.
    """
    module, seen = _beside("limits", page), measured(page)
    listed: Any = {} if module is None else getattr(module, "limits", None)
    if not (isinstance(listed, Mapping) and all(isinstance(each, Limit) for each in listed.values())):
        raise ValueError(
            f"suites/limits/{page}.py: got no dict of Limits, should end with limits = {{name: Limit(…)}}"
        )
    for limit in seen:
        if limit not in listed:
            raise ValueError(
                f"suites/limits/{page}.json: got {limit!r}, should be one of {', '.join(listed) or 'none'}; "
                "delete its entries, or the file"
            )
    return {key: replace(limit, name=key, seen=tuple(seen.get(key, ()))) for key, limit in listed.items()}


def measured(page: str) -> dict[str, list[Seen]]:
    """The measurements of a page's limits, by limit, from suites/limits/<page>.json. Raises ValueError."""
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
            "measurements by the name of a limit; restore the file, or run gaugeblock limits --measure"
        ) from None


def measurements(page: str) -> Path:
    """The file with the measurements of a page's limits, which `gaugeblock limits --measure` writes."""
    return folder() / "limits" / f"{page}.json"


def _seen(entry: Mapping[str, Any]) -> Seen:
    cells = {name: str(value) for name, value in entry.items() if name not in ("release", "z")}
    low, high = map(float, entry["z"])  # infinity is the string "inf", because JSON has no such number
    if not 0 <= low <= high:
        raise ValueError(f"z: got {entry['z']}, should be the smallest and the largest")
    return Seen(str(entry["release"]), cells, (low, high))


def _departing(page: str, cases: Mapping[str, Case]) -> dict[str, Case]:
    """The cases of a page, each with the page's limits that apply to it."""
    found = {name: list(case.limits) for name, case in cases.items()}
    for limit in limits(page).values():
        for name in {name for cells in limit.reach for name in _cases(cells, cases)}:
            if name not in cases:
                where = f"suites/limits/{page}.py: {limit}"
                raise ValueError(f"{where}: got the case {name!r}, {choice(name, cases)}")
            mine = [
                {field: value for field, value in cells.items() if field != "case"}
                for cells in limit.reach
                if name in _cases(cells, cases)
            ]
            found[name].append(replace(limit, cells=mine))
    return {name: replace(case, limits=tuple(found[name])) for name, case in cases.items()}


def _cases(cells: Mapping[str, Any], cases: Mapping[str, Case]) -> Sequence[str]:
    """The cases that a limit's cells name; all of its page if they name none."""
    named = cells.get("case", list(cases))
    return [named] if isinstance(named, str) else named


def page(case: Case) -> str:
    """The module of the page that lists the case; if none does, the module of its `inputs`."""
    owner = found().owners.get(case.name)
    return f"suites.{owner}" if owner else case.inputs.__module__


def sources(page: str) -> list[Path]:
    """The file of a page, and all files of suites/ and reference/ that it imports, also indirectly."""
    found: dict[str, Path] = {}
    todo = [page]
    while todo:
        name = todo.pop()
        if name in found or (file := _file(name)) is None:
            continue
        found[name] = file
        todo += _imported(file.read_text(encoding="utf-8"))
    return [found[name] for name in sorted(found)]


@cache  # pages share most of what they import
def _imported(text: str) -> list[str]:
    """The names that a module imports from suites/ and reference/, with those of functions."""
    found = []
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.ImportFrom):
            found += [str(node.module), *(f"{node.module}.{alias.name}" for alias in node.names)]
        elif isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
    return [each for each in found if each.partition(".")[0] in ("suites", "reference")]


def _file(name: str) -> Path | None:
    """The file of a module; None if there is no module of that name."""
    if name in sys.modules:
        return Path(str(sys.modules[name].__file__))
    with suppress(ModuleNotFoundError):  # the name may be that of a function
        spec = importlib.util.find_spec(name)
        return Path(spec.origin) if spec and spec.origin else None
    return None


def files() -> list[Path]:
    """Every file of suites/ and reference/, and those of the pages that are elsewhere."""
    roots = folder(), Path(str(sys.modules["reference"].__file__)).parent
    owned = (_file(page(case)) for case in cases().values())
    return sorted({*filter(None, owned), *(file for root in roots for file in root.rglob("*.py"))})


def folder() -> Path:
    """The folder of the pages."""
    import suites

    return Path(next(iter(suites.__path__)))


def mutants(case: Case) -> Sequence[Any]:
    """The mutants that are written for this case, from suites/mutants/<page>.py."""
    listed = _beside("mutants", page(case).rpartition(".")[2])
    return () if listed is None else tuple(listed.mutants.get(case.name, ()))


def exemptions(study: str) -> ModuleType:
    """The module suites/exemptions/<study>.py: what a study leaves out, with reasons."""
    return importlib.import_module(f"suites.exemptions.{study}")


def _beside(kind: str, page: str) -> ModuleType | None:
    """The module suites/<kind>/<page>.py, or None if there is none."""
    there = (folder() / kind / f"{page}.py").exists()
    return importlib.import_module(f"suites.{kind}.{page}") if there else None


def _pages() -> list[str]:
    found = sorted(module.name for module in pkgutil.iter_modules([str(folder())]) if not module.ispkg)
    return [each for each in found if each != "conftest" and not each.startswith("test_")]


@contextmanager
def also(case: Case) -> Iterator[None]:
    """Within this context, `cases` also has this case."""
    cases()[case.name] = case
    try:
        yield
    finally:
        del cases()[case.name]


def chosen(names: Sequence[str]) -> list[Case]:
    """The cases of these names, or all if no name is given. Raises ValueError as `case` does."""
    return [case(name) for name in names] if names else list(cases().values())


def case(name: str) -> Case:
    """The case of that name. Raises ValueError, with the reason, if there is none."""
    if name in (every := cases()):
        return every[name]
    for wrong in bad().values():
        if name in wrong.names:
            raise ValueError(wrong.why)
    raise ValueError(f"case: got {name!r}, {choice(name, every, len(every))}")
