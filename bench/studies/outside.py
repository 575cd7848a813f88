"""Holds the clock against other people's: the same workload, timed by a script that imports nothing of ours.

torch is timed by its own torch.utils.benchmark, JAX by a loop that waits with block_until_ready, TensorFlow
by perf_counter around a warmed tf.function. Both clocks take turns, each in a process of its own.
"""

import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from bench import pages
from bench.cells.cell import Cell
from bench.cells.selection import Selection, cells
from bench.machine.variables import threads
from bench.report.table import Table
from bench.run.session import Session
from bench.run.workers import Workers
from bench.speed.rounds import DROP, READY, SAMPLE
from bench.speed.timing import interval

TURNS, SAMPLES = 9, 5  # turns of the two clocks; samples in a turn of ours
ALLOWED = 0.03

TORCH = """
import torch
from torch.utils.benchmark import Timer

torch.set_num_threads({threads})
torch.set_grad_enabled(False)
sets = [[torch.randn(1, 12, 1024, 64) for _ in range(3)] for _ in range(12)]
attention = torch.nn.functional.scaled_dot_product_attention


def every():
    for q, k, v in sets:
        attention(q, k, v, is_causal=True)


timer = Timer("every()", globals={{"every": every}}, num_threads={threads})
print(timer.blocked_autorange(min_run_time=1).median / len(sets))
"""
JAX = """
from time import perf_counter

import flax.linen as nn
import jax

model = nn.Sequential([nn.Dense(512), nn.relu, nn.Dense(10)])
key = jax.random.PRNGKey(0)
sets = [jax.random.normal(jax.random.fold_in(key, n), (256, 784)) for n in range(120)]
params = model.init(key, sets[0])
forward = jax.jit(model.apply)
jax.block_until_ready([forward(params, x) for x in sets])
taken = []
for _ in range(15):
    start = perf_counter()
    for x in sets:
        y = forward(params, x)
    jax.block_until_ready(y)
    taken.append((perf_counter() - start) / len(sets))
print(sorted(taken)[7])
"""
TENSORFLOW = """
from time import perf_counter

import tensorflow as tf

tf.config.threading.set_intra_op_parallelism_threads({threads})
tf.config.threading.set_inter_op_parallelism_threads(1)
sets = [tf.random.normal((8, 56, 56, 64)) for _ in range(15)]
kernel, bias = tf.random.normal((3, 3, 64, 64)), tf.random.normal((64,))


@tf.function
def convolve(x, kernel, bias):
    return tf.nn.conv2d(x, kernel, 1, "SAME") + bias


for x in sets:
    convolve(x, kernel, bias)
taken = []
for _ in range(15):
    start = perf_counter()
    for x in sets:
        convolve(x, kernel, bias)
    taken.append((perf_counter() - start) / len(sets))
print(sorted(taken)[7])
"""
# the workload, as its page and its contender are named, and the script that times the same
OUTSIDE = {
    ("attention", "torch.nn.functional.scaled_dot_product_attention", "eager"): TORCH,
    ("perceptron", "flax.linen.Sequential", "jit"): JAX,
    ("conv2d", "tensorflow.nn.conv2d", "function"): TENSORFLOW,
}


@dataclass(frozen=True)
class Outside:
    """Our seconds per call, those of the other clock, and their paired ratio with its 95 % interval."""

    cell: Cell
    ours: float
    theirs: float
    ratio: float
    low: float
    high: float


def study(told: Callable[[str], None]) -> list[Outside]:
    """Time each workload with both clocks in turn; the machine should be idle."""
    selection = Selection(speeds=True)
    names = {name for name, *_ in OUTSIDE}
    found = [
        cell
        for cell in cells([case for case in pages.cases().values() if case.name in names], selection)
        if (cell.case, cell.contender, cell.mode) in OUTSIDE
        and cell.direction == "forward"
        and cell.size in {each.size for each in pages.case(cell.case).headlines}
    ]
    session = Session(
        found, found, lambda unit: False, threads=threads(), done={}, finished=lambda row: None,
        drawn=lambda curve: None,
    )  # fmt: skip
    done = []
    try:
        for cell in found:
            row = session.row(cell)
            if row.status not in ("agrees", "limited"):
                told(f"{cell}: {row.status}: {row.why}")
                continue
            done.append(_one(cell, session.workers))
            told(f"{cell}: {done[-1].ratio:.3f}")
    finally:
        session.close()
    return done


def _one(cell: Cell, workers: Workers) -> Outside:
    ours, theirs, name = [], [], str(cell)
    script = OUTSIDE[cell.case, cell.contender, cell.mode].format(threads=workers.threads)
    workers.ask(cell, READY, asdict(cell), name)
    for turn in range(TURNS):
        for which in ("ours", "theirs")[:: 1 if turn % 2 else -1]:
            if which == "ours":
                ours.append(float(np.median([workers.ask(cell, SAMPLE, name)[0] for _ in range(SAMPLES)])))
            else:
                theirs.append(_theirs(script, workers.environment(cell)))
    workers.ask(cell, DROP, name)
    ratios = np.array(ours) / np.array(theirs)
    return Outside(
        cell,
        float(np.median(ours)),
        float(np.median(theirs)),
        float(np.median(ratios)),
        *interval(ratios, 0.95),
    )


def _theirs(script: str, environment: dict[str, str]) -> float:
    """Seconds per call that the script prints, in an empty folder, with a worker's threads."""
    with TemporaryDirectory() as folder:
        file = Path(folder) / "timed.py"
        file.write_text(script, encoding="utf-8")
        done = subprocess.run(
            [sys.executable, "-I", file.name], cwd=folder, env={**os.environ, **environment},
            capture_output=True, text=True, encoding="utf-8", check=True,
        )  # fmt: skip
    return float(done.stdout.split()[-1])


def enough(found: Sequence[Outside]) -> bool:
    """Whether both clocks show the same for every workload."""
    return len(found) == len(OUTSIDE) and all(abs(each.ratio - 1) <= ALLOWED for each in found)


def table(found: Sequence[Outside]) -> Table:
    """A table with one line per workload."""
    from bench.digits import seconds

    lines = [
        (
            f"{each.cell.case} {each.cell.size}",
            each.cell.contender,
            seconds(each.ours),
            seconds(each.theirs),
            f"{each.ratio:.3f}",
            f"{each.low:.3f} to {each.high:.3f}",
        )
        for each in found
    ]
    columns = ("workload", "API", "ours", "theirs", "ratio", "interval")
    note = (
        f"Seconds per call by this clock and by another one: their ratio should be within {ALLOWED:.0%} of 1."
    )
    return Table("The clock against others", columns, lines, right=columns[2:], note=note)
