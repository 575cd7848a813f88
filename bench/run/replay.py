"""Show pytest-benchmark the samples that a worker took: it displays speeds but never measures them."""

from collections.abc import Iterator, Sequence
from typing import Any


class Replay:
    """A timer for pytest-benchmark that advances only by the samples it shows."""

    def __init__(self) -> None:
        self._now = 0.0

    def __call__(self) -> float:
        return self._now

    def show(self, benchmark: Any, samples: Sequence[float]) -> None:
        """Report these samples, in seconds, to pytest-benchmark's fixture as its rounds."""
        rest: Iterator[float] = iter(samples)

        def pass_by() -> None:
            self._now += next(rest, 0.0)

        benchmark.pedantic(pass_by, rounds=len(samples), iterations=1)
