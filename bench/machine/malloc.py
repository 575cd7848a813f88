"""glibc's pool of freed memory, for a process in which arrays of hundreds of megabytes come and go.

By default each of them is mapped anew and given back, and the kernel clears its pages every time: more than a
third of the time in which limits are derived.
"""

import ctypes
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache

TRIM_THRESHOLD, MMAP_MAX = -1, -4  # as malloc.h numbers them
NEVER, NONE = -1, 0
NO_GLIBC = (OSError, AttributeError, TypeError)  # as ctypes says it


@contextmanager
def held() -> Iterator[None]:
    """Freed memory is kept until the end, and given back then. Does nothing where there is no glibc."""
    with suppress(*NO_GLIBC):
        _keep()
    try:
        yield
    finally:
        trim()


def trim() -> None:
    """Give freed memory back now. Does nothing where there is no glibc."""
    with suppress(*NO_GLIBC):
        ctypes.CDLL(None).malloc_trim(0)


@cache
def _keep() -> None:
    libc = ctypes.CDLL(None)
    libc.mallopt(TRIM_THRESHOLD, NEVER)
    libc.mallopt(MMAP_MAX, NONE)
