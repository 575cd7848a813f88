"""A Mutant: a formula with a planted fault, run as any contender is.

Most are the formula's own source with one place changed; those of every formula compute with few bits inside,
or spoil one element.
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
    "gradient": "the forward pass is right, its gradient is not",
    "state": "what a step carries to the next",
    "mask": "an edge: off by one, a last row, padding, who sees whom",
    "layout": "elements in the wrong order",
    "dtype": "promoted or truncated on the way",
    "local": "one element by a thousandth",
    "unsteady": "the same call again, or twice the cotangent, gives other bits than it should",
}


@dataclass(frozen=True)
class Mutant:
    """One fault: in the function `where` (``module.function`` of reference/, or ``suites.page.function``) the
    text `old`, which stands there once, becomes `new`.

    `new` may call `np`, and `tf32`, `bfloat16`, `float16` and `float32`, which round an array to that many
    bits.
    `option` and `regime` say what shows the fault, where the typical ones do not. `equivalent` is the reason
    why no input can show it.
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
        """The case as its page gives it with the fault in the source; ValueError where the source changed."""
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
                "should be one; write it after the source as it is now"
            )
        return "".join(lines[:first]) + body.replace(self.old, self.new) + "".join(lines[last:])


@dataclass(frozen=True)
class General:
    """A fault that can be planted in every formula: `plant` takes and gives a case."""

    name: str
    kind: str
    plant: Callable[[Case], Case]
    edits_outputs: bool = False
    option: str = ""
    regime: str = ""
    equivalent: str = ""


NUDGE = 4  # roundings: one may be lost on the way
GENERAL = (
    General("products-tf32", "precision", lambda case: coarse(case, Coarseness(products=11))),
    General("sums-bfloat16", "precision", lambda case: coarse(case, Coarseness(sums=8))),
    General("functions-float16", "precision", lambda case: coarse(case, Coarseness(functions=11))),
    General("one-element", "local", lambda case: _spoiled(case), edits_outputs=True),
    General("every-other-call", "unsteady", lambda case: _alternating(case)),
    General("gradient-plus-a-constant", "unsteady", lambda case: _shifted(case)),
)


def _spoiled(case: Case) -> Case:
    """The case with one element of its largest output, or the loss of a step, off by a thousandth."""

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
    """The case with an input in every other call that is one rounding off, where two calls are compared."""
    if case.reference is None or case.gradient is None:
        return case
    function, calls = case.reference, count()

    @wraps(function)
    def run(*args: Any, **kwargs: Any) -> Any:
        return function(*args, **(_nudged(kwargs, {}) if next(calls) % 2 == 0 else kwargs))

    return replace(case, reference=run)


def _shifted(case: Case) -> Case:
    """The case with a constant beside the cotangent of its gradient: one rounding of the first one's."""
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
    """The largest element of the largest array moved by a few roundings: its own, or those `kept`."""
    floats = {name: y for name, y in arrays.items() if floating(y) and np.size(y) and np.isfinite(y).all()}
    if not floats:
        return arrays
    name, largest = max(floats.items(), key=lambda item: np.size(item[1]))
    moved = np.array(largest)
    at = np.unravel_index(np.argmax(np.abs(moved)), moved.shape)
    moved[at] += kept.setdefault((name, moved.dtype), NUDGE * np.spacing(np.abs(moved[at])))
    return {**arrays, name: moved}


def within(function: Callable[..., Any], apply: Callable[[Any], Any]) -> Any:
    """`function`, with its result as `apply` makes it."""

    @wraps(function)
    def run(*args: Any, **kwargs: Any) -> Any:
        return apply(function(*args, **kwargs))

    return run


def mutants(case: Case) -> tuple[Mutant | General, ...]:
    """The case's own mutants, beside its page in suites/mutants/, and those of every formula."""
    return (*pages.mutants(case), *GENERAL)
