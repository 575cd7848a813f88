"""Derive the limits that a selection needs into GAUGEBLOCK_CACHE: python derive.py PROCESSES [--big] [--first N].
On the ordinary machine beforehand, and with --big on the device machine in the background. Says what took how long."""
import argparse, os, sys, time
ap = argparse.ArgumentParser(); ap.add_argument("processes", type=int); ap.add_argument("--big", action="store_true"); ap.add_argument("--first", type=int)
arg = ap.parse_args()
for v in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"): os.environ[v] = "1"
from concurrent.futures import ProcessPoolExecutor, as_completed
from bench.verdict import saboteur
from bench import pages
from bench.cells.cell import LOW
from bench.inputs import shared
from bench.tolerance.expected import expectation
from bench.noise import accumulators
from bench.machine.malloc import held
from bench.cells.selection import Selection, cells, timed
BIG = {"linear-regression": "layer", "perceptron": "mnist", "softmax": "large", "gelu": "large", "layer-norm": "gpt2", "conv2d": "large",
       "cross-entropy": "large", "attention": "gpt2", "multi-head-attention": "gpt2", "lstm": "long", "cnn": "mission", "adam": "odd"}
C = list(pages.cases().values()); common = dict(backends=("torch", "jax"), devices=("gpu",))
def of(**k):
    s = Selection(**common, **k); return [(c, timed(c, pages.case(c.case), s)) for c in cells(C, s)]
want = {}
if arg.big:
    for c, t in of(dtypes=("float32",), sizes=tuple(set(BIG.values()))):
        if t and BIG.get(c.case) == c.size: want.setdefault((shared(c), "float32"))
else:
    for c, _ in of(smoke=True): want.setdefault((shared(c), "float64"))
    for c, t in of(dtypes=("float32",)):
        for a in accumulators("float32", tf32=t): want.setdefault((shared(c), a))
    for c, t in of(dtypes=("bfloat16",)):
        for a in accumulators("bfloat16") if t else (): want.setdefault((shared(c), a))
def one(cell, acc):
    start = time.time()
    try:
        with held(): expectation(cell, accumulator=acc)
        if acc == accumulators(cell.dtype)[0] and cell.dtype not in LOW:
            for d in pages.case(cell.case).directions: saboteur.passing(cell, d)
        return cell, acc, time.time() - start, ""
    except Exception as e: return cell, acc, time.time() - start, f"{type(e).__name__}: {e}"[:200]
todo = list(want)[: arg.first]; start = time.time(); spent = 0.0
with ProcessPoolExecutor(arg.processes) as pool:
    for n, f in enumerate(as_completed([pool.submit(one, *each) for each in todo]), 1):
        cell, acc, took, fault = f.result(); spent += took
        if took > 2 or fault: print(f"{took:6.1f} s {cell} {acc} {fault}", flush=True)
print(f"{n} limits, {spent:.0f} s of work in {time.time() - start:.0f} s", flush=True)
