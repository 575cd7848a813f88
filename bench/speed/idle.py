"""Whether other processes stand still: a worker that still spins takes a core from the one that is timed.

An idle NumPy worker was seen to burn 105 ms of CPU in the 300 ms after its block.
"""

import time
from collections.abc import Callable, Iterable
from pathlib import Path

LOOK = 1e-3  # seconds between two looks
PATIENCE = 0.5  # seconds, after which it is timed all the same: the report says that a machine was busy


def still(others: Iterable[int], runs: Callable[[int], bool] | None = None) -> bool:
    """Wait until no thread of these processes runs; whether that came about. `runs` says it of a pid."""
    runs, waiting = runs or _runs, list(others)
    end = time.perf_counter() + PATIENCE
    while waiting := [pid for pid in waiting if runs(pid)]:
        if time.perf_counter() >= end:
            return False
        time.sleep(LOOK)
    return True


def _runs(pid: int) -> bool:
    """Whether a thread of that process runs, or is ready to. The kernel counts its time in ticks only."""
    try:
        return any(_state(task / "stat") == "R" for task in Path(f"/proc/{pid}/task").iterdir())
    except OSError:  # it ended, or this is no Linux
        import psutil

        try:
            return psutil.Process(pid).status() == psutil.STATUS_RUNNING
        except psutil.Error:
            return False


def _state(file: Path) -> str:
    try:
        text = file.read_text(encoding="utf-8", errors="replace")
        return text.rpartition(") ")[2][:1]  # behind the name, which may hold anything
    except OSError:
        return ""
