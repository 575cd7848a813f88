"""The worker processes of a run: one for each backend and environment, and those that derive limits."""

import os
from concurrent.futures import ThreadPoolExecutor
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
from bench.store.row import sentence
from bench.worker import Died, Worker

LIMITS = "limits"  # in a key, where a backend's name stands in others
TIMEOUT = 300.0  # seconds for one request of a cell that takes seconds; twenty were seen on a busy machine
LONGER = 6  # times that where large limits are derived or a mode compiles for minutes

Key = tuple[Any, ...]


class Workers:
    """Each starts when it is first asked for.

    `threads` is None where frameworks are left as they ship; `level` is the widest instruction set that they
    may use, the machine's own where it is empty. A request that takes longer than `timeout` seconds ends its
    worker, and `LONGER` times that where it is for a size beyond the first or a heavy mode.
    """

    def __init__(self, threads: int | None, level: str = "", timeout: float = TIMEOUT) -> None:
        self.threads, self.level, self.timeout = threads, level, timeout
        self._started: dict[Key, Worker] = {}
        self._last: Worker | None = None  # that took a sample
        # one that lasts: a worker ends with the thread that has started it
        self._starter = ThreadPoolExecutor(1)

    def key(self, cell: Cell) -> Key:
        """Cells of one key share a worker: their environments are the same."""
        try:
            variables = self._environment(cell)
        except Exception:  # which `fault` says
            variables = {}
        return (cell.backend, tuple(sorted(variables.items())))

    def fault(self, cell: Cell) -> str:
        """Why the cell's backend can be asked for nothing; empty where it can. Raises Absent."""
        found = backend(cell.backend)
        try:
            found.installed()
            self._environment(cell)
            if issubclass(found, Plugin):
                found.asked_for(cell.case)
        except Absent:
            raise
        except Broken as error:
            return str(error)
        except Exception as error:
            return sentence(error)
        return ""

    def _environment(self, cell: Cell) -> dict[str, str]:
        return backend(cell.backend).environment(threads=self.threads, dtype=cell.dtype, device=cell.device)

    def patience(self, cell: Cell) -> float:
        """Seconds that a request for this cell may take."""
        first, heavy = next(iter(pages.case(cell.case).sizes)), backend(cell.backend).heavy
        return self.timeout * (LONGER if cell.size != first or cell.mode in heavy else 1)

    def of(self, key: Key) -> Worker:
        """The worker of that key. Raises Died where the system starts no more."""
        if key not in self._started:
            limits = key[0] == LIMITS
            numpy = backend("numpy").environment(threads=1, dtype="", device="cpu")
            told = {THREADS: str(self.threads)} if self.threads else {AS_SHIPPED: "1"}
            found = numpy if limits else dict(key[1]) | told
            if not limits and key[0] not in (*SHIPPED, *FURTHER):  # it may alter what it derives limits with
                found |= {OWN: part(os.path.abspath(key[0]))}
            found = narrowed(found, self.level) if self.level else found | {TOLD: ""}
            self._started[key] = self._begun(found)
        return self._started[key]

    def _begun(self, environment: dict[str, str]) -> Worker:
        """Tried twice: a system that is short of memory may refuse a process, and have room for it then."""
        for again in (True, False):
            try:
                return self._starter.submit(Worker, environment).result()
            except OSError as error:
                if not again:
                    raise Died(f"no worker could be started: {error}") from error
        raise AssertionError("returned or raised by now")

    def ready(self, key: Key, cell: Cell) -> Worker:
        """The worker of that key, to be asked for this cell: another one where it has died meanwhile."""
        worker = self._started.get(key)
        if worker and worker.ended:
            why = f"a worker ({key[0]}) died between two cells, and another was started: {worker.ended}"
            tell({why: why})
            self.bury(key)
        worker = self.of(key)
        worker.timeout = self.patience(cell)
        return worker

    def ask(self, cell: Cell, function: str, *arguments: Any) -> Any:
        """What the cell's worker answers; raises Died."""
        key = self.key(cell)
        worker = self.of(key)
        if function == SAMPLE:
            if self._last not in (None, worker) and self._last.pid:  # the others stood still before it
                still([self._last.pid])
            self._last = worker
        worker.timeout = self.patience(cell)
        try:
            answer = worker.request(function, *arguments)
        except Died:
            self.bury(key)
            raise
        if isinstance(answer, dict) and answer.get("lost"):  # it can compute no more
            self.bury(key)
        return answer

    def bury(self, key: Key) -> None:
        """End the worker of that key, dead or alive; the next request starts another."""
        if worker := self._started.pop(key, None):
            worker.close()

    def close(self) -> None:
        """End them all."""
        with ThreadPoolExecutor(16) as pool:  # each takes a second where it is busy
            list(pool.map(lambda worker: worker.close(), list(self._started.values())))
