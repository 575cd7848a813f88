"""Freed memory is kept while limits are derived, and returned afterwards."""

import subprocess
import sys

import pytest

FAULTS = """
import resource
import numpy as np
from contextlib import nullcontext
from bench.machine.malloc import held

def faults():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt

def work():
    before = faults()
    for _ in range(20):
        np.full(2**23, 1.0)  # 64 MiB, freed at once, and more than glibc ever keeps of itself
    return faults() - before

work()
mapped = work()
with held():
    work()
    kept = work()
resident = int(open("/proc/self/statm").read().split()[1]) * resource.getpagesize()
print(mapped, kept, resident)
"""


def test_pages_are_cleared_once_and_not_each_time():
    if not sys.platform.startswith("linux"):
        pytest.skip("glibc's")
    done = subprocess.run([sys.executable, "-c", FAULTS], capture_output=True, text=True, check=True)
    mapped, kept, _ = map(int, done.stdout.split())
    assert mapped > 100 and kept < 0.2 * mapped
