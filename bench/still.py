"""Whether other processes stand still: a worker that still spins takes a core from the one that is timed.

An idle NumPy worker was seen to burn 105 ms of CPU in the 300 ms after its block.
"""

import time
from collections.abc import Callable, Iterable
from pathlib import Path

LOOK = 1e-3  # seconds between two looks
STILL = 0.05  # of the time between them, which another may have run
PATIENCE = 0.5  # seconds, after which it is timed all the same: the report says that a machine was busy


def still(
    others: Iterable[int],
    *,
    ran: Callable[[int], float] | None = None,
    sleep: Callable[[float], None] = time.sleep,
) -> bool:
    """Wait until none of these processes runs; whether that came about. ``ran(pid)``: its seconds of CPU."""
    ran = ran or _ran
    others, waited = list(others), 0.0
    before = [ran(pid) for pid in others]
    while waited < PATIENCE:
        start = time.perf_counter()
        sleep(LOOK)
        took = max(time.perf_counter() - start, LOOK)
        now = [ran(pid) for pid in others]
        if all(later - earlier <= STILL * took for earlier, later in zip(before, now, strict=True)):
            return True
        before, waited = now, waited + took
    return False


def _ran(pid: int) -> float:
    """Seconds of CPU of all threads of a process, to the nanosecond where the kernel says so."""
    total = 0
    try:
        for task in Path(f"/proc/{pid}/task").iterdir():
            total += int((task / "schedstat").read_text().split()[0])
    except (OSError, ValueError, IndexError):  # it ended, or this is no Linux
        return _ticks(pid)
    return total / 1e9


def _ticks(pid: int) -> float:
    import psutil

    try:
        times = psutil.Process(pid).cpu_times()
    except psutil.Error:
        return 0.0
    return float(times.user + times.system)
