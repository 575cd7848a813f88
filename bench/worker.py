"""A worker process: its environment is set before anything is imported, and it runs one function at a time.

A function is asked for by its name, ``bench.speed.timed:sample``, and answers in built-in types. What it
keeps between two calls stands in its own module. The serving side runs in the worker, `Worker` in the
process that asks.
"""

import importlib
import os
import sys
import tempfile
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import execnet

ROOT = str(Path(__file__).resolve().parent.parent)  # where this package lies, installed or not
ENTRY = """
import signal, sys
signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the asking process, which ends its workers
path = channel.receive()
sys.path[:] = [*path, *(entry for entry in sys.path if entry not in path)]
from bench.worker import serve
serve(channel)
"""
TIMEOUT = 1800.0  # seconds for one request; a cell that needs more has hung


class Died(Exception):
    """The worker is gone; the message has its last words."""


class Worker:
    """One process, asked by `request`. Not for two threads at once.

    `python` may be another interpreter: it imports its own packages, and this one from where it lies.
    """

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
        self._channel.send(_path() if python == sys.executable else [ROOT])
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
    for function, arguments in channel:
        module, _, name = function.partition(":")
        channel.send(getattr(importlib.import_module(module), name)(*arguments))


def _path() -> Sequence[str]:
    """Where this process imports from, this package first: a bench/ of the user's is another."""
    return [ROOT, *(path for path in map(os.path.abspath, sys.path) if path != ROOT)]
