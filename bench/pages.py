"""The pages of suites/: every Case by name."""

import importlib
import pkgutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache

from bench.case import Case


@cache
def cases() -> dict[str, Case]:
    """Every case of every page, in the order of the pages' names. Imports NumPy, and no framework."""
    found: dict[str, Case] = {}
    for page in _pages():
        module = importlib.import_module(f"suites.{page}")
        listed = getattr(module, "cases", None) or [getattr(module, "case", None)]
        for case in listed:
            if not isinstance(case, Case):
                raise ValueError(f"suites/{page}.py: got no Case, should end with case = Case(...) or cases")
            if case.name in found:
                raise ValueError(f"case {case.name}: suites/{page}.py names it again, should be a new name")
            found[case.name] = case
    return found


def page(case: Case) -> str:
    """The module that lists the case; of one that no page lists, that of its inputs."""
    lists = (f"suites.{each}" for each in _pages())
    return next((each for each in lists if case.name in _names(each)), case.inputs.__module__)


@cache
def _names(module: str) -> frozenset[str]:
    listed = importlib.import_module(module)
    return frozenset(case.name for case in getattr(listed, "cases", None) or [listed.case])


def _pages() -> list[str]:
    import suites

    found = sorted(module.name for module in pkgutil.iter_modules(suites.__path__) if not module.ispkg)
    return [
        each
        for each in found
        if each not in ("conftest", "miscounted", "uncovered") and not each.startswith("test_")
    ]


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
    """The case of that name; raises ValueError and names those that exist."""
    try:
        return cases()[name]
    except KeyError:
        raise ValueError(f"case: got {name!r}, should be one of {', '.join(cases())}") from None
