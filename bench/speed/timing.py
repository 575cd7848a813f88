"""Statistics of samples: medians, paired ratios with intervals, and whether a series is steady."""

import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

FLOOR = 5e-4  # seconds: a busy machine can delay any read by this much
SLOWER, LATE = 1.5, 0.03  # the worker's clock may show so many times less, and answers may be so late (s)
MARGIN = 1.5  # for CPU time that is counted late
FRESH = 3.0  # a call on fresh inputs that takes more than this many times longer shows a cached result
BRIEF = 2e-6  # seconds that a call on fresh inputs may take longer in any case
LATER = 0.5  # of a call: earlier results take less to read when the last is complete
DRAWS = 2000  # random series


class Sample(NamedTuple):
    """The measurements of one block. `seconds`, `cpu` and `issue` are per call."""

    seconds: float
    residue: float  # seconds to read the result after the wait returned
    idle: float  # seconds to read a result that was already complete
    cpu: float  # seconds of the process's CPU time
    compiled: int  # programs compiled during the block
    issue: float | None  # seconds until the loop returned; None if it returns only when all is done
    at: float  # seconds since 1970, when the block began
    sm_mhz: int | None = None  # of a GPU, under the same load just before
    power_w: float | None = None
    throttled: str = ""
    whole: float = 0.0  # seconds in all, with what is done before and after the block
    asked: float = 0.0  # the same, by the clock of the process that asked for it


@dataclass(frozen=True)
class Timing:
    """The samples of one contender, in seconds per call; `rounds` has the round of each sample.

    `cpu` is CPU time of the process per call. `residues` are the times to read a result after the wait,
    `idles` the times to read an older one. `fresh` and `seen` are calls on unseen and seen inputs in turn.
    `behind` are the times to read earlier results of calls in a row after the wait for the last.
    `wholes` are seconds of each sample with what is done around it, `asked` the same by the clock of the
    process that asked for it.
    """

    samples: tuple[float, ...]
    residues: tuple[float, ...]
    idles: tuple[float, ...]
    calls: int
    first_call_s: float
    rounds: tuple[int, ...] = ()
    cpu: tuple[float, ...] = ()
    compiled: int = 0  # programs compiled while samples were taken
    compile_s: float | None = None
    fresh: tuple[float, ...] = ()
    seen: tuple[float, ...] = ()
    behind: tuple[float, ...] = ()
    peak_bytes: int | None = None
    device_peak_bytes: int | None = None
    energy_j: float | None = None  # per call
    bytes: float | None = None  # the fewest that a call can move
    sets: int = 1
    cache: str = ""  # whether inputs and weights fit in the last-level cache: hot, partly, cold
    issues: tuple[float | None, ...] = ()  # seconds per call until the loop returned
    times: tuple[float, ...] = ()  # seconds since 1970, when each block began
    sm_mhz: tuple[int | None, ...] = ()  # of a GPU, just before each block, under its load
    power_w: tuple[float | None, ...] = ()
    throttled: tuple[str, ...] = ()
    wholes: tuple[float, ...] = ()
    asked: tuple[float, ...] = ()

    @property
    def median_s(self) -> float:
        return float(np.median(self.samples))

    @property
    def cpu_s(self) -> float | None:
        return float(np.median(self.cpu)) if self.cpu else None

    @property
    def issue_s(self) -> float | None:
        return middle(self.issues)

    @property
    def interval_s(self) -> tuple[float, float]:
        """The 95 % interval of the median."""
        return interval(np.array(self.samples), 0.95)

    @property
    def residue_s(self) -> float:
        return float(np.median(self.residues))

    @property
    def waited(self) -> bool:
        """Whether the wait really waited: after it a result can be read as fast as an older one.

        One round counts: a missing wait delays the read in each of them, other jobs only in some.
        """
        least = max(3 * float(np.median(self.idles)), FLOOR)
        # of a call: JAX lets no more than 32 of them be outstanding, of however many
        share = min(0.05 * self.calls, LATER)
        return any(
            residue <= max(share * seconds, least)
            for residue, seconds in zip(self.residues, self.samples, strict=True)
        )

    @property
    def caches(self) -> bool:
        """Whether calls on seen inputs are so much faster than on fresh ones that results must be cached."""
        if not self.fresh:
            return False
        return self.quick > FRESH * float(np.median(self.seen)) + BRIEF

    @property
    def quick(self) -> float:
        """Seconds of a quick call on fresh inputs; a fourth may be quicker, which lie where others lay."""
        return sorted(self.fresh)[len(self.fresh) // 4]

    @property
    def late(self) -> bool:
        """Whether results of earlier calls are still computed when the last one is complete.

        One of them counts: another job may hold up the others.
        """
        least = max(LATER * self.median_s, 3 * float(np.median(self.idles))) + BRIEF
        return bool(self.behind) and min(self.behind) > least

    @property
    def contradiction(self) -> str:
        """Why the worker's clock is wrong: by another clock, or by its CPU time. Empty if it is not."""
        whole, asked = sum(self.wholes), sum(self.asked)
        late = [there - SLOWER * here for there, here in zip(self.asked, self.wholes, strict=True)]
        if late and min(late) > LATE / len(late):  # one answer in time counts: a busy machine delays some
            return f"{asked:.3g} s of sampling took {whole:.2g} s by the clock of the process that was timed"
        cpus, spent = os.cpu_count() or 1, sum(self.cpu) * self.calls
        most = MARGIN * cpus * sum(self.samples) * self.calls + FLOOR
        if spent > most:
            return (
                f"a call took {self.median_s:.2g} s and {self.cpu_s:.2g} s of CPU time, should be at most "
                f"{cpus} times as much on {cpus} CPUs"
            )
        return ""

    @property
    def fault(self) -> str:
        """Why these samples are not a valid speed; empty if they are."""
        if self.contradiction:
            return f"its clock is wrong: {self.contradiction}"
        if not self.waited:
            return f"not waited for: reading one result took {self.residue_s:.2g} s after the claimed end"
        if self.late:
            return (
                f"not waited for: reading the result of an earlier call took {min(self.behind):.2g} s "
                f"when the last was complete, and a call {self.median_s:.2g} s"
            )
        if self.compiled:
            return f"compiled {self.compiled} programs while it was timed, should be none after warming up"
        if self.caches:
            return (
                f"keeps results: a call took {np.median(self.seen):.2g} s on inputs that it had seen, and "
                f"{self.quick:.2g} s on fresh ones"
            )
        return ""

    @property
    def series(self) -> str:
        """``steady``, ``drifting`` or ``multi-modal``."""
        return series(self.samples)

    @cached_property
    def by_round(self) -> Mapping[int, float]:
        return dict(zip(self.rounds, self.samples, strict=True))


def middle(values: Sequence[float | None]) -> float | None:
    """The median of the values that are not None; None if there is none."""
    there = [each for each in values if each is not None]
    return float(np.median(there)) if there else None


def interval(values: NDArray[np.float64], level: float) -> tuple[float, float]:
    """A confidence interval of the median, between two of the values; the whole range if they are few.

    Each value is below the median with probability one half, so the number below is binomial: the level
    holds for any distribution. (A 99 % percentile bootstrap of 15 normal values covers the median in 97 %.)
    """
    ordered, size = np.sort(values), values.size
    below, place = 0.5**size, 0
    while 2 * below <= 1 - level and place < (size - 1) // 2:
        place += 1
        below += math.comb(size, place) / 2**size  # Python integers do not overflow
    place = max(place - 1, 0)
    return float(ordered[place]), float(ordered[size - 1 - place])


def ratio(one: Timing, other: Timing, level: float = 0.95) -> tuple[float, float, float]:
    """The median of the ratios of `one` to `other` within each round, and its interval.

    Drift of the machine affects both halves of a pair alike. Raises ValueError if they share no round.
    """
    shared = sorted(one.by_round.keys() & other.by_round.keys())
    if not shared:
        raise ValueError("ratio: got two timings without a round in common, should share some")
    logs = np.log([one.by_round[each] / other.by_round[each] for each in shared])
    low, high = interval(logs, level)
    return float(np.exp(np.median(logs))), float(np.exp(low)), float(np.exp(high))


def series(samples: Sequence[float]) -> str:
    """Classify a series; each false alarm has a probability of 1 %.

    ``drifting``: Kendall's rank correlation with the order has p < 0.01. ``multi-modal``: the logarithms form
    two clusters, each with at least a fifth of the samples, and the gap between them is wider than in 99 % of
    series from one exponential distribution, which models waiting on a busy machine. Otherwise ``steady``.
    """
    logs = np.log(np.array(samples))
    if logs.size >= LEAST and np.ptp(logs) > 0:
        from scipy.stats import kendalltau

        if kendalltau(np.arange(logs.size), logs).pvalue < RARE:
            return "drifting"
        if _gaps(logs[None])[0] > _usual(logs.size):
            return "multi-modal"
    return "steady"


LEAST = 9  # samples: with fewer, two clusters cannot be distinguished from chance
RARE = 0.01


@cache
def _usual(size: int) -> float:
    """The gap that 1 % of the series of that size exceed by chance."""
    chance = np.random.default_rng(0).exponential(size=(DRAWS, size))
    return float(np.quantile(_gaps(chance), 1 - RARE))


def _gaps(series: NDArray[np.float64]) -> NDArray[np.float64]:
    """For each row, the widest gap with a fifth of the values on both sides, over the spread within them."""
    ordered = np.sort(series, axis=1)
    size = ordered.shape[1]
    few = max(2, -(-size // 5))
    found = []
    for split in range(few, size - few + 1):
        low, high = ordered[:, :split], ordered[:, split:]
        within = low.var(axis=1) * split + high.var(axis=1) * (size - split)
        found.append((high[:, 0] - low[:, -1]) / np.sqrt(np.maximum(within / (size - 2), 1e-24)))
    return np.max(found, axis=0)
