"""The worker processes of a run: one for each backend and environment, and those that derive limits."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

from bench.backends import AS_SHIPPED, backend
from bench.cells.cell import Cell
from bench.contender.prepare import THREADS
from bench.machine.isa import TOLD, narrowed
from bench.speed.idle import still
from bench.speed.rounds import SAMPLE
from bench.worker import Died, Worker

LIMITS = "limits"  # in a key, where a backend's name stands in others

Key = tuple[Any, ...]


class Workers:
    """Each starts when it is first asked for.

    `threads` is None where frameworks are left as they ship; `level` is the widest instruction set that they
    may use, the machine's own where it is empty.
    """

    def __init__(self, threads: int | None, level: str = "") -> None:
        self.threads, self.level = threads, level
        self._started: dict[Key, Worker] = {}
        self._last: Worker | None = None  # that took a sample
        self._starter = ThreadPoolExecutor(
            1
        )  # which lasts: a worker ends with the thread that has started it

    def key(self, cell: Cell) -> Key:
        """Cells of one key share a worker: their environments are the same."""
        variables = backend(cell.backend).environment(
            threads=self.threads, dtype=cell.dtype, device=cell.device
        )
        return (cell.backend, tuple(sorted(variables.items())))

    def of(self, key: Key) -> Worker:
        """The worker of that key."""
        if key not in self._started:
            limits = key[0] == LIMITS
            numpy = backend("numpy").environment(threads=1, dtype="", device="cpu")
            told = {THREADS: str(self.threads)} if self.threads else {AS_SHIPPED: "1"}
            found = numpy if limits else dict(key[1]) | told
            found = narrowed(found, self.level) if self.level else found | {TOLD: ""}
            self._started[key] = self._starter.submit(Worker, found).result()
        return self._started[key]

    def ask(self, cell: Cell, function: str, *arguments: Any) -> Any:
        """What the cell's worker answers; raises Died."""
        key = self.key(cell)
        worker = self.of(key)
        if function == SAMPLE:
            if self._last not in (None, worker) and self._last.pid:  # the others stood still before it
                still([self._last.pid])
            self._last = worker
        try:
            return worker.request(function, *arguments)
        except Died:
            self.bury(key)
            raise

    def bury(self, key: Key) -> None:
        """End the worker of that key, dead or alive; the next request starts another."""
        if worker := self._started.pop(key, None):
            worker.close()

    def close(self) -> None:
        """End them all."""
        for worker in list(self._started.values()):
            worker.close()
