"""Mutants: formulas with a planted fault, judged like any contender.

Most are the formula's source with one place changed. The general ones apply to every formula: they compute
with few bits, change one element, or break an invariant.
"""

import ast
import importlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import wraps
from itertools import count
from typing import Any

import numpy as np

from bench import pages
from bench.case import Case
from bench.coarse import Coarseness, coarse
from bench.mutation.plant import apart, instead
from bench.tree import floating

KINDS = {
    "formula": "another formula: a factor, a sign, a gate, an epsilon's place",
    "unstable": "the same formula by an algorithm that cancels or overflows",
    "precision": "few bits inside: TF32, bfloat16, float16",
    "gradient": "the forward pass is right, its gradient is wrong",
    "state": "the state that a step passes to the next",
    "mask": "an edge: off by one, a last row, padding, a wrong attention mask",
    "layout": "elements in the wrong order",
    "dtype": "an intermediate result promoted or truncated",
    "local": "one element changed by a thousandth",
    "unsteady": "a repeated call, or a scaled cotangent, gives different bits",
}


@dataclass(frozen=True)
class Mutant:
    """One fault: in the source of the function `where`, the text `old`, which occurs once, becomes `new`.

    `where` is ``module.function`` of reference/, or ``suites.page.function``. `new` may use `np`, and `tf32`,
    `bfloat16`, `float16` and `float32`, which round an array to that precision. `option` and `regime` are
    those that show the fault, if the typical ones do not. `equivalent` says why no input can show it.
    Raises ValueError for an unknown kind.
    """

    name: str
    kind: str
    where: str
    old: str
    new: str
    option: str = ""
    regime: str = ""
    equivalent: str = ""

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(
                f"mutant {self.name}: got kind {self.kind!r}, should be one of {', '.join(KINDS)}"
            )

    edits_outputs = False

    def plant(self, case: Case) -> Case:
        """The page's case with the fault in the source; raises ValueError if `old` does not occur once."""
        module, _, function = self.where.rpartition(".")
        module = module if module.startswith("suites.") else f"reference.{module}"
        page = pages.page(case)
        with apart(page), instead(module, lambda source: self._faulty(source, function)):
            fresh = importlib.import_module(page)
        found = {each.name: each for each in getattr(fresh, "cases", None) or [fresh.case]}
        return found[case.name]

    def _faulty(self, source: str, function: str) -> str:
        functions = [
            node
            for node in ast.parse(source).body
            if isinstance(node, ast.FunctionDef) and node.name == function
        ]
        lines = source.splitlines(keepends=True)
        first, last = (functions[0].lineno - 1, functions[0].end_lineno) if functions else (0, 0)
        body = "".join(lines[first:last])
        if body.count(self.old) != 1:
            raise ValueError(
                f"mutant {self.name}: got {body.count(self.old)} places of {self.old!r} in {self.where}, "
                "should be one; update `old` to the current source"
            )
        return "".join(lines[:first]) + body.replace(self.old, self.new) + "".join(lines[last:])


@dataclass(frozen=True)
class General:
    """A fault that can be planted in every formula: `plant` takes a case and returns the faulty one."""

    name: str
    kind: str
    plant: Callable[[Case], Case]
    edits_outputs: bool = False
    option: str = ""
    regime: str = ""
    equivalent: str = ""


NUDGE = 4  # units in the last place: a change of one may be lost in later rounding
GENERAL = (
    General("products-tf32", "precision", lambda case: coarse(case, Coarseness(products=11))),
    General("sums-bfloat16", "precision", lambda case: coarse(case, Coarseness(sums=8))),
    General("functions-float16", "precision", lambda case: coarse(case, Coarseness(functions=11))),
    General("one-element", "local", lambda case: _spoiled(case), edits_outputs=True),
    General("every-other-call", "unsteady", lambda case: _alternating(case)),
    General("gradient-plus-a-constant", "unsteady", lambda case: _shifted(case)),
)


def _spoiled(case: Case) -> Case:
    """The case with one element of its largest output, or the loss of a step, changed by a thousandth."""

    def spoil(outputs: Any) -> Any:
        arrays = {"y": outputs} if not isinstance(outputs, dict) else outputs
        name, largest = max(arrays.items(), key=lambda item: np.size(item[1]))
        spoilt = np.array(largest)
        at = np.unravel_index(np.argmax(np.abs(spoilt)), spoilt.shape)
        spoilt[at] *= 1.001
        return {**outputs, name: spoilt} if isinstance(outputs, dict) else spoilt

    if case.step is not None:
        return replace(case, step=within(case.step, lambda found: (*found[:2], found[2] * 1.001)))
    assert case.reference is not None
    return replace(case, reference=within(case.reference, spoil))


def _alternating(case: Case) -> Case:
    """The case with a slightly different input in every other call: two equal calls give different bits."""
    if case.reference is None or case.gradient is None:
        return case
    function, calls = case.reference, count()

    @wraps(function)
    def run(*args: Any, **kwargs: Any) -> Any:
        return function(*args, **(_nudged(kwargs, {}) if next(calls) % 2 == 0 else kwargs))

    return replace(case, reference=run)


def _shifted(case: Case) -> Case:
    """The case with a constant added to the cotangent: a few roundings of the first one, at any scale."""
    if case.gradient is None:
        return case
    function, kept = case.gradient, dict[Any, Any]()

    @wraps(function)
    def run(cotangent: Any, **kwargs: Any) -> Any:
        lone = not isinstance(cotangent, dict)
        moved = _nudged({"": cotangent} if lone else cotangent, kept)
        return function(moved[""] if lone else moved, **kwargs)

    return replace(case, gradient=run)


def _nudged(arrays: dict[str, Any], kept: dict[Any, Any]) -> dict[str, Any]:
    """The arrays with the largest element of the largest one moved by a few roundings, the same if `kept`."""
    floats = {name: y for name, y in arrays.items() if floating(y) and np.size(y) and np.isfinite(y).all()}
    if not floats:
        return arrays
    name, largest = max(floats.items(), key=lambda item: np.size(item[1]))
    moved = np.array(largest)
    at = np.unravel_index(np.argmax(moved), moved.shape)  # a GELU of a very negative element is zero
    moved[at] += kept.setdefault((name, moved.dtype), NUDGE * np.spacing(np.abs(moved[at])))
    return {**arrays, name: moved}


def within(function: Callable[..., Any], apply: Callable[[Any], Any]) -> Any:
    """`function` with `apply` applied to its result."""

    @wraps(function)
    def run(*args: Any, **kwargs: Any) -> Any:
        return apply(function(*args, **kwargs))

    return run


def mutants(case: Case) -> tuple[Mutant | General, ...]:
    """The case's own mutants, from suites/mutants/, and the general ones."""
    return (*pages.mutants(case), *GENERAL)
