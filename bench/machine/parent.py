"""A process that ends with the one that has started it, however that ends."""

import ctypes
import signal
import sys

PR_SET_PDEATHSIG = 1  # linux/prctl.h


def end_with_parent() -> None:
    """Have the system kill this process when the thread that has started it is gone, whatever it is doing.

    Elsewhere than on Linux it ends when it next looks at its channel.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
