"""What a run says while it lasts: cells done, cells per second, and how long it still takes.

On a terminal it is a line below what pytest prints, which is gone when the run ends. In a file it is a line
from time to time, at most every `FILE` seconds, and every `CI` seconds where the variable CI is set.
"""

import os
import sys
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from time import monotonic
from typing import Any

import pytest

from bench.cells.cell import Cell
from bench.digits import count, digits

SCREEN, FILE, CI = 0.5, 30.0, 300.0  # seconds between two lines
EARLY = 10.0  # seconds of judging before a rate says anything: frameworks are imported first
RECENT = 60.0  # seconds of judging whose rate is told: some formulas take much longer than others
BELOW = "\n\r\033[2K"  # to the line below, which is emptied
ABOVE = "\033[1A\r"  # to the start of the line above
ERASE = "\033[J"  # from here to the end of the screen


@dataclass(frozen=True)
class State:
    """How far a run is.

    total, done: cells to judge, and those with a row; `kept` of these were there `judging` seconds ago.
    speeds, timed: speeds to measure, and those that are.
    ahead, behind: seconds that were announced for the speeds that are left, and for those that are timed.
    judging: seconds without those of timing.
    timing: seconds that the run has timed.
    """

    total: int
    done: int
    kept: int = 0
    speeds: int = 0
    timed: int = 0
    ahead: float = 0.0
    behind: float = 0.0
    judging: float = 0.0
    timing: float = 0.0

    @property
    def rate(self) -> float:
        """Cells judged in a second; 0 while that says nothing."""
        return (self.done - self.kept) / self.judging if self.judging >= EARLY else 0.0

    @property
    def left(self) -> float | None:
        """Seconds that are left, or None while the rate is unknown: verdicts at their rate, then speeds.

        Speeds take as long as was announced, and more or less where those so far have.
        """
        if self.done < self.total and not self.rate:
            return None
        verdicts = (self.total - self.done) / self.rate if self.done < self.total else 0.0
        slower = self.timing / self.behind if self.behind and self.timing >= EARLY else 1.0
        return verdicts + slower * self.ahead

    def __str__(self) -> str:
        """``1,234 of 2,685 cells, 6.1/s, 3 min 50 s left``."""
        parts = [f"{self.done:,} of {count(self.total, 'cell')}"]
        if self.speeds and self.done == self.total:
            parts = [f"{parts[0]}, {self.timed:,} of {count(self.speeds, 'speed')}"]
        elif self.rate:
            parts.append(f"{digits(self.rate)}/s")
        return ", ".join([*parts, *([f"{lasting(self.left)} left"] if self.left is not None else [])])


def lasting(seconds: float) -> str:
    """A length of time: ``50 s``, ``3 min 50 s``, ``1 h 5 min``."""
    if seconds < 60:
        return f"{seconds:.0f} s"
    if seconds < 3600:
        minutes, rest = divmod(round(seconds, -1), 60)
        return f"{minutes:.0f} min {rest:.0f} s" if rest else f"{minutes:.0f} min"
    hours, minutes = divmod(round(seconds / 60), 60)
    return f"{hours} h {minutes} min" if minutes else f"{hours} h"


def telling(
    cells: Sequence[Cell], speeds: Mapping[Cell, float], kept: int, running: Any
) -> Callable[[], str]:
    """What says how far a session is with these cells, and with the speeds that take so many seconds.

    `kept` cells had a row before.
    """
    names, seen = [*map(str, cells)], deque([(0.0, kept)])

    def told() -> str:
        found = state(names, speeds, kept, running, monotonic())
        while len(seen) > 1 and found.judging - seen[1][0] >= RECENT:
            seen.popleft()
        seen.append((found.judging, found.done))
        judging, done = seen[0]
        return str(replace(found, kept=done, judging=found.judging - judging))

    return told


def state(names: Sequence[str], speeds: Mapping[Cell, float], kept: int, running: Any, now: float) -> State:
    """How far the session is at the time `now`; the cells are given by their names."""
    late = [cell for cell in speeds if not running.complete(cell)]
    ahead, whole = sum(speeds[cell] for cell in late), sum(speeds.values())
    done = sum(name in running.rows for name in names)
    return State(
        len(names), done, kept, len(speeds), len(speeds) - len(late), ahead, whole - ahead,
        max(now - running.begun - running.timing, 0.0), running.timing,
    )  # fmt: skip


@dataclass
class Progress:
    """A plug-in of pytest that tells how far the run is, as `told` says.

    config: pytest's.
    told: the text; empty while there is none.
    pause: seconds between two texts.
    screen: whether it is a line below those of pytest, or one among them.
    last: when it was last written, by the monotonic clock.
    """

    config: pytest.Config
    told: Callable[[], str]
    pause: float
    screen: bool
    last: float
    shown: str = ""  # what stands on the screen below pytest's own line

    def __call__(self) -> None:
        """Called while a test waits, and between two. Writes if it is time."""
        if monotonic() - self.last < self.pause:
            return
        self.last = monotonic()
        text = self.told()
        if not text:
            return
        with self._free():
            if self.screen:
                self._erase()
                self._draw(text)
            else:
                self._reporter.write_line(text)
                self._reporter.flush()

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_logstart(self) -> Iterator[Any]:
        """Each hook in which pytest writes has the screen to itself."""
        with self._apart():
            return (yield)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_logreport(self) -> Iterator[Any]:
        with self._apart():
            return (yield)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_logfinish(self) -> Iterator[Any]:
        with self._apart():
            result = yield
        self()
        return result

    def waits(self) -> None:
        """Called while a test waits: under -v a line would come between its name and its outcome."""
        if self.screen or self.config.get_verbosity() == 0:
            self()

    def close(self) -> None:
        """Leave the screen as pytest alone would."""
        with self._free():
            self._erase()

    @contextmanager
    def _apart(self) -> Iterator[Any]:
        text = self.shown
        self._erase()
        yield
        if text:
            self._draw(text)

    @contextmanager
    def _free(self) -> Iterator[Any]:
        """Outside of what pytest captures of a test."""
        capture = self.config.pluginmanager.get_plugin("capturemanager")
        if capture is None:
            yield
        else:
            with capture.global_and_fixture_disabled():
                yield

    def _draw(self, text: str) -> None:
        writer = self.config.get_terminal_writer()
        column = writer.width_of_current_line % max(writer.fullwidth, 1)
        back = f"\033[{column}C" if column else ""
        sys.stdout.write(f"{BELOW}{text[: writer.fullwidth - 1]}{ABOVE}{back}")
        sys.stdout.flush()
        self.shown = text

    def _erase(self) -> None:
        if self.shown:
            sys.stdout.write(ERASE)
            sys.stdout.flush()
        self.shown = ""

    @property
    def _reporter(self) -> Any:
        return self.config.pluginmanager.get_plugin("terminalreporter")


def progress(config: pytest.Config, told: Callable[[], str]) -> Progress | None:
    """What tells how far the run is; None under -q, and where pytest prints nothing."""
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    if reporter is None or config.get_verbosity() < 0:
        return None
    quiet = os.environ.get("CI", "").lower() not in ("", "0", "false")
    plain = os.environ.get("TERM") == "dumb" or sys.platform == "win32" or config.option.capture == "no"
    screen = reporter.isatty and not quiet and not plain
    return Progress(config, told, SCREEN if screen else CI if quiet else FILE, screen, monotonic())
