"""Replicates of a gate to test with."""

import math

import numpy as np

from bench.gate.duel import NEW, Blocks


def blocks(rng, count, *, slower=0.0, process=0.01, block=0.03, rounds=9, threads=2.0):
    """Replicates: a speed of each process, noise of each block, and a new side that is `slower`."""
    found = []
    for _ in range(count):
        log = process * rng.standard_normal((3, 1)) + block * rng.standard_normal((3, rounds))
        log[NEW] += math.log1p(slower)
        wall = 1e-3 * np.exp(log)
        order = np.array([rng.permutation(3) for _ in range(rounds)]).T
        found.append(Blocks(wall, threads * wall, order))
    return found
