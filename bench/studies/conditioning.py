"""Checks that limits are what the problem forces, and not what the reference's own algorithm loses.

The conditioning factor of an element is its spread by rounding, from which its limit follows, over the spread
that a perfect algorithm would have: from the rounding of its inputs, and of the result itself.
"""

import ast
import csv
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import fdtri

from bench import pages
from bench.cells.cell import Cell
from bench.cells.selection import settings
from bench.inputs import rounded, seeded
from bench.noise import EXACT_SUMS, FULL, precision
from bench.noise.bits import binade
from bench.report.table import Section, Table, markdown
from bench.tolerance.expected import Expectation, expectation, formulas
from bench.tree import Tree, flatten, floating, tree_map

Array = NDArray[np.float64]

DTYPE = "float32"  # a factor hardly depends on the dtype
MOST = 4.0  # the largest factor that needs no reason
LOW = 3.0  # what has a reason should be above this; factors scatter in between
FILES = ("conditioning.md", "conditioning.csv")
REASON = re.compile(r"Conditioning of ([^:]+) up to (\d[\d.]*(?:e\d+)?): (.+)")
NOTE = (
    "Factor: the spread of a result when all operations of the reference are rounded, over its spread when "
    "only the inputs and the result itself are rounded; of all elements of a tensor the largest, apart from "
    "chance, and of all tensors (outputs, gradients; in training, of every step) that have the same reason. "
    "Exact sums: the same without the errors of partial sums, because a sum of n terms loses a factor of "
    "√n in any order. Option and tensor: where the factor is largest. The first size, in "
    f"{DTYPE}. For a factor above {MOST:g}, the reference gives a reason in its Choices."
)
STEP = re.compile(r"(?<=^training\.)\d+\.")


@dataclass(frozen=True)
class Factor:
    """The conditioning factor of one tensor of a formula, with one option, on one kind of inputs."""

    case: str
    option: str
    regime: str
    size: str
    tensor: str  # of a training: the same of all steps
    factor: float
    exact_sums: float  # the factor if sums accumulate exactly
    reason: str = ""

    def __str__(self) -> str:
        return "/".join((self.case, self.option, self.regime, self.tensor))

    @cached_property  # a table of thousands is held against a hundred patterns
    def _names(self) -> tuple[str, str]:
        return str(self), str(self).rpartition("/")[0]

    def matches(self, pattern: str) -> bool:
        """Whether a pattern matches its name, with the tensor or without."""
        return any(fnmatchcase(name, pattern) for name in self._names)


@dataclass(frozen=True)
class Reason:
    """A sentence in the Choices of a reference, for factors up to `most` whose names match a pattern."""

    file: str
    patterns: Sequence[str]
    most: float
    text: str

    def explains(self, one: Factor) -> bool:
        return one.factor <= self.most and any(map(one.matches, self.patterns))


def places(words: str = "") -> list[Cell]:
    """The inputs to study, one cell each; case/option/regime of each has all of these words in it."""
    found = [
        Cell(case.name, option, regime, next(iter(case.sizes)), "", "", "", "", DTYPE, "")
        for case in pages.cases().values()
        for option, regime in settings(case)
    ]
    return [cell for cell in found if all(word in cell.place.rpartition("/")[0] for word in words.split())]


def study(cells: Iterable[Cell]) -> Iterator[list[Factor]]:
    """The factors of each cell with their reasons, cell by cell: a limit that is not cached takes time."""
    for cell in cells:
        its = {file.name for file in pages.sources(pages.page(pages.case(cell.case)))}
        mine = [each for each in reasons() if each.file in its]
        yield [
            replace(one, reason=next((each.text for each in mine if each.explains(one)), ""))
            for one in of(cell)
        ]


def of(cell: Cell) -> list[Factor]:
    """The factors of one cell, by tensor."""
    expected = expectation(cell)
    least: dict[str, Array] = {}
    for prefix, function, trees in formulas(cell):
        spreads = perfect(function, trees, precision(cell.dtype).u)
        least |= {f"{prefix}{path}": spread for path, spread in spreads.items()}
    found: dict[str, tuple[float, float]] = {}
    for path, each in factors(expected, least, cell.dtype).items():
        tensor = STEP.sub("", path)
        before = found.get(tensor, each)
        found[tensor] = max(before[0], each[0]), max(before[1], each[1])
    place = (cell.case, cell.option, cell.regime, cell.size)
    return [Factor(*place, tensor, *each) for tensor, each in found.items()]


def perfect(function: Callable[..., Tree], trees: tuple[Tree, ...], u: float) -> dict[str, Array]:
    """The spread of each output in float64 when every floating input moves by up to u of itself."""
    rng, exact = np.random.default_rng(seeded("conditioning")), rounded(trees, "float64")

    def moved(leaf: Any) -> Any:
        return leaf * (1 + u * rng.uniform(-1, 1, np.shape(leaf))) if floating(leaf) else leaf

    with np.errstate(all="ignore"):
        values = flatten(function(*exact))
        squares = {path: np.zeros(np.shape(y)) for path, y in values.items()}
        for _ in range(FULL):
            for path, y in flatten(function(*tree_map(moved, exact))).items():
                away = np.asarray(y, dtype=np.float64) - values[path]
                squares[path] += np.where(np.isnan(away), 0, np.square(away))  # inf - inf
    return {path: np.sqrt(total / FULL) for path, total in squares.items()}


def factors(expected: Expectation, least: Mapping[str, Array], dtype: str) -> dict[str, tuple[float, float]]:
    """The factors of each tensor with sums rounded and with exact sums; `least` is the spread by inputs."""
    u, small_sample = precision(dtype).u, np.sqrt((EXACT_SUMS - 2) / EXACT_SUMS)
    found = {}
    for path, one in expected.items():
        problem = np.hypot(least[path], rounding(one.value, dtype))
        decided = (one.jump == 0) & np.isfinite(one.value)
        found[path] = (
            largest(one.sigma[decided], problem[decided], FULL),
            largest(one.sigma1[decided] * (u * small_sample), problem[decided], EXACT_SUMS),
        )
    return found


def rounding(y: Array, dtype: str) -> Array:
    """The rms error of y if it is rounded to the dtype; near zero, the smallest normal number at least."""
    u, tiny = precision(dtype).u, precision(dtype).tiny
    return np.asarray(u * binade(y) / np.sqrt(3) + np.where(np.abs(y) < tiny / u, tiny, 0))


def largest(sigma: Array, problem: Array, draws: int) -> float:
    """The largest ratio of spreads, over what chance makes of the largest of so many ratios of 1.

    Both spreads are estimated, so their squared ratio scatters like Fisher's F.
    """
    some = sigma > 0
    if not some.any():
        return 0.0
    ratio = np.max(sigma[some] / problem[some])
    return float(ratio / np.sqrt(fdtri(draws, FULL, 1 - 1 / (np.count_nonzero(some) + 1))))


@cache
def reasons() -> tuple[Reason, ...]:
    """The reasons in the Choices of all references: "Conditioning of <patterns> up to <factor>: <sentence>".

    Each starts a line, and ends where the next one starts or with the docstring. Patterns match
    case/option/regime or case/option/regime/tensor, and are separated by commas.
    """
    every = {file for case in pages.cases().values() for file in pages.sources(pages.page(case))}
    found = []
    for file in sorted(file for file in every if file.parent.name == "reference"):
        text = ast.get_docstring(ast.parse(file.read_text(encoding="utf-8"))) or ""
        for part in re.split(r"\n\s*(?=Conditioning of )", text.partition("\nChoices\n")[2]):
            if match := REASON.match(" ".join(part.split())):
                patterns = tuple(each.strip() for each in match[1].split(","))
                found.append(Reason(file.name, patterns, float(match[2]), match[3]))
    return tuple(found)


def faults(found: Sequence[Factor], *, whole: bool = True) -> list[str]:
    """A sentence for each large factor without a reason, and for each stale reason.

    A reason is stale if one of its patterns matches only small factors or, unless only a part was studied,
    none at all; and if its largest factor is less than half of what it says.
    """
    wrong = [
        f"{one}: the conditioning factor is {number(one.factor)}, should be at most {MOST:g}; write the "
        "reference in a stabler form, or say why not in its Choices: "
        f'"Conditioning of {one} up to {number(1.2 * one.factor)}: <sentence>"'
        for one in found
        if one.factor > MOST and not one.reason
    ]
    for each in reasons():
        there = {pattern: [one.factor for one in found if one.matches(pattern)] for pattern in each.patterns}
        if not whole and not all(there.values()):
            continue
        where = f"reference/{each.file}: a stale reason: Conditioning of"
        wrong += [
            f"{where} {pattern}: got {_most(factors)}, should be above {MOST:g}; delete the pattern"
            for pattern, factors in there.items()
            if max(factors, default=0) < LOW
        ]
        largest = [factor for factors in there.values() for factor in factors]
        if max(largest, default=each.most) < each.most / 2:
            wrong.append(f"{where} … up to {each.most:g}: got {_most(largest)}, should be nearer to that")
    return wrong


def _most(factors: Sequence[float]) -> str:
    return f"at most {number(max(factors))}" if factors else "no such formula"


def number(factor: float) -> str:
    """A factor with two significant digits."""
    return f"{factor:.0f}" if 10 <= factor < 1e4 else f"{factor:.2g}".replace("e+", "e")


def tables(found: Sequence[Factor]) -> list[Section]:
    """The formulas and regimes by falling factor, once for each reason: where the factor is largest."""
    lines: dict[tuple[str, str, str], Factor] = {}
    for one in ordered(found):
        lines.setdefault((one.case, one.regime, one.reason if one.factor > MOST else ""), one)
    rows = [
        (one.case, one.regime, *map(number, (one.factor, one.exact_sums)), one.option, one.tensor, reason)
        for (_, _, reason), one in lines.items()
    ]
    columns = ("formula", "regime", "factor", "exact\nsums", "option", "tensor", "reason")
    return [Table("Conditioning", columns, rows, right=columns[2:4], note=NOTE)]


def ordered(found: Sequence[Factor]) -> list[Factor]:
    """By falling factor."""
    return sorted(found, key=lambda one: -one.factor)


def write(found: Sequence[Factor], folder: Path) -> list[Path]:
    """Write the table as Markdown and every factor as CSV; returns the files."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / name for name in FILES]
    paths[0].write_text(markdown(tables(found)), encoding="utf-8")
    with paths[1].open("w", newline="", encoding="utf-8") as file:
        lines = csv.writer(file, lineterminator="\n")
        lines.writerow(Factor.__dataclass_fields__)
        for one in ordered(found):
            values = (getattr(one, name) for name in Factor.__dataclass_fields__)
            lines.writerow(f"{each:.4g}" if isinstance(each, float) else each for each in values)
    return paths


def read(folder: Path) -> list[Factor]:
    """What `write` wrote."""
    with (folder / FILES[1]).open(newline="", encoding="utf-8") as file:
        return [Factor(**_numbers(line)) for line in csv.DictReader(file)]


def _numbers(line: dict[str, Any]) -> dict[str, Any]:
    return line | {name: float(line[name]) for name in ("factor", "exact_sums")}
