"""Decides from paired blocks whether a cell is slower, with a known false-alarm rate for all cells together.

Formula
    For replicate r with the block times of two old processes and a new one, over its rounds b:
        d_r = median_b( log new - (log old + log again) / 2 )     what is asked
        a_r = median_b( log again - log old )                     what equal processes show
    If the three are alike, each the same noise: var d = 3/2 s², var a = 2 s², and both are uncorrelated.
        s² = max( sum (d - mean d)² / (R - 1) · 2/3,
                  ( sum (d - mean d)² · 2/3 + sum a² / 2 ) / (2 R - 1) )
    with 2 R - 1 degrees of freedom, or R - 1 where the first term is the larger.
    t = (mean d - log margin) / sqrt( 3/2 s² / R )
Shapes
    wall, cpu : (3, b) of each replicate
Source
    Student 1908; Holm 1979; Kalibera and Jones 2013, who replicate processes: each has a speed of its own.
Choices
    A cell is slower if its slowdown is more than `MARGIN` beyond doubt: a smaller one is no regression.
    Looks are fixed in advance, and each has its part of the error rates: sampling that ends when it likes
    what it sees would raise more alarms than it says.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtr, stdtrit

from bench.gate.duel import AGAIN, NEW, OLD, Blocks

LOOKS = (5, 8, 12, 18, 26)  # replicates after which is decided
ALPHA = 0.005  # probability that equal sides have any slower cell, and the same for any faster one
MISSED = 0.02  # probability that any cell that is slower by the limit is called the same
SEEN = 0.95  # probability with which the smallest slowdown that is told would have been seen
MARGIN = 0.01  # relative; a smaller slowdown is none
LEAST = math.log1p(MARGIN)
ALONE = 1.1  # CPU seconds per second up to which a call runs on one thread
FLIPS = 1000  # compositions of what equal processes showed

ANSWERS = ("slower", "can't tell", "faster", "same")

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Series:
    """What was measured of one cell by one clock: d and a of each replicate, natural logarithms."""

    d: Array
    a: Array

    @property
    def spread(self) -> tuple[float, int]:
        """The standard error of the mean of d, and its degrees of freedom."""
        count = self.d.size
        own = float(np.sum((self.d - self.d.mean()) ** 2)) / 1.5
        alone, pooled = own / (count - 1), (own + float(np.sum(self.a**2)) / 2) / (2 * count - 1)
        degrees = count - 1 if alone > pooled else 2 * count - 1
        return math.sqrt(1.5 * max(alone, pooled) / count), degrees

    def above(self, least: float) -> float:
        """The probability of such a mean of d or a larger one if the true one is `least`."""
        error, degrees = self.spread
        if not error:
            return float(self.d.mean() <= least)
        return float(stdtr(degrees, (least - self.d.mean()) / error))

    def bounds(self, level: float) -> tuple[float, float]:
        """The bounds below and above which the true value lies with probability `level` each."""
        error, degrees = self.spread
        far = float(stdtrit(degrees, level)) * error
        return float(self.d.mean()) - far, float(self.d.mean()) + far


@dataclass(frozen=True)
class Answer:
    """What the gate says of one cell's speed.

    answer: slower, faster, same or can't tell.
    ratio, low, high: the time of the new side over that of the old one, and the bounds of the decision.
    smallest: the smallest slowdown, relative, that would have been seen with probability `SEEN`.
    witness: the clock that decided, wall or cpu.
    replicates: fresh sets of processes.
    """

    answer: str
    ratio: float
    low: float
    high: float
    smallest: float
    witness: str
    replicates: int


def series(found: Sequence[Blocks], clock: str) -> Series:
    """What these replicates of one cell measured, by the wall clock or by CPU time."""
    d, a = [], []
    for each in found:
        log = np.log(np.maximum(getattr(each, clock), 1e-12))
        d.append(np.median(log[NEW] - (log[OLD] + log[AGAIN]) / 2))
        a.append(np.median(log[AGAIN] - log[OLD]))
    return Series(np.array(d), np.array(a))


def alone(found: Sequence[Blocks]) -> bool:
    """Whether the call runs on one thread on both sides: only then CPU time shows what makes it slower."""
    used = [float(np.median(each.cpu / each.wall)) for each in found]
    return bool(used) and max(used) <= ALONE


def witnesses(found: Sequence[Blocks]) -> dict[str, Series]:
    """What may be evidence, the best first: of a call on one thread CPU time too, if it scatters less.

    Equal processes alone decide which is the better one, so that no result is chosen.
    """
    both = {clock: series(found, clock) for clock in (("wall", "cpu") if alone(found) else ("wall",))}
    return dict(sorted(both.items(), key=lambda item: float(np.sum(item[1].a ** 2))))


def decide(
    cells: Mapping[str, Sequence[Blocks]], before: Mapping[str, Answer], limit: float
) -> dict[str, Answer]:
    """The answers at a look, for all cells: those of `before` stay, and count when the levels are divided.

    `limit` is the slowdown that a cell called the same does not have.
    """
    found, share = dict(before), 1 / len(LOOKS)
    open_ = {name: witnesses(each) for name, each in cells.items() if name not in before}
    count = len(before) + len(open_)
    slower = holm({name: _slower(each) for name, each in open_.items()}, ALPHA * share, count)
    faster = holm({name: _faster(each) for name, each in open_.items()}, ALPHA * share, count)
    for name, each in open_.items():
        (witness, best), *_ = each.items()
        if name in slower:  # by the clock that shows it most
            witness, best = min(each.items(), key=lambda item: item[1].above(LEAST))
        low, high = best.bounds(1 - MISSED * share / count)
        inside = -math.log1p(limit) < low and high < math.log1p(limit)
        answer = (
            "slower" if name in slower
            else "faster" if name in faster
            else "same" if inside and float(each["wall"].d.mean()) < math.log1p(limit)
            else "can't tell"
        )  # fmt: skip
        found[name] = Answer(
            answer, math.exp(best.d.mean()), math.exp(low), math.exp(high), smallest(best, count, len(each)),
            witness, best.d.size,
        )  # fmt: skip
    return found


def settled(answers: Mapping[str, Answer]) -> dict[str, Answer]:
    """The answers that need no more replicates."""
    return {name: each for name, each in answers.items() if each.answer != "can't tell"}


def _slower(clocks: Mapping[str, Series]) -> float:
    """The probability of what was measured if the cell is no slower: by the clock that shows it most."""
    return min(1.0, len(clocks) * min(each.above(LEAST) for each in clocks.values()))


def _faster(clocks: Mapping[str, Series]) -> float:
    """The same if it is no faster, by the clock that shows it least: less CPU time alone is not faster."""
    return max(Series(-each.d, each.a).above(LEAST) for each in clocks.values())


def holm(probabilities: Mapping[str, float], level: float, count: int) -> set[str]:
    """The names that Holm's procedure rejects of `count` hypotheses; those that are not given are kept."""
    found = set[str]()
    for place, name in enumerate(sorted(probabilities, key=lambda each: probabilities[each])):
        if probabilities[name] > level / (count - place):
            break
        found.add(name)
    return found


def smallest(one: Series, count: int, clocks: int = 1) -> float:
    """The smallest slowdown, relative, that this series would have shown with probability `SEEN`."""
    error, degrees = one.spread
    strict = float(stdtrit(degrees, 1 - ALPHA / len(LOOKS) / count / clocks))
    return math.expm1(LEAST + (strict + float(stdtrit(degrees, SEEN))) * error)


def alarms(cells: Mapping[str, Sequence[Blocks]], seed: int = 0) -> float:
    """The part of compositions of what equal processes showed in which the gate tells any slower cell.

    Which of two equal processes came first is arbitrary, so each replicate's differences may change sign
    together: so many gates can be composed of one. The look is the last one that was reached.
    """
    rng = np.random.default_rng(seed)
    wall = [series(each, "wall") for each in cells.values() if each]
    if not wall:
        return math.nan
    most = max(each.d.size for each in wall)
    told = 0
    for _ in range(FLIPS):
        signs = rng.choice((-1.0, 1.0), most)
        alike = {
            str(number): Series(signs[: one.a.size] * one.a * math.sqrt(0.75), one.a)
            for number, one in enumerate(wall)
        }
        given = {name: one.above(LEAST) for name, one in alike.items()}
        told += bool(holm(given, ALPHA / len(LOOKS), len(wall)))
    return told / FLIPS


def turn(cells: Mapping[str, Sequence[Blocks]]) -> tuple[float, float]:
    """By how much the last block of a round is slower than the first, relative, and its standard error."""
    found = []
    for each in (blocks for some in cells.values() for blocks in some):
        log = np.log(each.wall) - np.log(each.wall).mean(axis=1, keepdims=True)
        found.append(float(np.mean(log[each.turn == 2]) - np.mean(log[each.turn == 0])))
    if len(found) < 2:
        return math.nan, math.nan
    return math.expm1(float(np.mean(found))), float(np.std(found, ddof=1)) / math.sqrt(len(found))
