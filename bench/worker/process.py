"""A worker process: its environment is set before anything is imported, and it runs one function at a time.

A function is asked for by its name, ``bench.speed.timed:sample``, and answers in built-in types. What it
keeps between two calls stands in its own module. The serving side runs in the worker, `Worker` in the
process that asks.
"""

import faulthandler
import importlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from functools import cached_property
from multiprocessing import get_context
from typing import Any

import execnet

from bench.cache import PLACE, folder, tell, told
from bench.machine.parent import end_with_parent
from bench.worker.words import ROOT, STACK, Words, cause, frame, raised

# Imports our packages from where they lie, whatever a path has first: it may have a bench/ of the user's, and
# ROOT may be a site-packages, of which nothing else should come before what the user has put first.
BOOT = f"""
import importlib.util, sys
home = {str(ROOT / "gaugeblock")!r}
spec = importlib.util.spec_from_file_location(
    "gaugeblock", home + "/__init__.py", submodule_search_locations=[home]
)
sys.modules["gaugeblock"] = importlib.util.module_from_spec(spec)
spec.loader.exec_module(sys.modules["gaugeblock"])
"""
ENTRY = f"""
import os, signal, sys
os.setpgid(0, 0)  # so that what it starts can be ended with it
signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the asking process, which ends its workers
os.environ.update(channel.receive())
path = channel.receive()
sys.path[:] = [*path, *(entry for entry in sys.path if entry not in path)]
{BOOT}
from bench.worker.process import serve
serve(channel)
"""
TIMEOUT = 1800.0  # seconds for one request; a cell that needs more has hung
GRACE = 5.0  # seconds in which a process that has closed its channel ends
MOST = 2**26  # bytes of an answer
ASK = signal.SIGUSR1  # has a worker write where it stands


class Died(Exception):
    """The worker is gone; the message says how it ended, and has its last words."""


class Worker:
    """One process, asked by `request`. Not for two threads at once.

    It imports from where the asking process does, and has its cache. `python` may be another interpreter,
    which has packages of its own; ours come from where they lie. A request that takes longer than `timeout`
    ends it.
    """

    def __init__(self, environment: Mapping[str, str], python: str = sys.executable) -> None:
        self.timeout, self._killed = TIMEOUT, False
        self._group = execnet.Group()
        # only the main thread may set how signals are heard
        self._gateway = self._group.makegateway(f"popen//python={python}//execmodel=main_thread_only")
        io: Any = self._gateway._io
        self._process: subprocess.Popen[bytes] = io.popen  # which alone knows how it ended
        self._words = Words()
        self._channel = self._gateway.remote_exec(ENTRY)
        self._channel.send({PLACE: str(folder()), **environment})  # in a spec some values have a meaning
        self._channel.send(path() if python == sys.executable else [])
        self._channel.send(self._words.path)

    @cached_property
    def pid(self) -> int | None:
        """Its process; None where it has died."""
        try:
            return int(self.request("os:getpid"))
        except Died:
            return None

    @property
    def ended(self) -> str:
        """How its process ended; empty while it runs."""
        code = self._process.poll()
        if code is None:
            return ""
        if code >= 0:
            return f"exit code {code}"
        named = {each.value: each.name for each in signal.Signals}
        want = ", which is what the system does for want of memory" if code == -signal.SIGKILL else ""
        return f"ended by signal {-code} ({named.get(-code, 'of no name')}){want}"

    def request(self, function: str, *arguments: Any) -> Any:
        """What ``module:function`` answers in the worker; raises Died when it crashed, raised or hung."""
        try:
            self._channel.send((function, list(arguments)))
            answer, why, causes = execnet.loads(self._receive())
        except self._channel.RemoteError as error:  # it has not begun to serve
            raise Died(f"the worker died: {str(error).strip().splitlines()[-1]}") from error
        except self._channel.TimeoutError as error:  # an OSError as well
            place = self._place()
            self._kill()
            self.close()
            raise Died(f"the worker gave no answer in {self.timeout:g} s{place}, and was ended") from error
        except (EOFError, OSError) as error:
            raise Died(f"the worker died: {self._last_words()}") from error
        self._words.opened()
        tell(causes)
        if why:
            raise Died(f"the worker died: {why}")
        return answer

    def _receive(self) -> Any:
        """The answer. A child that outlives its process may hold the channel open: that is not waited for."""
        until = time.monotonic() + self.timeout
        while True:
            left = until - time.monotonic()
            gone = bool(self.ended)
            try:
                return self._channel.receive(timeout=max(min(left, 1.0), 0.0))
            except self._channel.TimeoutError:
                if gone:
                    raise EOFError("its process is gone") from None
                if left <= 0:
                    raise

    def _last_words(self) -> str:
        """How the process ended, and the line that says why, as far as there is one."""
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(GRACE)
        ended = self.ended
        self._kill()
        self._words.close()
        return ": ".join(filter(None, (ended or "it closed its channel", cause(self._words.lines(), ended))))

    def _place(self) -> str:
        """Where a process stands that gives no answer, as far as it says so."""
        with suppress(ProcessLookupError):
            os.kill(self._process.pid, ASK)
        time.sleep(0.2)
        return frame(self._words.lines(), STACK)

    def close(self) -> None:
        """End the process with all that it has started, and forget what it printed."""
        started = self._children()
        self._group.terminate(timeout=1.0)
        self._kill(started)
        self._words.close()

    def _children(self) -> list[Any]:
        import psutil  # a contender's environment need not have it

        with suppress(psutil.Error):
            return list(psutil.Process(self._process.pid).children(recursive=True))
        return []

    def _kill(self, started: Sequence[Any] = ()) -> None:
        """Once: later its number may be another's."""
        if self._killed:
            return
        self._killed = True
        for child in [*started, *self._children()]:
            with suppress(Exception):  # it is gone
                child.kill()
        with suppress(ProcessLookupError, PermissionError):  # nobody is left of its group
            os.killpg(self._process.pid, signal.SIGKILL)


def serve(channel: Any) -> None:
    """Answer requests until the channel closes. Runs in the worker."""
    end_with_parent()
    log = os.open(channel.receive(), os.O_WRONLY)
    os.dup2(log, 1)
    os.dup2(log, 2)
    faulthandler.enable(log)
    faulthandler.register(ASK, log, all_threads=False)
    born = os.getpid()
    for function, arguments in channel:
        try:
            module, _, name = function.partition(":")
            given = getattr(importlib.import_module(module), name)(*arguments), ""
            answer = execnet.dumps((*given, told()))
            if len(answer) > MOST:
                raise ValueError(f"its answer has {len(answer)} bytes, should have {MOST} at most")
        except BaseException as error:  # SystemExit too: it is no end of ours
            answer = execnet.dumps((None, raised(error), told()))
        if os.getpid() != born:  # a fork has come back, and would answer for its parent
            os._exit(0)
        channel.send(answer)


def path() -> list[str]:
    """Where this process imports from; what pytest was given to find us by comes last."""
    found = [os.path.abspath(entry) for entry in sys.path]
    return [*(entry for entry in found if entry != str(ROOT)), *([str(ROOT)] if str(ROOT) in found else [])]


def pool(processes: int, environment: Mapping[str, str] | None = None) -> ProcessPoolExecutor:
    """Spawned processes for a `map`; they have these variables, and our packages, before they import more."""
    begin = f"import os; os.environ.update({dict(environment or {})!r})\n{BOOT}"
    return ProcessPoolExecutor(processes, get_context("spawn"), exec, (begin,))
