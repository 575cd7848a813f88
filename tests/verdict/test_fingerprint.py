"""Fingerprints: a simulated device with a fault is probed, and the probe must name the fault."""

import io
import json
import operator

import numpy as np
import pytest
from rich.console import Console

from bench.backends import SHIPPED, Absent, backend
from bench.backends.numpy import NumPy
from bench.report.arithmetic import arithmetic
from bench.report.table import show
from bench.store.results import resume, start
from bench.store.rows import fingerprints
from bench.verdict.fingerprint import (
    BATCHES,
    LENGTHS,
    PLACE,
    accumulator,
    batches,
    fingerprint,
    flushed,
    multiplier,
    repeats,
)
from tests.rows import ENVIRONMENT, MACHINE

TINY = float(np.finfo(np.float32).tiny)


def to_bits(x, bits):
    """Round to that many significant bits, in the same dtype."""
    mantissa, exponent = np.frexp(np.asarray(x, np.float64))
    return np.ldexp(np.rint(mantissa * 2.0**bits), exponent - bits).astype(np.asarray(x).dtype)


def single(x):
    return np.asarray(x, np.float32)


def product(a, b):
    return single(a) @ single(b)


def tensor_core(a, b):
    """TF32: operands are rounded to 11 bits."""
    return to_bits(single(a), 11) @ to_bits(single(b), 11)


def split(a, b):
    """Operands in two parts of 8 bits: three products, and none of low by low."""
    a, b = single(a), single(b)
    (c, d), (e, f) = ((to_bits(x, 8), x - to_bits(x, 8)) for x in (a, b))
    return c @ e + c @ f + d @ e


def in_half(x):
    """Every partial sum is rounded to 11 bits."""
    total = np.zeros(len(x), np.float32)
    for column in single(x).T:
        total = to_bits(total + column, 11)
    return total


def blocked(x):
    """Sums of 512 in float32, which are themselves added in 8 bits."""
    total = np.zeros(len(x), np.float32)
    for first in range(0, x.shape[1], 512):
        total = to_bits(total + single(x)[:, first : first + 512].sum(1), 8)
    return total


def two_lanes(x):
    """A sum of every other term, twice."""
    return single(x)[:, ::2].sum(1) + single(x)[:, 1::2].sum(1)


def lanes(x):
    """Eight running sums, as in vector units, which are added as a tree."""
    held = np.zeros((len(x), 8), np.float32)
    padded = np.pad(single(x), ((0, 0), (0, -x.shape[1] % 8)))
    for first in range(0, padded.shape[1], 8):
        held += padded[:, first : first + 8]
    return (held[:, :4] + held[:, 4:]).sum(1)


def drop(x):
    return np.where(np.abs(x) < TINY, np.float32(0), single(x))


@pytest.mark.parametrize(("matmul", "bits"), [(product, 24), (tensor_core, 11), (split, 8)])
def test_the_ladder_of_integers_counts_the_bits_of_a_multiplier(matmul, bits):
    assert multiplier(matmul, "float32") == bits


@pytest.mark.parametrize("dtype", ["float64", "float16"])
def test_an_honest_multiplier_has_the_bits_of_its_dtype(dtype):
    assert multiplier(lambda a, b: a.astype(dtype) @ b.astype(dtype), dtype) == np.finfo(dtype).nmant + 1


@pytest.mark.parametrize(
    ("total", "bits"),
    [
        (lambda x: single(x).sum(1), [24, 24, 24]),
        (lambda x: x.sum(1), [53, 53, 53]),
        (in_half, [11, 11, 11]),
        (blocked, [24, 24, 8]),
        (lanes, [24, 24, 24]),
        (two_lanes, [24, 24, 24]),
    ],
)
def test_a_sum_says_what_it_accumulates_in_and_from_which_length(total, bits):
    assert list(accumulator(total, "float32").values()) == bits
    assert list(accumulator(total, "float32")) == [str(n) for n in LENGTHS]


def test_a_float16_sum_in_float32_is_told_from_one_in_float16():
    wide = accumulator(lambda x: single(x.astype(np.float16)).sum(1).astype(np.float16), "float16")
    narrow = accumulator(lambda x: in_half(x.astype(np.float16)), "float16")
    assert set(wide.values()) == {24} and set(narrow.values()) == {11}


@pytest.mark.parametrize(
    ("multiply", "sides"),
    [
        (lambda a, b: single(a) * single(b), []),
        (lambda a, b: drop(single(a) * single(b)), ["outputs"]),
        (lambda a, b: drop(a) * drop(b), ["inputs"]),
        (lambda a, b: drop(drop(a) @ drop(b)), ["inputs", "outputs"]),
    ],
)
def test_a_flush_to_zero_is_seen_on_either_side(multiply, sides):
    assert flushed(multiply, "float32") == sides


def test_what_differs_from_run_to_run_does_not_repeat():
    rng = np.random.default_rng(0)

    def shuffled(x):
        return single(x)[:, rng.permutation(x.shape[1])].sum(1)

    assert repeats(lambda x: single(x).sum(1), "float32") is True
    assert repeats(shuffled, "float32") is False


def test_a_kernel_that_goes_by_the_batch_is_named_with_its_sizes():
    def by_size(x):
        return single(x).sum(1) if len(x) > 7 else single(x)[:, ::-1].copy().sum(1)

    assert batches(lambda x: np.stack([row.sum() for row in single(x)]), "float32") == []
    assert batches(by_size, "float32") == [size for size in BATCHES if size <= 7]


class Faulty(NumPy):
    """NumPy whose matmul is TF32, and which has no kernel for sums."""

    name = "faulty"

    def operations(self):
        def refuse(x):
            raise NotImplementedError("sum is not implemented here")

        return {"multiply": operator.mul, "matmul": tensor_core, "sum": refuse}

    def lacks(self, error):
        return "not implemented" in str(error)


def test_a_backend_is_probed_through_its_own_verbs():
    found = fingerprint(Faulty("cpu", "float32"), "eager")
    assert [found[name] for name in PLACE] == ["faulty", "eager", "cpu", "float32"]
    assert found["multiplier"] == {"matmul": 11}
    assert found["accumulator"]["sum"] == "absent: NotImplementedError: sum is not implemented here"
    assert found == json.loads(json.dumps(found))


def test_an_error_that_is_no_missing_kernel_is_an_error():
    class Broken(Faulty):
        def lacks(self, error):
            return False

    found = fingerprint(Broken("cpu", "float32"), "eager")
    assert found["error"] == "NotImplementedError: sum is not implemented here"


@pytest.mark.parametrize("name", SHIPPED)
def test_every_shipped_backend_has_a_fingerprint(name):
    try:
        backend(name).installed()
    except Absent as reason:
        pytest.skip(str(reason))
    found = fingerprint(backend(name)("cpu", "float32"), backend(name).modes[0])
    assert "error" not in found
    assert found["multiplier"] == {"matmul": 24}
    assert found["accumulator"]["matmul"].keys() == {str(n) for n in LENGTHS}
    assert min(found["accumulator"]["matmul"].values()) >= 24


def record(**other):
    usual = {"backend": "torch", "mode": "eager", "device": "cpu", "dtype": "float32", "version": "2.13"}
    probes = {
        "multiplier": {"matmul": 24},
        "accumulator": {"matmul": {"3": 24, "64": 24}, "sum": {"3": 24, "64": 24}},
        "flushed": {"multiply": [], "matmul": []},
        "repeats": {"matmul": True, "sum": True},
        "batches": {"matmul": [], "sum": []},
    }
    return {**usual, **probes, **other}


def line(**other):
    (table,) = arithmetic([record(**other)])
    return dict(zip(table.columns, table.rows[0], strict=True))


def test_the_table_says_once_what_holds_for_all_and_by_name_what_does_not():
    usual = line()
    assert list(usual.values()) == ["torch", "eager", "float32", "24", "24", "kept", "same", "same"]
    odd = line(
        accumulator={"matmul": {"3": 24, "64": 8}, "sum": {"3": 11, "64": 11}},
        flushed={"multiply": [], "matmul": ["inputs", "outputs"]},
        repeats={"matmul": True, "sum": False},
        batches={"matmul": [1, 7], "sum": [], "softmax": "absent: no such kernel"},
        device="gpu",
    )
    assert odd["backend"] == "torch gpu"
    assert odd["accumulator"] == "matmul 24, 8 from 64\nsum 11"
    assert odd["subnormals"] == "matmul inputs, outputs flushed"
    assert odd["run to run"] == "sum differs"
    assert odd["batch size"] == "matmul 1, 7\nsoftmax absent"


def test_an_error_stands_in_the_table_and_no_fingerprint_is_no_table():
    failed = {**{name: record()[name] for name in PLACE}, "error": "RuntimeError: out of order"}
    (table,) = arithmetic([failed])
    assert "error: RuntimeError: out of order" in table.rows[0]
    assert arithmetic([]) == []
    text = io.StringIO()
    show(arithmetic([record(), record(), failed]), Console(file=text, width=100))
    assert text.getvalue().count("float32") == 2


def test_fingerprints_lie_beside_the_rows_and_a_cut_off_one_is_taken_again(tmp_path):
    run = start(tmp_path, MACHINE, ENVIRONMENT)
    run.fingerprint(record())
    assert fingerprints(run.folder) == [record()]
    with (run.folder / "fingerprints.jsonl").open("a") as file:
        file.write('{"backend": "ja')
    resume(run.folder)
    assert fingerprints(run.folder) == [record()]
