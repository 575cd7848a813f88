"""Signals that end a run: Ctrl-C, `kill` and a closed terminal all raise KeyboardInterrupt."""

import math
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

ENDS = ("SIGINT", "SIGTERM", "SIGHUP")  # by name, because not every system has all of them
GRACE = 10.0  # seconds after a signal in which others are ignored, so that the run can stop its workers


@contextmanager
def interrupts() -> Iterator[None]:
    """Raise KeyboardInterrupt when the process gets a signal to end.

    A signal that is ignored (by nohup, for example) or has a custom handler is left alone.
    """
    last = -math.inf

    def end(number: int, frame: Any) -> None:
        nonlocal last
        if time.monotonic() - last > GRACE:
            last = time.monotonic()
            raise KeyboardInterrupt(signal.Signals(number).name)

    ours = {}
    if threading.current_thread() is threading.main_thread():  # only it may set handlers
        known = [getattr(signal, name) for name in ENDS if hasattr(signal, name)]
        usual = (signal.SIG_DFL, signal.default_int_handler)
        ours = {each: signal.signal(each, end) for each in known if signal.getsignal(each) in usual}
    try:
        yield
    finally:
        for each, before in ours.items():
            if signal.getsignal(each) is end:
                signal.signal(each, before)
