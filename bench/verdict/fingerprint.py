"""Fingerprints the arithmetic of a backend: each probe has one exact answer, compared bit by bit.

A probe is a function of an operation on NumPy arrays, so a simulated device can be probed too.
"""

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.backends import Backend
from bench.inputs import rounded
from bench.noise import precision
from bench.store.row import sentence

Array = NDArray[Any]
Operation = Callable[..., Array]
Record = dict[str, Any]

PLACE = ("backend", "mode", "device", "dtype")  # the coordinates of a fingerprint
LENGTHS = (3, 64, 4096)  # terms of a sum: less than a vector, less than a block, more than a block
BATCHES = (1, 7, 64, 512)
AGAIN = 4  # repetitions of a first call
UNIT = 2.0**-14  # float16's smallest normal number: it leaves the most powers of two above it


def fingerprint(engine: Backend, mode: str) -> Record:
    """The answers of all probes of a backend in one mode, or the error that stopped them."""
    place = dict(zip(PLACE, (engine.name, mode, engine.device, engine.dtype), strict=True))
    try:
        return {**place, "version": engine.version, **_probed(engine, mode)}
    except Exception as error:  # of the framework: the run continues
        return {**place, "error": sentence(error)}


def _probed(engine: Backend, mode: str) -> Record:
    called = {name: _called(engine, verb, mode) for name, verb in engine.operations().items()}
    weights = np.random.default_rng(1).standard_normal((_normal().shape[1], 96))
    products = {name: called[name] for name in ("multiply", "matmul")}
    sums = {"matmul": lambda x: called["matmul"](x, np.ones((x.shape[1], 8)))[:, 0]}
    sums |= {"sum": called["sum"]} if "sum" in called else {}
    rows = {name: verb for name, verb in called.items() if name in ("sum", "softmax")}
    rows |= {"matmul": lambda x: called["matmul"](x, weights)}

    def ask(probe: Callable[[Operation, str], Any], operations: Mapping[str, Operation]) -> Record:
        answers: Record = {}
        for name, operation in operations.items():
            try:
                answers[name] = probe(operation, engine.dtype)
            except Exception as error:
                if not engine.lacks(error):
                    raise
                answers[name] = f"absent: {sentence(error)}"
        return answers

    return {
        "multiplier": ask(multiplier, {"matmul": called["matmul"]}),
        "accumulator": ask(accumulator, sums),
        "flushed": ask(flushed, products),
        "repeats": ask(repeats, rows),
        "batches": ask(batches, rows),
    }


def multiplier(matmul: Operation, dtype: str) -> int:
    """The largest k such that products of k-bit integers are exact, if the dtype can hold the product."""
    bits = precision(dtype).bits
    rng = np.random.default_rng(0)
    sized = [(k, n) for k in range(1, bits + 1) for n in _odd(k, rng)]
    k, n = (np.array(each, dtype=np.float64) for each in zip(*sized, strict=True))
    left = np.zeros((len(n), 64))
    left[np.arange(len(n)), np.arange(len(n)) % 64] = n  # one product per sum, at every position
    with np.errstate(over="ignore"):  # in pairs that are not counted
        got = matmul(left, np.tile(n, (64, 1))).astype(np.float64)
    larger = np.maximum(k[:, None], k)
    fits = (k[:, None] + k <= bits) | (np.minimum(k[:, None], k) == 1)
    wrong = fits & (got != np.outer(n, n))
    return int(larger[wrong].min(initial=bits + 1)) - 1


def accumulator(reduce: Operation, dtype: str) -> dict[str, int]:
    """The bits of the accumulator, by the length of a sum: 2^k + 1 is exact in more than k bits.

    The sum 2^k + 1 - 2^k has its terms at many positions in two orders: vector lanes or blocks hide some.
    """
    most = min(60, 15 - precision(dtype).smallest)  # the largest k for which 2^k units are in range
    return {str(n): _kept(reduce, n, most) for n in LENGTHS}


def flushed(multiply: Operation, dtype: str) -> list[str]:
    """Whether subnormal ``inputs`` and ``outputs`` are flushed to zero."""
    eye, tiny = np.eye(67), precision(dtype).tiny  # one test for matrix and elementwise products
    found = {
        "inputs": multiply(tiny / 2 * eye, 2 * eye),
        "outputs": multiply(tiny * eye, eye / 2),
    }
    return [side for side, got in found.items() if _zero(np.diagonal(got)).any()]


def repeats(operation: Operation, dtype: str) -> bool:
    """Whether repeated calls on the same numbers give the same bits."""
    x = _normal()
    first = operation(x).tobytes()
    return all(operation(x).tobytes() == first for _ in range(AGAIN))


def batches(operation: Operation, dtype: str) -> list[int]:
    """The batch sizes in which the bits of the first row differ from those in the largest batch."""
    x = _normal()
    first = {size: operation(x[:size])[0].tobytes() for size in BATCHES}
    return [size for size in BATCHES if first[size] != first[BATCHES[-1]]]


def _called(engine: Backend, verb: Callable[..., Any], mode: str) -> Operation:
    """An operation of the framework as a forward pass runs it, on NumPy arrays."""

    @cache
    def forward(*shapes: tuple[int, ...]) -> Any:  # one per shape: TensorFlow warns about retracing
        def run(params: Any, a: Any, b: Any = None) -> dict[str, Any]:
            return {"y": verb(a) if b is None else verb(a, b)}

        return engine.forward(run, mode)

    def call(*arrays: Array) -> Array:
        given = rounded(dict(zip("ab", arrays, strict=False)), engine.dtype)
        found = forward(*(array.shape for array in arrays))({}, engine.put(given))
        return np.asarray(engine.get(found)["y"])

    return call


def _odd(k: int, rng: np.random.Generator) -> list[int]:
    """Odd integers of k bits: the smallest, the largest, and some between."""
    if k < 3:
        return [1] if k == 1 else [3]
    return [
        2 ** (k - 1) + 1,
        2**k - 1,
        *(int(rng.integers(2 ** (k - 2), 2 ** (k - 1))) * 2 + 1 for _ in "four"),
    ]


def _kept(reduce: Operation, n: int, most: int) -> int:
    far = {(0, n // 4, n // 2), (0, n // 2, n - 1)} if n > 3 else set()
    places = {(0, 1, 2), *far}
    # a sum in one lane loses a 1 in the middle, a sum in two lanes loses a 1 at the end
    orders = [order for a, b, c in sorted(places) for order in ((a, b, c), (a, c, b))]
    x = np.zeros((most, len(orders), n))
    for column, (large, one, back) in enumerate(orders):
        x[:, column, large] = 2.0 ** np.arange(1, most + 1)
        x[:, column, one] = 1
        x[:, column, back] = -(2.0 ** np.arange(1, most + 1))
    got = reduce(UNIT * x.reshape(-1, n)).astype(np.float64).reshape(most, -1)
    lost = (got != UNIT).any(axis=1)
    return int(np.argmax(lost)) + 1 if lost.any() else most + 1


def _zero(x: Array) -> Any:
    """A mask of zeros by their bits: a comparison with 0 may itself flush subnormals."""
    bits = np.ascontiguousarray(x).view(f"u{x.dtype.itemsize}")
    return bits << np.array(1, bits.dtype) == 0


def _normal() -> Array:
    return np.random.default_rng(0).standard_normal((BATCHES[-1], 777))
