"""The arithmetic of a backend, bit by bit: each probe asks what has one exact answer.

A probe is a function of an operation, NumPy in and NumPy out, so that a simulated device can be probed too.
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

PLACE = ("backend", "mode", "device", "dtype")  # what a fingerprint belongs to
LENGTHS = (3, 64, 4096)  # terms of a sum: fewer than a vector, fewer than a block, more than a kernel's
BATCHES = (1, 7, 64, 512)
AGAIN = 4  # repetitions of a first call
UNIT = 2.0**-14  # float16's smallest normal number, so that the most powers of two lie above it


def fingerprint(engine: Backend, mode: str) -> Record:
    """Every probe of a backend in one mode, or the error that ended them."""
    place = dict(zip(PLACE, (engine.name, mode, engine.device, engine.dtype), strict=True))
    try:
        return {**place, "version": engine.version, **_probed(engine, mode)}
    except Exception as error:  # of a framework: no fault of the run
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
    """The most significant bits of integers whose products are all exact, as far as the dtype holds these."""
    bits = precision(dtype).bits
    rng = np.random.default_rng(0)
    sized = [(k, n) for k in range(1, bits + 1) for n in _odd(k, rng)]
    k, n = (np.array(each, dtype=np.float64) for each in zip(*sized, strict=True))
    left = np.zeros((len(n), 64))
    left[np.arange(len(n)), np.arange(len(n)) % 64] = n  # one product a sum, at every place
    with np.errstate(over="ignore"):  # of pairs that are not asked about
        got = matmul(left, np.tile(n, (64, 1))).astype(np.float64)
    larger = np.maximum(k[:, None], k)
    fits = (k[:, None] + k <= bits) | (np.minimum(k[:, None], k) == 1)
    wrong = fits & (got != np.outer(n, n))
    return int(larger[wrong].min(initial=bits + 1)) - 1


def accumulator(reduce: Operation, dtype: str) -> dict[str, int]:
    """By the length of a sum, the bits that it accumulates in: 2^k + 1 is kept by more than k.

    The two stand at many places, in two orders and with -2^k, since a sum in lanes or blocks may keep some.
    """
    most = min(60, 15 - precision(dtype).smallest)  # 2^k units are still in range
    return {str(n): _kept(reduce, n, most) for n in LENGTHS}


def flushed(multiply: Operation, dtype: str) -> list[str]:
    """Which subnormals are taken for zero: those that come in, those that come out."""
    eye, tiny = np.eye(67), precision(dtype).tiny  # the same product for matrices and for elements
    found = {
        "inputs": multiply(tiny / 2 * eye, 2 * eye),
        "outputs": multiply(tiny * eye, eye / 2),
    }
    return [side for side, got in found.items() if _zero(np.diagonal(got)).any()]


def repeats(operation: Operation, dtype: str) -> bool:
    """Whether calls on the same numbers give the same bits."""
    x = _normal()
    first = operation(x).tobytes()
    return all(operation(x).tobytes() == first for _ in range(AGAIN))


def batches(operation: Operation, dtype: str) -> list[int]:
    """The batch sizes in which the first row has other bits than in the largest."""
    x = _normal()
    first = {size: operation(x[:size])[0].tobytes() for size in BATCHES}
    return [size for size in BATCHES if first[size] != first[BATCHES[-1]]]


def _called(engine: Backend, verb: Callable[..., Any], mode: str) -> Operation:
    """An operation of the framework as a forward pass runs it, NumPy in and NumPy out."""

    @cache
    def forward(*shapes: tuple[int, ...]) -> Any:  # one each: TensorFlow warns of a function of many shapes
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
    # 1 stands between, which a sum in one lane loses, or last, which one in two lanes loses
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
    """Where every bit but the sign's is zero: a comparison may flush by itself."""
    bits = np.ascontiguousarray(x).view(f"u{x.dtype.itemsize}")
    return bits << np.array(1, bits.dtype) == 0


def _normal() -> Array:
    return np.random.default_rng(0).standard_normal((BATCHES[-1], 777))
