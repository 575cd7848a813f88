"""The cells and the two sides that the options of `gaugeblock gate` ask for."""

import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from bench import pages
from bench.backends import FURTHER, SHIPPED
from bench.cells.cell import Cell
from bench.cells.selection import Selection, cells, timed
from bench.gate.side import Side, interpreter, probed, revision

NAME = re.compile(r"[A-Za-z_]\w*")


def wanted(selection: Selection, expression: str = "") -> list[Cell]:
    """The cells that a run of this selection times: the headlines, unless a size is named.

    `expression` is one of pytest's -k. Raises ValueError if nothing is left.
    """
    found = [
        cell
        for cell in cells(list(pages.cases().values()), selection)
        if timed(cell, pages.case(cell.case), selection)
    ]
    matching = [cell for cell in found if matches(expression, str(cell))] if expression else found
    if not matching:
        got = f"-k {expression!r}, which matches none of {len(found)}" if found else "none"
        raise ValueError(
            f"cells: got {got}, should be some that are timed; a formula without a headline needs --size"
        )
    return matching


def matches(expression: str, name: str) -> bool:
    """Whether an expression of pytest's -k matches a name. Raises ValueError for a malformed one."""
    from _pytest.mark.expression import Expression

    try:
        found = Expression.compile(expression)
        return bool(found.evaluate(lambda word, /, **_: word.lower() in name.lower()))
    except Exception as error:  # pytest has had several classes for it
        raise ValueError(f"-k: got {expression!r} ({error}), should be an expression of names") from None


def variables(given: Sequence[str]) -> dict[str, str]:
    """The environment variables in NAME=VALUE. Raises ValueError for what is none."""
    found = {}
    for each in given:
        name, equals, value = each.partition("=")
        if not equals or not NAME.fullmatch(name):
            raise ValueError(f"--env: got {each!r}, should be NAME=VALUE")
        found[name] = value
    return found


@contextmanager
def sides(
    against: Sequence[str], against_rev: str, env: Mapping[str, str], backends: Sequence[str]
) -> Iterator[list[Side]]:
    """The sides, the oldest first and this environment last; `env` is of this one only.

    Raises ValueError if nothing is named that the two could differ in, or a side cannot run.
    """
    new = Side("this environment", variables=env)
    if against and against_rev:
        raise ValueError("--against and --against-rev: got both, should be one of them")
    if against_rev:
        plugins = [each for each in backends if each not in (*SHIPPED, *FURTHER) and ":" in each]
        with revision(against_rev, plugins) as before:
            yield [probed(each, backends) for each in (before, new)]
        return
    if not against and not env:
        raise ValueError("gate: got nothing to compare with, should be --against, --against-rev or --env")
    named = [Side(_called(python, against), interpreter(python)) for python in against]
    old = named or [Side("without --env", sys.executable)]
    yield [probed(each, backends) for each in (*old, new)]


def _called(python: str, against: Sequence[str]) -> str:
    return "the other environment" if len(against) == 1 else f"environment {against.index(python) + 1}"
