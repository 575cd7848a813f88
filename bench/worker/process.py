"""A worker process: its environment is set before anything is imported, and it runs one function at a time.

A request names a function, ``bench.speed.timed:sample``, which returns built-in types. A function keeps
state between calls in its own module. `serve` runs in the worker, `Worker` in the main process.
"""

import atexit
import faulthandler
import importlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from functools import cache, cached_property
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import execnet

from bench.cache import PLACE, folder, tell, told
from bench.machine.parent import end_with_parent
from bench.worker.words import ROOT, STACK, Words, cause, frame, raised


# Imports our packages from ROOT, whatever the path: it may have a user's bench/ first. ROOT itself does not
# go first on the path: it may be a site-packages, whose other packages must not hide the user's.
def boot(root: Path) -> str:
    """Code that imports the package gaugeblock from that folder."""
    return f"""
import importlib.util, sys
home = {str(root / "gaugeblock")!r}
spec = importlib.util.spec_from_file_location(
    "gaugeblock", home + "/__init__.py", submodule_search_locations=[home]
)
sys.modules["gaugeblock"] = importlib.util.module_from_spec(spec)
spec.loader.exec_module(sys.modules["gaugeblock"])
"""


BOOT = boot(ROOT)
ENTRY = """
import os, signal, sys
os.setpgid(0, 0)  # so that its children can be ended with it
signal.signal(signal.SIGINT, signal.SIG_IGN)  # the main process handles Ctrl-C, and ends its workers
os.environ.update(channel.receive())
path = channel.receive()
sys.path[:] = [*path, *(entry for entry in sys.path if entry not in path)]
exec(channel.receive())
from bench.worker.process import serve
serve(channel)
"""
TIMEOUT = 1800.0  # seconds for one request; a cell that needs longer has hung
GRACE = 5.0  # seconds for a process to end after it has closed its channel
MOST = 2**26  # most bytes of an answer
ASK = signal.SIGUSR1  # makes a worker write its stack


class Died(Exception):
    """The worker process has ended; the message says how, with the last line that it printed."""


class Worker:
    """One worker process, used by `request`. Not thread-safe.

    It has the import path and the cache of this process. `python` may be another interpreter with its own
    packages, which needs NumPy and no more; Gaugeblock's are imported from `root`. A request that takes
    longer than `timeout` ends the worker.
    """

    def __init__(
        self, environment: Mapping[str, str], python: str = sys.executable, root: Path = ROOT
    ) -> None:
        self.timeout, self._killed = TIMEOUT, False
        self._group = execnet.Group()
        # only the main thread may set signal handlers
        self._gateway = self._group.makegateway(f"popen//python={python}//execmodel=main_thread_only")
        io: Any = self._gateway._io
        self._process: subprocess.Popen[bytes] = io.popen  # has the exit code
        self._words = Words()
        self._channel = self._gateway.remote_exec(ENTRY)
        # not in the gateway's spec, where some characters have a meaning
        self._channel.send({PLACE: str(folder()), **environment})
        self._channel.send(path() if python == sys.executable else [lent()])
        self._channel.send(boot(root))
        self._channel.send(self._words.path)

    @cached_property
    def pid(self) -> int | None:
        """The process id; None if the worker has died."""
        try:
            return int(self.request("os:getpid"))
        except Died:
            return None

    @property
    def ended(self) -> str:
        """How the process ended; empty while it runs."""
        code = self._process.poll()
        if code is None:
            return ""
        if code >= 0:
            return f"exit code {code}"
        named = {each.value: each.name for each in signal.Signals}
        want = ", which is what the system does for want of memory" if code == -signal.SIGKILL else ""
        return f"ended by signal {-code} ({named.get(-code, 'of no name')}){want}"

    def request(self, function: str, *arguments: Any) -> Any:
        """The result of ``module:function`` in the worker; raises Died if it crashes, raises or times out."""
        try:
            with suppress(OSError):  # it has closed its channel, and why is what `_receive` raises
                self._channel.send((function, list(arguments)))
            answer, why, causes = execnet.loads(self._receive())
        except self._channel.RemoteError as error:  # it failed before `serve`
            raise Died(f"the worker died: {str(error).strip().splitlines()[-1]}") from error
        except self._channel.TimeoutError as error:  # before OSError, of which it is a subclass
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
        """The answer. Raises EOFError if the process ended, even if a child still holds the channel open."""
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
        """How the process ended, and the line that says why, if there is one."""
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(GRACE)
        ended = self.ended
        self._kill()
        self._words.close()
        return ": ".join(filter(None, (ended or "it closed its channel", cause(self._words.lines(), ended))))

    def _place(self) -> str:
        """Where a hung process is, from the stack that it writes; empty if it writes none."""
        with suppress(ProcessLookupError):
            os.kill(self._process.pid, ASK)
        time.sleep(0.2)
        return frame(self._words.lines(), STACK)

    def close(self) -> None:
        """End the process and its children, and drop its output."""
        started = self._children()
        self._group.terminate(timeout=1.0)
        self._kill(started)
        self._words.close()

    def _children(self) -> list[Any]:
        import psutil  # may be missing in a contender's environment

        with suppress(psutil.Error):
            return list(psutil.Process(self._process.pid).children(recursive=True))
        return []

    def _kill(self, started: Sequence[Any] = ()) -> None:
        """Kill the process group, only once: later its id may belong to another process."""
        if self._killed:
            return
        self._killed = True
        for child in [*started, *self._children()]:
            with suppress(Exception):  # it has ended
                child.kill()
        with suppress(ProcessLookupError, PermissionError):  # the group is empty
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
        except BaseException as error:  # SystemExit too: a contender must not end the worker
            answer = execnet.dumps((None, raised(error), told()))
        if os.getpid() != born:  # a forked child returned here, and would answer in place of its parent
            os._exit(0)
        channel.send(answer)


@cache
def lent() -> str:
    """A folder with a copy of execnet, for interpreters that do not have it; deleted at exit."""
    found = tempfile.mkdtemp(prefix="gaugeblock-execnet-")
    atexit.register(shutil.rmtree, found, ignore_errors=True)
    shutil.copytree(Path(execnet.__file__).parent, Path(found, "execnet"))
    return found


def path() -> list[str]:
    """The import path of this process, with ROOT, which pytest may have put first, at the end."""
    found = [os.path.abspath(entry) for entry in sys.path]
    return [*(entry for entry in found if entry != str(ROOT)), *([str(ROOT)] if str(ROOT) in found else [])]


def pool(processes: int, environment: Mapping[str, str] | None = None) -> ProcessPoolExecutor:
    """A pool of spawned processes, with these variables and our packages set up before other imports."""
    begin = f"import os; os.environ.update({dict(environment or {})!r})\n{BOOT}"
    return ProcessPoolExecutor(processes, get_context("spawn"), exec, (begin,))
