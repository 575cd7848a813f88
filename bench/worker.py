"""A worker process: its environment is set before anything is imported, and it runs one function at a time.

A function is asked for by its name, ``bench.speed.timed:sample``, and answers in built-in types. What it
keeps between two calls stands in its own module. The serving side runs in the worker, `Worker` in the
process that asks.
"""

import importlib
import os
import sys
import tempfile
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor
from functools import cached_property
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import execnet

from bench.cache import PLACE, folder

ROOT = Path(__file__).resolve().parent.parent  # where this package and its like lie, installed or not
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
signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the asking process, which ends its workers
os.environ.update(channel.receive())
path = channel.receive()
sys.path[:] = [*path, *(entry for entry in sys.path if entry not in path)]
{BOOT}
from bench.worker import serve
serve(channel)
"""
TIMEOUT = 1800.0  # seconds for one request; a cell that needs more has hung


class Died(Exception):
    """The worker is gone; the message has its last words."""


class Worker:
    """One process, asked by `request`. Not for two threads at once.

    It imports from where the asking process does, and has its cache. `python` may be another interpreter,
    which has packages of its own; ours come from where they lie.
    """

    def __init__(self, environment: Mapping[str, str], python: str = sys.executable) -> None:
        self._words = Path(tempfile.mkstemp(prefix="gaugeblock-", suffix=".log")[1])
        environment = {PLACE: str(folder()), **environment}
        crossed = {name: value for name, value in environment.items() if "//" in value}  # execnet's own mark
        whole = {name: value for name, value in environment.items() if name not in crossed}
        variables = "".join(f"//env:{name}={value}" for name, value in whole.items())
        self._group = execnet.Group()
        # only the main thread may set how signals are heard
        spec = f"popen//python={python}//execmodel=main_thread_only{variables}"
        self._gateway = self._group.makegateway(spec)
        self._channel = self._gateway.remote_exec(ENTRY)
        self._channel.send(crossed)
        self._channel.send(path() if python == sys.executable else [])
        self._channel.send(str(self._words))

    @cached_property
    def pid(self) -> int | None:
        """Its process; None where it has died."""
        try:
            return int(self.request("os:getpid"))
        except Died:
            return None

    def request(self, function: str, *arguments: Any) -> Any:
        """What ``module:function`` answers in the worker; raises Died when it crashed, raised or hung."""
        try:
            self._channel.send((function, list(arguments)))
            return self._channel.receive(timeout=TIMEOUT)
        except (EOFError, OSError, self._channel.RemoteError) as error:
            log = self._words.read_text(encoding="utf-8", errors="replace").strip().splitlines()
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
    for function, arguments in channel:
        module, _, name = function.partition(":")
        channel.send(getattr(importlib.import_module(module), name)(*arguments))


def path() -> list[str]:
    """Where this process imports from; what pytest was given to find us by comes last."""
    found = [os.path.abspath(entry) for entry in sys.path]
    return [*(entry for entry in found if entry != str(ROOT)), *([str(ROOT)] if str(ROOT) in found else [])]


def pool(processes: int, environment: Mapping[str, str] | None = None) -> ProcessPoolExecutor:
    """Spawned processes for a `map`; they have these variables, and our packages, before they import more."""
    begin = f"import os; os.environ.update({dict(environment or {})!r})\n{BOOT}"
    return ProcessPoolExecutor(processes, get_context("spawn"), exec, (begin,))
