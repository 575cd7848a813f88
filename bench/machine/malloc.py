"""Keeps freed memory in glibc's pool, for a process that allocates many arrays of hundreds of megabytes.

By default glibc maps and unmaps each of them, and the kernel zeroes the pages every time: more than a third
of the time of deriving limits.
"""

import ctypes
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache

TRIM_THRESHOLD, MMAP_MAX = -1, -4  # constants of malloc.h
NEVER, NONE = -1, 0
NO_GLIBC = (OSError, AttributeError, TypeError)  # raised by ctypes without glibc


@contextmanager
def held() -> Iterator[None]:
    """Keep freed memory until the block ends, then return it. Does nothing without glibc."""
    with suppress(*NO_GLIBC):
        _keep()
    try:
        yield
    finally:
        trim()


def trim() -> None:
    """Return freed memory to the system now. Does nothing without glibc."""
    with suppress(*NO_GLIBC):
        ctypes.CDLL(None).malloc_trim(0)


@cache
def _keep() -> None:
    libc = ctypes.CDLL(None)
    libc.mallopt(TRIM_THRESHOLD, NEVER)
    libc.mallopt(MMAP_MAX, NONE)
