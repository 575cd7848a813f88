"""A worker process: one backend, its environment set before import, serving one request at a time.

The serving side runs in the worker, `Worker` in the process that asks. What crosses is built-in types only.
"""

import os
import sys
import tempfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import execnet
import numpy as np

from bench.backends import Absent, backend
from bench.cell import LOW, Cell

# the worker imports from where the asking process does, installed or not
ENTRY = """
import signal, sys
signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the asking process, which ends its workers
path = channel.receive()
sys.path[:] = [*path, *(entry for entry in sys.path if entry not in path)]
from bench.worker import serve
serve(channel)
"""
TIMEOUT = 1800.0  # seconds for one request; a cell that needs more has hung
KEPT = 2**21  # bytes of inputs; a timed call with more is built again when its time has come


class Died(Exception):
    """The worker is gone; the message has its last words."""


class Worker:
    """One process, asked by `request`. Not for two threads at once."""

    def __init__(self, environment: Mapping[str, str], python: str = sys.executable) -> None:
        self._words = Path(tempfile.mkstemp(prefix="gaugeblock-", suffix=".log")[1])
        if crossed := [f"{name}={value}" for name, value in environment.items() if "//" in value]:
            raise ValueError(f"environment of a worker: got {crossed[0]}, should hold no //")
        variables = "".join(f"//env:{name}={value}" for name, value in environment.items())
        self._group = execnet.Group()
        # only the main thread may set how signals are heard
        spec = f"popen//python={python}//execmodel=main_thread_only{variables}"
        self._gateway = self._group.makegateway(spec)
        self._channel = self._gateway.remote_exec(ENTRY)
        self._channel.send([os.path.abspath(path) for path in sys.path])
        self._channel.send(str(self._words))

    @cached_property
    def pid(self) -> int | None:
        """Its process; None where it has died."""
        try:
            return int(self.request("pid"))
        except Died:
            return None

    def request(self, verb: str, *arguments: Any) -> Any:
        """What the worker answers; raises Died when it crashed or hung."""
        try:
            self._channel.send((verb, list(arguments)))
            return self._channel.receive(timeout=TIMEOUT)
        except (EOFError, OSError, self._channel.RemoteError) as error:
            log = self._words.read_text(errors="replace").strip().splitlines()
            words = (log or str(error).strip().splitlines() or ["no last words"])[-1]
            raise Died(f"the worker died: {words}") from error
        except self._channel.TimeoutError as error:
            self.close()
            raise Died(f"the worker gave no answer in {TIMEOUT:g} s and was ended") from error

    def close(self) -> None:
        """End the process, and its log with it."""
        self._group.terminate(timeout=1.0)
        self._words.unlink(missing_ok=True)


def serve(channel: Any) -> None:
    """Answer requests until the channel closes. Runs in the worker."""
    log = os.open(channel.receive(), os.O_WRONLY | os.O_APPEND)
    os.dup2(log, 1)
    os.dup2(log, 2)
    import faulthandler

    faulthandler.enable()
    desk = Desk()
    for verb, arguments in channel:
        channel.send(getattr(desk, verb)(*arguments))


class Desk:
    """What a worker can be asked. It keeps what will be timed, as far as it is small."""

    def __init__(self) -> None:
        self.kept: dict[str, Any] = {}
        self.built: dict[str, dict[str, Any]] = {}
        self.calls: dict[str, Any] = {}

    def pid(self) -> int:
        """This process."""
        return os.getpid()

    def record(self, backend: str) -> list[dict[str, Any]]:
        """What the pages pass to each API that this backend's contenders name."""
        from bench.calls import record

        return [asdict(call) for call in record(backend)]

    def derive(self, cell: dict[str, Any]) -> None:
        """Derive a cell's limits into the cache; the cells that need them say what went wrong."""
        from bench import pages, saboteur
        from bench.expect import expectation
        from bench.noise import accumulators
        from bench.pool import held

        one = Cell(**cell)
        with held(), suppress(Exception):
            expectation(one, accumulator=accumulators(one.dtype)[0])
            for direction in pages.case(one.case).directions if one.dtype not in LOW else ():
                saboteur.passing(one, direction)

    def judge(
        self, unit: dict[str, Any], directions: list[str], keep: bool, curve: bool, failures: str = ""
    ) -> dict[str, Any]:
        """The rows of one unit by direction, and the losses of its free run; `failures` is their folder."""
        from bench.failure import freeze
        from bench.run import judge
        from bench.steps import explained

        cell = Cell(**unit)
        with suppress(Absent):
            backend(cell.backend).installed()
            backend(cell.backend).compile_anew(keep)
        judged = judge(cell, directions, curve=curve)
        if keep and judged.ready is not None and _small(cell):
            self.kept[str(cell)] = judged.ready
        rows = {}
        for direction, row in judged.rows.items():
            if failures:
                one = replace(cell, direction=direction)
                row = explained(one, row)
                freeze(Path(failures), one, row, judged, graph="gradient" in directions)
            rows[direction] = plain(row.as_dict())
        return {"rows": rows, "curve": [float(loss) for loss in judged.curve]}

    def fingerprint(self, unit: dict[str, Any]) -> dict[str, Any]:
        """The arithmetic of a unit's backend, mode and dtype."""
        from bench.fingerprint import fingerprint
        from bench.prepare import instance

        cell = Cell(**unit)
        return fingerprint(instance(backend(cell.backend), cell.device, cell.dtype), cell.mode)

    def roof(self, unit: dict[str, Any]) -> dict[str, Any]:
        """What a unit's backend reaches at best on its device in its dtype."""
        from bench.peaks import measure
        from bench.prepare import instance

        cell = Cell(**unit)
        return measure(instance(backend(cell.backend), cell.device, cell.dtype), mode=cell.mode)

    def ready(self, cell: dict[str, Any], name: str) -> dict[str, Any]:
        """Prepare one timed call under that name; what went wrong, or its first call and block size."""
        from bench import clock

        wanted = Cell(**cell)
        backend(wanted.backend).compile_anew(True)

        def prepare() -> dict[str, Any]:
            call = clock.ready(self._ready(wanted), wanted.unit, wanted.direction)
            self.calls[name] = wanted, call
            return {"first_call_s": call.first_call_s, "compile_s": call.compile_s, "calls": call.calls}

        return _answer(prepare)

    def _ready(self, cell: Cell) -> Any:
        """What was judged; built again where it was large, and where the worker that did it is gone.

        What was built again is kept while inputs are the same, for the other direction.
        """
        from bench.expect import shared
        from bench.prepare import prepared

        name, inputs = str(cell.unit), str(shared(cell))
        if name in self.kept:
            return self.kept[name]
        self.built = {inputs: self.built.get(inputs, {})}
        if name not in self.built[inputs]:
            self.built[inputs][name] = prepared(cell.unit)
        return self.built[inputs][name]

    def sample(self, name: str, calls: int = 0) -> list[float]:
        """One block, of `calls` from now on where they are given: see `bench.clock.sample`."""
        from bench import clock

        wanted, call = self.calls[name]
        if calls and calls != call.calls:
            call.blocks(calls)
        return list(clock.sample(call, wanted.direction))

    def drop(self, name: str) -> None:
        """Forget a timed call, and free its memory."""
        self.calls.pop(name, None)

    def overhead(self, backend: str, mode: str) -> list[dict[str, Any]]:
        """What the clock adds to a loop by hand, in a backend and mode."""
        from bench.overhead import overheads

        return [asdict(each) for each in overheads(backend, mode)]

    def settle(self, name: str, joules: bool = False) -> dict[str, Any]:
        """What is measured of a timed call after its samples; where that fails, it is dropped."""
        from bench import clock

        wanted, call = self.calls[name]
        found = _answer(lambda: clock.settle(call, wanted.unit, wanted.direction, joules))
        if "error" in found:
            self.drop(name)
        return found

    def verdict(self, name: str) -> dict[str, Any]:
        """The row of what a timed call gave; then it is dropped, and its memory with it."""
        from bench import clock

        wanted, call = self.calls.pop(name)
        return _answer(lambda: plain(clock.judged(call, wanted.unit, wanted.direction).as_dict()))


def _answer(what: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """What that gives, or its error in a sentence."""
    from bench.row import sentence

    try:
        return what()
    except Exception as error:
        return {"error": sentence(error)}


def _small(unit: Cell) -> bool:
    from bench.expect import inputs
    from bench.work import traffic

    given = inputs(unit)
    return traffic(given.weights, given.data) <= KEPT


def plain(row: Mapping[str, Any]) -> dict[str, Any]:
    """NumPy's numbers as Python's."""
    return {name: value.item() if isinstance(value, np.generic) else value for name, value in row.items()}


def as_request(cell: Cell) -> dict[str, Any]:
    """A cell in built-in types."""
    return asdict(cell)
