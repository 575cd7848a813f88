"""Compiled programs that are kept for further kinds of inputs.

Compilation takes most of the time where a contender meets one kind of inputs after the other: the kinds
differ in values, and a program depends on shapes and dtypes only.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from bench.backends import Backend
from bench.cells.cell import Cell
from bench.contender.prepare import Ready
from bench.tree import flatten

MOST = 64  # programs of a worker


@dataclass(frozen=True)
class Program:
    """What a build and a compiler made: the run, its forward call and its gradient."""

    run: Any
    forward: Any
    vjp: Any


class Programs:
    """The programs of a worker, by what they were compiled for. The oldest makes room."""

    def __init__(self) -> None:
        self._kept: dict[Any, Program] = {}

    def get(self, ready: Ready, unit: Cell, directions: Sequence[str]) -> Program | None:
        """A program for this contender, option and mode, and for arrays of these shapes and dtypes."""
        return self._kept.get(_key(ready, unit, directions))

    def keep(self, ready: Ready, unit: Cell, directions: Sequence[str], program: Program) -> None:
        """Keep a program for `get`."""
        self._kept[_key(ready, unit, directions)] = program
        while len(self._kept) > MOST:
            del self._kept[next(iter(self._kept))]


def compiles(engine: Backend, mode: str) -> bool:
    """Whether a mode compiles a program."""
    return mode not in ("eager", *engine.layouts)


def _key(ready: Ready, unit: Cell, directions: Sequence[str]) -> Any:
    leaves = flatten([ready.params, ready.data, ready.cotangents])
    forms = {
        path: (getattr(leaf, "shape", leaf), getattr(leaf, "dtype", "")) for path, leaf in leaves.items()
    }
    return replace(unit, regime="", seed=0), "gradient" in directions, str(forms)
