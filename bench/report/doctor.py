"""What `gaugeblock doctor` finds on this machine: its frameworks, devices, threads and precision.

Each framework is probed in a process of its own, so that a broken one costs one line.
"""

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from bench.backends import SHIPPED, Absent, backend, optional
from bench.backends.plugin import register
from bench.machine.load_average import busy, moment
from bench.machine.records import environment, gpus, key, machine
from bench.machine.variables import threads as usual_threads
from bench.report.arithmetic import arithmetic
from bench.report.header import environment_line, machine_line
from bench.report.table import Section, Table
from bench.verdict.fingerprint import fingerprint
from bench.worker import BOOT

DTYPES = ("float32", "float64", "bfloat16", "float16")
NO_SUCH = {"absent": "the backend has no such device"}
PATIENCE = 180  # seconds; importing a framework takes up to ten
MAIN = "from bench.report.doctor import main; main()"


def findings(names: Sequence[str] = (), *, fast: bool = False, full: bool = False) -> list[Section]:
    """The doctor's tables: of the four frameworks and of the backends `names`.

    `fast` starts no process. `full` also measures the arithmetic of every dtype and mode, for minutes.
    Raises ValueError where a name is no backend.
    """
    register(names, threads=usual_threads(), timeout=PATIENCE, modes=("eager",), dtypes=DTYPES[:1])
    noise = busy(moment()).removeprefix("busy: ")
    here, around = machine(), environment()
    about = [
        *([("busy", noise)] if noise else []),
        ("machine", machine_line(here, key(here))),
        ("vectors", ", ".join(here["vectors"]) or "none known"),
        ("environment", environment_line(around, key(around))),
    ]
    devices = ("cpu", "gpu") if gpus() else ("cpu",)
    if len(devices) == 1:
        about.append(("gpu", "none that NVIDIA's driver knows"))
    pairs = [(name, device) for name in dict.fromkeys([*SHIPPED, *names]) for device in devices]
    with ThreadPoolExecutor(max_workers=2) as pool:
        answers = pool.map(lambda pair: installed(*pair) if fast else probe(*pair, full=full), pairs)
        found = [(pair, answer) for pair, answer in zip(pairs, answers, strict=True) if answer != NO_SUCH]
        more = [
            (*pair, dtype)
            for pair, answer in found
            for dtype in DTYPES[1:]
            if full and "absent" not in answer
        ]
        others = list(pool.map(lambda each: probe(*each, full=True), more))
    lines = [_line(*pair, answer) for pair, answer in found]
    columns = ("backend", "device", "version", "threads", "precision, or why it is absent")
    further = [name for name in optional() if name not in names]
    notes = [] if fast else ["Threads and precision are as each framework reports them."]
    notes += [f"`gaugeblock doctor {further[0]}` adds a backend: {', '.join(further)}."] if further else []
    prints = [each for answer in (*dict(found).values(), *others) for each in answer.get("fingerprints", ())]
    return [
        Table("What was found here", ("", " "), about),
        Table("Frameworks", columns, lines, right=("threads",), note=" ".join(notes)),
        *arithmetic(prints),
    ]


def installed(name: str, device: str) -> dict[str, Any]:
    """What is known without importing the framework."""
    try:
        cls = backend(name)
        if device not in cls.devices:
            return NO_SUCH
        return {"version": cls.installed(), "precision": "not probed"}
    except Absent as reason:
        return {"absent": str(reason)}
    except Exception as error:
        return {"absent": f"{type(error).__name__}: {error}"}


def probe(name: str, device: str, dtype: str = DTYPES[0], *, full: bool = False) -> dict[str, Any]:
    """What the framework reports on that device, in a process that is started like a worker."""
    known = installed(name, device)
    if "absent" in known:
        return known
    cls = backend(name)
    variables = cls.environment(threads=usual_threads(), dtype=dtype, device=device)
    modes = cls.modes if full else ()
    try:
        answer = subprocess.run(
            [sys.executable, "-P", "-c", f"{BOOT}{MAIN}", name, device, dtype, *modes],
            env={**os.environ, **variables},
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=PATIENCE,
        )
    except subprocess.TimeoutExpired:
        return {**known, "absent": f"gave no answer in {PATIENCE} s"}
    try:
        return dict(json.loads(answer.stdout.splitlines()[-1]))
    except (IndexError, ValueError):
        words = (answer.stderr.strip().splitlines() or ["no last words"])[-1]
        return {**known, "absent": f"its process ended with {answer.returncode}: {words}"}


def ask(name: str, device: str, dtype: str = DTYPES[0], *modes: str) -> dict[str, Any]:
    """Import the framework in this process, read its settings, and take its fingerprints."""
    import numpy  # noqa: F401  # loads its BLAS, whose threads are read back

    try:
        engine = backend(name)(device, dtype)
        read = {"version": engine.version, "threads": engine.threads(), "precision": engine.precision}
        return {**read, "fingerprints": [fingerprint(engine, mode) for mode in modes]}
    except Absent as reason:
        return {"version": backend(name).installed(), "absent": str(reason)}
    except Exception as error:
        return {"absent": f"{type(error).__name__}: {error}"}


def _line(name: str, device: str, answer: Mapping[str, Any]) -> tuple[str, ...]:
    threads = answer.get("threads")
    last = f"absent: {answer['absent']}" if "absent" in answer else str(answer.get("precision", ""))
    return name, device, str(answer.get("version", "")), "" if threads is None else str(threads), last


def main() -> None:
    """Print, as JSON, what `ask` returns for the framework on the command line."""
    print(json.dumps(ask(*sys.argv[1:])))
