"""Reads the load of the machine at one time, and whether it is too busy to measure.

The threshold is one tenth of one core, or of one GPU. A process that uses a tenth of a core slows a call on
that core by a tenth. In a call on all cores the slowest thread sets the time, so one core counts, not the
mean over all. Ten processes that use a hundredth each are as bad as one, so the sum counts.
"""

import time
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple, TypeVar

import psutil

from bench.digits import count
from bench.machine.gpus import working

Record = dict[str, Any]
T = TypeVar("T")

SHARE = 0.1  # of one core, or of one GPU
SWAPPED = 1.0  # MiB; background daemons swap less
LOOK = 0.5  # seconds
LONGER = 1.2  # seconds with a GPU: its utilization covers up to one second, which may include our own work


def moment() -> Record:
    """The load of the machine; None for what the system does not report. Takes `LOOK` or `LONGER` seconds.

    The use of this process and its children is not counted as that of others. Call it while they are idle
    anyway: load average, frequency and temperature are those of the whole machine.
    """
    seconds = (
        LONGER if working() else LOOK
    )  # first: where nothing holds the driver, it wakes for the question
    before = _spent()
    time.sleep(seconds)
    after = _spent()
    seconds = after.at - before.at
    rates = [max(spent - before.others.get(pid, 0.0), 0.0) / seconds for pid, spent in after.others.items()]
    # only the total of the machine includes short-lived and hidden processes
    rest = (after.machine - before.machine - max(after.own - before.own, 0.0)) / seconds
    return {
        "time": datetime.now(UTC).isoformat(timespec="seconds"),
        "load": _known(lambda: [round(load, 2) for load in psutil.getloadavg()]),
        "cores": psutil.cpu_count(),
        "others_cores": round(max(sum(rates), rest), 2),
        "others": sum(rate > SHARE for rate in rates),
        "stolen_cores": round(max(after.stolen - before.stolen, 0.0) / seconds, 2),
        "frequency_mhz": _known(lambda: round(psutil.cpu_freq().current)),
        "temperatures": _known(_temperatures),
        "available_gib": round(psutil.virtual_memory().available / 2**30, 1),
        "swap_gib": _known(lambda: round(psutil.swap_memory().used / 2**30, 2)),
        "swapped_mib": round((after.swapped - before.swapped) / 2**20, 2),
        "gpus": working(after.pids),
    }


def busy(moment: Mapping[str, Any]) -> str:
    """What else the machine was busy with, in one sentence; empty if it was idle."""
    found = []
    if (used := _number(moment, "others_cores")) > SHARE:
        found.append(f"other processes use {used:.1f} of {count(int(_number(moment, 'cores')), 'core')}")
    if (stolen := _number(moment, "stolen_cores")) > SHARE:
        found.append(f"the host withholds {stolen:.1f} cores")
    if (swapped := _number(moment, "swapped_mib")) > SWAPPED:
        found.append(f"memory is short, {swapped:.0f} MiB were swapped")
    cards = moment.get("gpus")
    for index, card in enumerate(cards if isinstance(cards, list) else ()):
        if isinstance(card, Mapping) and (doing := _doing(card)):
            found.append(f"GPU {index}: {doing}")
    return f"busy: {'; '.join(found)}" if found else ""


def busiest(moments: Iterable[Mapping[str, Any]]) -> str:
    """How often the machine was busy, and the worst of these moments, as a phrase; empty if it never was."""
    moments = list(moments)
    found = [each for each in moments if busy(each)]
    if not found:
        return ""
    worst = max(found, key=lambda each: _number(each, "others_cores") + _number(each, "stolen_cores"))
    return f"at {len(found)} of {count(len(moments), 'look')}: {busy(worst).removeprefix('busy: ')}"


class Spent(NamedTuple):
    """CPU seconds and swapped bytes since the machine started, up to one time."""

    at: float  # seconds of the monotonic clock
    pids: frozenset[int]  # our processes
    own: float
    others: dict[int, float]  # by process
    machine: float
    stolen: float
    swapped: int


def _spent() -> Spent:
    at, me = time.monotonic(), psutil.Process()
    pids = frozenset((me.pid, *(child.pid for child in me.children(recursive=True))))
    own, others = 0.0, {}
    for process in psutil.process_iter(["cpu_times"]):
        times = process.info["cpu_times"]
        if times is None or process.pid == 0:  # unreadable, or the idle process of Windows
            continue
        if process.pid in pids:
            own += sum(times[:4])  # includes the time of children that have ended
        else:
            others[process.pid] = times.user + times.system
    whole = psutil.cpu_times()  # user includes guest, nice includes guest_nice
    machine = sum(getattr(whole, name, 0.0) for name in ("user", "nice", "system", "irq", "softirq"))
    swap = _known(psutil.swap_memory)
    swapped = swap.sin + swap.sout if swap else 0
    return Spent(at, pids, own, others, machine, getattr(whole, "steal", 0.0), swapped)


def _temperatures() -> dict[str, float]:
    """The highest temperature of each kind of sensor, in °C."""
    return {
        name: max(each.current for each in found)
        for name, found in psutil.sensors_temperatures().items()
        if found
    }


def _doing(card: Mapping[str, Any]) -> str:
    """What other processes do on a GPU; its utilization counts only if none of ours is on it."""
    found = []
    if (use := _number(card, "use")) > SHARE and not _number(card, "own"):
        found.append(f"{100 * use:.0f} % in use")
    if (held := _number(card, "others_gib")) > SHARE * _number(card, "memory_gib"):
        found.append(f"{held:.1f} GiB held by {count(int(_number(card, 'others')), 'other')}")
    return ", ".join(found)


def _number(record: Mapping[str, Any], name: str) -> float:
    """A number from a record, or 0 if it is missing or invalid: records may be damaged."""
    value = record.get(name)
    return float(value) if isinstance(value, int | float) and abs(value) < 1e9 else 0.0


def _known(told: Callable[[], T]) -> T | None:
    try:
        return told()
    except Exception:  # systems without the figure raise various errors
        return None
