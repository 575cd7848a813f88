"""Signals that end a run: Ctrl-C, `kill` and a terminal that is gone are the same to it."""

import math
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

ENDS = ("SIGINT", "SIGTERM", "SIGHUP")  # by name, since not every system has all of them
DEAF = 10.0  # seconds in which a run ends its workers and says how to go on, whatever comes meanwhile


@contextmanager
def interrupts() -> Iterator[None]:
    """Raise KeyboardInterrupt when the process is told to end.

    What is ignored (by nohup, say), or has a handler of somebody else's, stays as it is.
    """
    last = -math.inf

    def end(number: int, frame: Any) -> None:
        nonlocal last
        if time.monotonic() - last > DEAF:
            last = time.monotonic()
            raise KeyboardInterrupt(signal.Signals(number).name)

    ours = {}
    if threading.current_thread() is threading.main_thread():  # no other may say who hears a signal
        known = [getattr(signal, name) for name in ENDS if hasattr(signal, name)]
        usual = (signal.SIG_DFL, signal.default_int_handler)
        ours = {each: signal.signal(each, end) for each in known if signal.getsignal(each) in usual}
    try:
        yield
    finally:
        for each, before in ours.items():
            if signal.getsignal(each) is end:
                signal.signal(each, before)
