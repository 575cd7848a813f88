"""Runs one step in its own process, ends it in time, and reads its folder."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bench.campaign.steps import Step
from bench.digits import count
from bench.store.lines import lines
from bench.store.row import STATUSES
from bench.store.rows import CELL, ROWS

GRACE = 20.0  # seconds for a run that was asked to stop, before it is killed
TICK = 0.2  # seconds between checks of the process
REQUEST = "90"  # seconds after which a request to a worker times out: minutes are expensive here
NOTHING = 5  # exit code of pytest if it selected no test
USUAL = (0, 1, NOTHING)  # 1: a cell failed, which is a result


def run(
    step: Step,
    folder: Path,
    device: str,
    backends: Sequence[str],
    end: float,
    stops: Sequence[threading.Event],
) -> int | None:
    """Run a step; returns its exit code, or None if an event stopped it or the monotonic clock reached `end`.

    Its rows go to a folder with its name, and its output to a log next to that folder.
    """
    with log(step, folder).open("ab") as said:
        process = subprocess.Popen(
            _command(step, folder, device, backends), stdin=subprocess.DEVNULL, stdout=said, stderr=said,
            env={"GAUGEBLOCK_TIMEOUT": REQUEST, **os.environ, "PYTHONUNBUFFERED": "1"},
        )  # fmt: skip
        try:
            while process.poll() is None:
                if time.monotonic() >= end or any(each.is_set() for each in stops):
                    return None
                time.sleep(TICK)
        finally:  # also on Ctrl-C
            _stop(process)
    return process.returncode


def _stop(process: "subprocess.Popen[bytes]") -> None:
    if process.poll() is not None:
        return
    process.send_signal(signal.SIGINT)
    try:
        process.wait(GRACE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _command(step: Step, folder: Path, device: str, backends: Sequence[str]) -> list[str]:
    options = [
        *step.options,
        *(word for name in backends for word in ("--backend", name)),
        "--device",
        device,
    ]
    if step.command == "run":
        options += ["-q", "--results", str(folder / step.name)]
    else:
        options += ["--processes", str(max(1, (os.cpu_count() or 1) // 4))]
    return [sys.executable, "-m", "gaugeblock", step.command, *options]


def log(step: Step, folder: Path) -> Path:
    """The file with the step's output."""
    return folder / f"{step.name}.log"


def last_words(step: Step, folder: Path) -> str:
    """The last line that the step printed."""
    words = log(step, folder).read_text(encoding="utf-8", errors="replace").strip().splitlines()
    return words[-1] if words else "no last words"


def rows(step: Step, folder: Path) -> list[Mapping[str, Any]]:
    """The last row of each cell of a step."""
    file = folder / step.name / ROWS
    found = lines(file) if file.exists() else ()
    return list({tuple(row.get(name) for name in CELL): row for row in found}.values())


def counted(found: Sequence[Mapping[str, Any]]) -> str:
    """The numbers of cells, of each status, and of speeds, for a log line."""
    statuses = Counter(str(row.get("status")) for row in found)
    told = [f"{statuses[each]} {each}" for each in STATUSES if statuses[each]]
    speeds = sum(row.get("median_s") is not None for row in found)
    return ", ".join([count(len(found), "cell"), *told, *([count(speeds, "speed")] if speeds else [])])


def unfit(name: str, found: Sequence[Mapping[str, Any]]) -> str:
    """Why the preflight rows of a backend make it unusable, or empty: one of them must have a speed."""
    mine = [row for row in found if row.get("backend") == name]
    if any(row.get("median_s") is not None for row in mine):
        return ""
    whys = [f"{row.get('status')}: {row.get('why')}" for row in mine if row.get("why")]
    return f"no speed was taken; {whys[0] if whys else 'no cell ran'}"
