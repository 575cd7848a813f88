"""Runs of `pytest suites/` to test with: on few cells, and with a backend that waits in the middle of one."""

import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psutil

SUITES = Path(__file__).parent.parent / "suites"
# a shell starts what runs in the background deaf to Ctrl-C, and nohup to a terminal that is gone
HEAR = (
    "import signal, sys, pytest; signal.signal(signal.SIGINT, signal.default_int_handler); "
    "signal.signal(signal.SIGHUP, signal.SIG_DFL); "
)
RUN = [
    sys.executable,
    "-c",
    f"{HEAR}sys.exit(pytest.main(sys.argv[1:]))",
    str(SUITES),
    "-p",
    "no:cacheprovider",
]
FEW = ["--smoke", "-k", "linear-regression/ and not simple"]

WAITS = """
import os
import time

from bench.backends.numpy import NumPy


def waits(weights, **option):
    if not os.path.exists("waiting"):  # the first time it says who it is
        with open("writing", "w") as file:
            file.write(str(os.getpid()))
        os.rename("writing", "waiting")
        WAIT

    def run(params, x, **data):
        return {"y": x @ params["W"] + params["b"]}

    def vjp(params, data, cotangents):
        dy = cotangents["y"]
        return {"x": dy @ params["W"].T, "W": data["x"].T @ dy, "b": dy.sum(0)}

    run.vjp = vjp
    return weights, run


class Waits(NumPy):
    name = "waits"
    builds = {"linear-regression": waits}
"""


def waiting(folder: Path, wait: str = "time.sleep(600)") -> list[str]:
    """The options of a run of numpy, and of a backend that waits in the middle of its first cell."""
    (folder / "waits.py").write_text(WAITS.replace("WAIT", wait))
    return [*FEW, "--backend", "numpy", "--backend", "waits.py:Waits"]


def suites(folder: Path, *arguments: str, room: int = 0, **more: Any) -> "subprocess.CompletedProcess[str]":
    """A run in that folder, ended; its files have `room` for so many bytes, where it is not 0."""
    python, flag, code, *rest = RUN
    limit = f"import resource; resource.setrlimit(resource.RLIMIT_FSIZE, ({room}, resource.RLIM_INFINITY)); "
    return subprocess.run(
        [python, flag, f"{limit if room else ''}{code}", *rest, *arguments],
        cwd=folder, capture_output=True, text=True, check=False, timeout=600, **more,
    )  # fmt: skip


def begun(folder: Path, *arguments: str) -> "subprocess.Popen[str]":
    """A run in that folder, in which a worker waits in the middle of a request."""
    (folder / "waiting").unlink(missing_ok=True)
    running = subprocess.Popen(
        [*RUN, *arguments], cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    waits = until(lambda: (folder / "waiting").exists() or running.poll() is not None)
    if not waits:
        running.kill()
    assert waits and running.poll() is None, running.communicate()[0][-2000:]
    return running


def workers(running: "subprocess.Popen[str]") -> list[psutil.Process]:
    return psutil.Process(running.pid).children(recursive=True)


def gone(processes: list[psutil.Process], seconds: float = 10.0) -> bool:
    """Whether these processes end in that time."""
    return until(
        lambda: all(not each.is_running() or each.status() == psutil.STATUS_ZOMBIE for each in processes),
        seconds,
    )


def until(true: Any, seconds: float = 300.0) -> bool:
    """Whether it becomes true in that time."""
    end = time.monotonic() + seconds
    while not true():
        if time.monotonic() > end:
            return False
        time.sleep(0.05)
    return True
