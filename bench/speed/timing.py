"""What samples say: medians, paired ratios with their intervals, and whether a series is one at all."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

FLOOR = 5e-4  # seconds: a shared machine can hold up a read so long, whoever waited
FRESH = 3.0  # times a call on inputs seen before, from which a call on fresh ones is another call
DRAWS = 2000  # of chance


class Sample(NamedTuple):
    """One block. Seconds of the block are those of a call; those of reads are of one read."""

    seconds: float
    residue: float  # to read the result after its claimed end
    idle: float  # to read one that was long there
    cpu: float  # seconds of the process's CPU time
    compiled: int  # programs, meanwhile
    issue: float  # seconds until the loop returned: what is left of them was waited for
    at: float  # seconds since 1970, when the block began
    sm_mhz: int | None = None  # of a GPU, under the same load just before
    power_w: float | None = None
    throttled: str = ""


@dataclass(frozen=True)
class Timing:
    """One contender's samples, in seconds a call; `rounds` says in which round each was taken.

    `cpu` is the CPU time of its process a call. `residues` are reads of a result after its claimed end,
    `idles` of an older one. `fresh` are calls on inputs never seen before, `seen` on inputs seen, by turns.
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
    peak_bytes: int | None = None
    device_peak_bytes: int | None = None
    energy_j: float | None = None  # a call
    bytes: float | None = None  # that a call must move at least
    sets: int = 1
    cache: str = ""  # where what goes round lies: hot, partly, cold
    issues: tuple[float, ...] = ()  # seconds a call until the loop returned
    times: tuple[float, ...] = ()  # seconds since 1970, when each block began
    sm_mhz: tuple[int | None, ...] = ()  # of a GPU, just before each block, under its load
    power_w: tuple[float | None, ...] = ()
    throttled: tuple[str, ...] = ()

    @property
    def median_s(self) -> float:
        return float(np.median(self.samples))

    @property
    def cpu_s(self) -> float | None:
        return float(np.median(self.cpu)) if self.cpu else None

    @property
    def issue_s(self) -> float | None:
        return float(np.median(self.issues)) if self.issues else None

    @property
    def interval_s(self) -> tuple[float, float]:
        """The 95 % interval of the median."""
        return interval(np.array(self.samples), 0.95)

    @property
    def residue_s(self) -> float:
        return float(np.median(self.residues))

    @property
    def waited(self) -> bool:
        """Whether the wait waited: at the claimed end a result is read as fast as an older one.

        The least of the residues counts: who does not wait pays it in every round, other jobs do not.
        """
        claim = self.median_s * self.calls
        return min(self.residues) <= max(0.05 * claim, 3 * float(np.median(self.idles)), FLOOR)

    @property
    def caches(self) -> bool:
        """Whether a call on inputs that it has seen is another call than one on fresh inputs."""
        if not self.fresh:
            return False
        return min(self.fresh) > FRESH * max(self.seen) + FLOOR

    @property
    def fault(self) -> str:
        """Why these samples are no speed, or nothing."""
        if not self.waited:
            return f"not waited for: reading one result took {self.residue_s:.2g} s after the claimed end"
        if self.compiled:
            return f"compiled {self.compiled} programs while it was timed, should be none after warming up"
        if self.caches:
            return (
                f"keeps results: a call took {max(self.seen):.2g} s on inputs that it had seen, and "
                f"{min(self.fresh):.2g} s on fresh ones"
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
    """The median of those that there are; None where there is none."""
    there = [each for each in values if each is not None]
    return float(np.median(there)) if there else None


def interval(values: NDArray[np.float64], level: float) -> tuple[float, float]:
    """The interval of the median at that level, between two of the values; all of them where they are few.

    Each value lies below the median with probability one half, so that their count is binomial: exact for any
    distribution. (A percentile bootstrap of 15 normal values holds the median 97 times in a hundred where it
    says 99.)
    """
    ordered, size = np.sort(values), values.size
    below, place = 0.5**size, 0
    while 2 * below <= 1 - level and place < (size - 1) // 2:
        place += 1
        below += math.comb(size, place) / 2**size  # of whole numbers, which do not overflow
    place = max(place - 1, 0)
    return float(ordered[place]), float(ordered[size - 1 - place])


def ratio(one: Timing, other: Timing, level: float = 0.95) -> tuple[float, float, float]:
    """The median of the ratios of `one` to `other`, round by round, and its interval.

    Drift of the machine hits both halves of a pair alike. Raises ValueError where they share no round.
    """
    shared = sorted(one.by_round.keys() & other.by_round.keys())
    if not shared:
        raise ValueError("ratio: got two timings without a round in common, should share some")
    logs = np.log([one.by_round[each] / other.by_round[each] for each in shared])
    low, high = interval(logs, level)
    return float(np.exp(np.median(logs))), float(np.exp(low)), float(np.exp(high))


def series(samples: Sequence[float]) -> str:
    """What a series looks like; each name is given to one in a hundred steady series.

    ``drifting``: Kendall's rank correlation with the order, p < 0.01. ``multi-modal``: the logarithms fall
    into two clusters, a fifth of the samples or more in each, with a gap between them that one in a hundred
    series from one exponential distribution has, as waiting for a busy machine is. ``steady`` otherwise.
    """
    logs = np.log(np.array(samples))
    if logs.size >= LEAST and np.ptp(logs) > 0:
        from scipy.stats import kendalltau

        if kendalltau(np.arange(logs.size), logs).pvalue < RARE:
            return "drifting"
        if _gaps(logs[None])[0] > _usual(logs.size):
            return "multi-modal"
    return "steady"


LEAST = 9  # samples, below which nothing tells two clusters from chance
RARE = 0.01


@cache
def _usual(size: int) -> float:
    """The gap that one in a hundred series of that size has by chance."""
    chance = np.random.default_rng(0).exponential(size=(DRAWS, size))
    return float(np.quantile(_gaps(chance), 1 - RARE))


def _gaps(series: NDArray[np.float64]) -> NDArray[np.float64]:
    """Of each row the widest gap that leaves a fifth on both sides, over the spread of what it parts."""
    ordered = np.sort(series, axis=1)
    size = ordered.shape[1]
    few = max(2, -(-size // 5))
    found = []
    for split in range(few, size - few + 1):
        low, high = ordered[:, :split], ordered[:, split:]
        within = low.var(axis=1) * split + high.var(axis=1) * (size - split)
        found.append((high[:, 0] - low[:, -1]) / np.sqrt(np.maximum(within / (size - 2), 1e-24)))
    return np.max(found, axis=0)
