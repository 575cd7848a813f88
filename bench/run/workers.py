"""The worker processes of a run: one per backend and environment, and those that derive limits."""

import os
from concurrent.futures import ThreadPoolExecutor
from time import perf_counter
from typing import Any

from bench import pages
from bench.backends import AS_SHIPPED, FURTHER, SHIPPED, Absent, backend
from bench.backends.plugin import Broken, Plugin
from bench.cache import OWN, part, tell
from bench.cells.cell import Cell
from bench.contender.prepare import THREADS
from bench.machine.isa import TOLD, narrowed
from bench.speed.idle import still
from bench.speed.rounds import SAMPLE
from bench.speed.timing import Sample
from bench.store.row import sentence
from bench.worker import Died, Worker

LIMITS = "limits"  # in a worker's key, in the place of the backend
TIMEOUT = 300.0  # seconds for one request; twenty were the most seen, on a busy machine
LONGER = 6  # times longer for large limits and for modes that compile for minutes

Key = tuple[Any, ...]


class Workers:
    """The worker processes of a run, each started at its first request.

    threads: threads per framework; None leaves the framework's own default.
    level: the widest instruction set that frameworks may use; empty means the machine's.
    timeout: seconds after which a request times out and its worker is killed: `LONGER` times as many for a
        heavy mode, and for any size but the first.
    """

    def __init__(self, threads: int | None, level: str = "", timeout: float = TIMEOUT) -> None:
        self.threads, self.level, self.timeout = threads, level, timeout
        self._started: dict[Key, Worker] = {}
        self._last: Worker | None = None  # the last one that took a sample
        self._closed = False
        # its thread lives as long as the run: a worker ends with the thread that started it
        self._starter = ThreadPoolExecutor(1)

    def key(self, cell: Cell) -> Key:
        """The key of the cell's worker: cells with the same backend and environment share one."""
        try:
            variables = self.environment(cell)
        except Exception:  # `fault` reports it
            variables = {}
        return (cell.backend, tuple(sorted(variables.items())))

    def fault(self, cell: Cell) -> str:
        """Why the cell's backend cannot be used; empty if it can. Raises Absent if it is absent."""
        found = backend(cell.backend)
        try:
            found.installed()
            self.environment(cell)
            if issubclass(found, Plugin):
                found.check_contenders(cell.case)
        except Absent:
            raise
        except Broken as error:
            return str(error)
        except Exception as error:
            return sentence(error)
        return ""

    def environment(self, cell: Cell) -> dict[str, str]:
        return backend(cell.backend).environment(threads=self.threads, dtype=cell.dtype, device=cell.device)

    def patience(self, cell: Cell) -> float:
        """Seconds that a request for this cell may take."""
        first, heavy = next(iter(pages.case(cell.case).sizes)), backend(cell.backend).heavy
        return self.timeout * (LONGER if cell.size != first or cell.mode in heavy else 1)

    def of(self, key: Key) -> Worker:
        """The worker of that key, started if necessary. Raises Died if no process can start."""
        if key not in self._started:
            limits = key[0] == LIMITS
            numpy = backend("numpy").environment(threads=1, dtype="", device="cpu")
            told = {THREADS: str(self.threads)} if self.threads else {AS_SHIPPED: "1"}
            found = numpy if limits else dict(key[1]) | told
            if not limits and key[0] not in (*SHIPPED, *FURTHER):  # it may alter what derives limits
                found |= {OWN: part(os.path.abspath(key[0]))}
            found = narrowed(found, self.level) if self.level else found | {TOLD: ""}
            worker = self._started[key] = self._start(found)
            if self._closed:  # while it started, or before
                worker.close()
                raise Died("the run has ended, and starts no worker any more")
        return self._started[key]

    def _start(self, environment: dict[str, str]) -> Worker:
        """Start a worker. Try twice: a system that is short of memory may refuse only once."""
        for again in (True, False):
            try:
                return self._starter.submit(Worker, environment).result()
            except OSError as error:
                if not again:
                    raise Died(f"no worker could be started: {error}") from error
        raise AssertionError("returned or raised by now")

    def ready(self, key: Key, cell: Cell) -> Worker:
        """The worker of that key with the time limit of this cell; if it has died, a new one."""
        worker = self._started.get(key)
        if worker and worker.ended:
            why = f"a worker ({key[0]}) died between two cells, and another was started: {worker.ended}"
            tell({why: why})
            self.discard(key)
        worker = self.of(key)
        worker.timeout = self.patience(cell)
        return worker

    def ask(self, cell: Cell, function: str, *arguments: Any) -> Any:
        """Call a function in the cell's worker and return its result. Raises Died."""
        key = self.key(cell)
        worker = self.of(key)
        if function == SAMPLE:
            if self._last not in (None, worker) and self._last.pid:  # the others are already idle
                still([self._last.pid])
            self._last = worker
        worker.timeout = self.patience(cell)
        start = perf_counter()
        try:
            answer = worker.request(function, *arguments)
            if function == SAMPLE:
                answer = _sample(answer, perf_counter() - start)
        except Died:
            self.discard(key)
            raise
        if isinstance(answer, dict) and answer.get("lost"):  # it cannot compute any more
            self.discard(key)
        return answer

    def discard(self, key: Key) -> None:
        """End the worker of that key if there is one; the next request starts a new one."""
        if worker := self._started.pop(key, None):
            worker.close()

    def close(self) -> None:
        """End all workers, and those that a thread may be starting now."""
        self._closed = True
        with ThreadPoolExecutor(16) as pool:  # a busy one takes a second
            list(pool.map(lambda worker: worker.close(), list(self._started.values())))


def _sample(answer: Any, asked: float) -> Sample:
    """A worker's answer, with the seconds until it was there. Raises Died if it is none: a plug-in may be."""
    try:
        return Sample(*answer)._replace(asked=asked)
    except TypeError as error:
        raise Died(f"the worker's answer is not a sample: {sentence(error)}") from error
