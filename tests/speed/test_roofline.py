"""The roofline: peaks of an engine with known rates are measured, and a speed above the roof is an error."""

import io
import json
import math

import numpy as np
import pytest
from rich.console import Console

from bench.backends import SHIPPED, TF32, Absent, backend
from bench.backends.numpy import NumPy
from bench.machine.caches import last_level
from bench.report.roofs import roofs
from bench.report.table import show
from bench.report.write import text
from bench.run.session import Session
from bench.speed import peaks
from bench.speed.peaks import PART, measure
from bench.speed.roofline import Roof, impossible, roof, share
from bench.store.results import resume, start
from bench.store.rows import roofs as read
from tests.rows import ENVIRONMENT, MACHINE, row

SMALL = 2**18  # bytes of a cache, so that the streams are short
CACHE = 2**20
KNOWN = Roof(flops_per_s=100e9, bytes_per_s=10e9, cache_bytes=CACHE)
LARGE = 10**9  # bytes, above four times that cache
TICK = 1e-4  # seconds


class Known(NumPy):
    """An engine that works only while it is waited for, at known rates, with a simulated clock."""

    name = "known"
    now, queue = 0.0, 0.0
    copies, triads, reads = 8e9, 12e9, 20e9  # bytes a second

    def rate(self, size):
        """Flops a second, best at 1024."""
        return {512: 50e9, 1024: 80e9}.get(size, 40e9)

    def operations(self):
        def cost(seconds, answer):
            Known.queue += seconds
            return answer

        return {
            "matmul": lambda a, b: cost(2 * len(a) ** 3 / self.rate(len(a)), a),
            "copy": lambda x: cost(2 * x.nbytes / self.copies, x),
            "triad": lambda b, c: cost(3 * b.nbytes / self.triads, b),
            "sum": lambda x: cost(x.nbytes / self.reads, x),
        }

    @classmethod
    def read(cls):
        """The time; reading it advances it, so that a call that does not wait ends too."""
        Known.now += TICK
        return Known.now

    def wait(self, tree):
        Known.now, Known.queue = Known.now + Known.queue, 0.0


@pytest.fixture(autouse=True)
def simulated(monkeypatch, request):
    if "known" in request.fixturenames:
        monkeypatch.setattr(Known, "now", 0.0)
        monkeypatch.setattr(peaks, "clock", Known.read)


@pytest.fixture
def known():
    return Known


def test_the_rates_of_an_engine_that_works_when_it_is_waited_for_are_found(known):
    found = measure(known("cpu", "float32"), SMALL)
    assert found["flops_per_s"] == pytest.approx(80e9, rel=0.03)
    rates = [found[f"{name}_bytes_per_s"] for name in ("copy", "triad", "read")]
    assert rates == pytest.approx([8e9, 12e9, 20e9], rel=0.03)
    assert found == json.loads(json.dumps(found))
    assert found["array_bytes"] > 4 * SMALL == 4 * found["cache_bytes"]


def test_a_machine_that_stops_for_a_moment_does_not_set_the_roof(known, monkeypatch):
    waits, wait = [], Known.wait

    def stopped(self, tree):
        waits.append(0)
        Known.now += 0.3 * (len(waits) == 2)  # in the first sample: the call before it is no sample
        wait(self, tree)

    monkeypatch.setattr(known, "wait", stopped)
    assert measure(known("cpu", "float32"), SMALL)["flops_per_s"] == pytest.approx(80e9, rel=0.03)


def test_a_product_that_would_take_long_is_not_tried_and_a_fast_device_gets_the_largest(known, monkeypatch):
    assert measure(known("cpu", "float32"), SMALL)["sizes"] == [128, 256, 512, 1024, 2048]
    monkeypatch.setattr(known, "rate", lambda self, size: 2e8)
    assert measure(known("cpu", "float32"), SMALL)["sizes"] == [128, 256]
    monkeypatch.setattr(peaks, "SIZES", (64, 128, 256, 512))
    monkeypatch.setattr(known, "rate", lambda self, size: 60e12)
    assert measure(known("cpu", "float32"), SMALL)["sizes"] == [64, 128, 256, 512]
    assert measure(known("gpu", "float32"), SMALL)["sizes"] == [128, 256, 512]


def test_a_stream_that_would_take_long_is_no_stream(known, monkeypatch):
    monkeypatch.setattr(known, "triads", 1e6)
    found = measure(known("cpu", "float32"), SMALL)
    assert found["triad_bytes_per_s"] is None and found["copy_bytes_per_s"]
    assert known.now < 3


def test_a_missing_kernel_is_no_figure_and_an_error_keeps_what_was_found(known, monkeypatch):
    def without(name, error):
        def operations(self):
            def refuse(*arrays):
                raise error

            return {**usual(self), name: refuse}

        usual = Known.operations
        return type("Without", (known,), {"operations": operations})("cpu", "float32")

    lacking = measure(without("matmul", TypeError("array type float32 is unsupported")), SMALL)
    assert lacking["flops_per_s"] is None and lacking["copy_bytes_per_s"] and "error" not in lacking
    absent = measure(without("copy", Absent("no copy here")), SMALL)
    assert absent["copy_bytes_per_s"] is None and absent["flops_per_s"] and "error" not in absent
    broken = measure(without("copy", RuntimeError("out of order")), SMALL)
    assert broken["error"] == "RuntimeError: out of order" and broken["flops_per_s"]


@pytest.mark.parametrize("name", SHIPPED)
def test_every_shipped_backend_reaches_something(name, monkeypatch):
    try:
        backend(name).installed()
    except Absent as reason:
        pytest.skip(str(reason))
    monkeypatch.setattr(peaks, "SIZES", (128,))
    monkeypatch.setattr(peaks, "BUDGET", 0.01)
    monkeypatch.setattr(peaks, "SLOW", 60.0)  # other tests may run beside this one
    found = measure(backend(name)("cpu", "float32"), SMALL)
    assert "error" not in found
    rates = [found[f"{each}_per_s"] for each in ("flops", "copy_bytes", "triad_bytes", "read_bytes")]
    assert all(1e7 < rate < 1e14 for rate in rates), found


@pytest.mark.parametrize("name", SHIPPED)
def test_the_streams_of_a_backend_copy_and_add(name):
    try:
        backend(name).installed()
    except Absent as reason:
        pytest.skip(str(reason))
    engine = backend(name)("cpu", "float32")
    b, c = np.arange(6, dtype=np.float32).reshape(2, 3), np.ones((2, 3), np.float32)
    given, verbs = engine.put({"b": b, "c": c}), engine.operations()
    for _ in range(2):  # the second writes where the first did
        copied = verbs["copy"](given["b"])
        assert copied is not given["b"] and np.array_equal(np.abs(engine.get({"y": copied})["y"]), b)
        assert np.array_equal(engine.get({"y": verbs["triad"](given["b"], given["c"])})["y"], b + 2)
    assert np.array_equal(engine.get(given)["b"], b)


def test_the_product_of_onnxruntime_is_its_own():
    try:
        backend("onnxruntime").installed()
    except Absent as reason:
        pytest.skip(str(reason))
    engine = backend("onnxruntime")("cpu", "float32")
    a = np.arange(6, dtype=np.float32).reshape(2, 3)
    product = engine.operations()["matmul"]
    assert np.array_equal(product(a, a.T.copy()), a @ a.T)
    made = engine.made
    product(a, a.T.copy())
    assert made is not None and engine.made is made


def test_a_dtype_without_fast_kernels_is_measured_with_small_products():
    found = measure(NumPy("cpu", "float16"), SMALL)
    assert found["flops_per_s"] and max(found["sizes"]) <= 1024


def test_the_last_level_is_added_over_groups_of_cores(tmp_path):
    for core, level, size, shared in (
        ("cpu0", 2, "1024K", "0"),
        ("cpu0", 3, "32768K", "0-1"),
        ("cpu1", 3, "32768K", "0-1"),
        ("cpu2", 3, "16M", "2-3"),
        ("cpu3", 3, "512", "9"),
    ):
        folder = tmp_path / core / "cache" / f"index{level}"
        folder.mkdir(parents=True)
        for name, value in (("level", level), ("size", size), ("shared_cpu_list", shared)):
            (folder / name).write_text(f"{value}\n")
    assert last_level("cpu", tmp_path) == 48 * 2**20 + 512
    assert last_level("cpu", tmp_path / "nowhere") == 64 * 2**20


class Cuda:
    """CUDA's library, with a device or without one."""

    def __init__(self, started=0):
        self.cuInit = lambda flags: started

    def cuDeviceGet(self, device, number):
        return 0

    def cuDeviceGetAttribute(self, found, attribute, device):
        found._obj.value = 50 * 2**20 if attribute == 38 else 7
        return 0


@pytest.mark.parametrize(
    ("library", "size"), [(Cuda(), 50), (Cuda(started=100), 128), (object(), 128), (None, 128)]
)
def test_a_gpu_tells_its_cache_through_cuda_and_else_the_largest_is_assumed(monkeypatch, library, size):
    def load(name):
        if library is None:
            raise OSError(name)
        return library

    monkeypatch.setattr("ctypes.CDLL", load)
    last_level.cache_clear()
    assert last_level("gpu") == size * 2**20
    last_level.cache_clear()


def test_streams_of_a_gpu_are_as_long_as_its_memory_allows_and_made_there(known, monkeypatch):
    made = []

    def tile(x, times):
        made.append(times)
        return np.tile(x, (times, 1))

    usual = known.operations
    monkeypatch.setattr(known, "operations", lambda self: {**usual(self), "tile": tile})
    monkeypatch.setattr("bench.speed.peaks.nvml.free_bytes", lambda: 16 * 2**24)
    found = measure(known("gpu", "float32"), SMALL)
    assert 2**24 <= found["array_bytes"] < 1.3 * 2**24 and made == [PART, PART]
    assert found["copy_bytes_per_s"] == pytest.approx(8e9, rel=0.03)
    monkeypatch.setattr("bench.speed.peaks.nvml.free_bytes", lambda: None)
    assert measure(known("gpu", "float32"), SMALL)["array_bytes"] < 2**22


def record(**other):
    usual = {"backend": "torch", "version": "2.13", "device": "cpu", "dtype": "float32", "threads": 2}
    rates = {"flops_per_s": 2e11, "copy_bytes_per_s": 1e10, "triad_bytes_per_s": 9e9, "read_bytes_per_s": 8e9}
    return {**usual, **rates, **other}


def test_the_roof_is_the_best_of_all_on_that_device_with_so_many_threads():
    found = [
        record(),
        record(backend="jax", flops_per_s=1e11, triad_bytes_per_s=3e10),
        record(threads=1, flops_per_s=9e12, copy_bytes_per_s=9e12),
        record(device="gpu", threads=None, flops_per_s=6e13, copy_bytes_per_s=3e12),
    ]
    assert roof(found, "cpu", "float32", 2) == Roof(2e11, 3e10)
    assert roof(found, "cpu", "float32", 1) == Roof(9e12, 9e12)
    assert roof(found, "gpu", "float32", 16) == Roof(6e13, 3e12)
    assert roof(found, "cpu", "float32", 4) is None and roof([], "cpu", "float32", 2) is None


def test_a_wider_dtype_counts_for_products_and_every_dtype_for_memory():
    slow = record(dtype="float16", flops_per_s=1e9, copy_bytes_per_s=2e10)
    assert roof([slow, record()], "cpu", "float16", 2) == Roof(2e11, 2e10)
    assert roof([record()], "cpu", "float64", 2) == Roof(math.inf, 1e10)
    assert roof([slow], "cpu", "bfloat16", 2) == Roof(math.inf, 2e10)


def test_what_others_wrote_in_place_of_a_rate_is_none():
    odd = record(
        flops_per_s="fast", copy_bytes_per_s=math.nan, triad_bytes_per_s=-1, read_bytes_per_s=10**400
    )
    assert roof([odd], "cpu", "float32", 2) is None
    assert roofs([odd, {}, {"machine": [], "dtype": {}, "threads": []}])


@pytest.mark.parametrize(
    ("flops", "bytes", "expected"), [(50e9, 0, 0.5), (1e9, 5e9, 0.5), (100e9, 1e9, 1.0), (0, 20e9, 2.0)]
)
def test_the_share_is_that_of_the_limit_that_binds(flops, bytes, expected):
    assert share(KNOWN, flops, bytes, 1.0) == pytest.approx(expected)
    assert share(KNOWN, flops, bytes, 2.0) == pytest.approx(expected / 2)


def test_flops_above_105_percent_of_the_peak_are_impossible_unless_fewer_are_declared():
    assert impossible(KNOWN, 104e9, 0, 1.0) == ""
    assert impossible(KNOWN, 106e9, 0, 1.0) == (
        "speed: got 106 GFLOP/s, 106% of the roofline of this session, should be at most 105% of 100 GFLOP/s"
    )
    assert impossible(KNOWN, 106e9, 0, 1.0, fewer=True) == ""


def test_bandwidth_above_105_percent_is_impossible_for_data_that_no_cache_holds():
    assert impossible(KNOWN, 0, LARGE, LARGE / 10.4e9) == ""
    assert "got 10.6 GB/s, 106%" in impossible(KNOWN, 0, LARGE, LARGE / 10.6e9)
    assert impossible(KNOWN, 0, LARGE, LARGE / 10.6e9, fewer=True)
    assert impossible(KNOWN, 0, 4 * CACHE, 4 * CACHE / 1e12) == ""
    assert impossible(KNOWN, 0, 4 * CACHE + 1, 4 * CACHE / 1e12)


def test_nothing_is_impossible_under_a_roof_that_nobody_measured():
    assert impossible(Roof(math.inf, math.inf), 1e30, 1e30, 1.0) == ""


def test_the_table_says_the_best_and_whose_it_is():
    found = [
        record(),
        record(backend="jax", copy_bytes_per_s=1.2e10),
        record(dtype="float64", error="broken"),
    ]
    (table,) = roofs(found)
    assert table.rows[0] == ("cpu", "float32", "2", "200 torch", "12 jax", "9.0 torch", "8.0 torch")
    assert len(table.rows) == 2 and table.note.endswith("torch float64: broken")
    printed = io.StringIO()
    show([table], Console(file=printed, width=100))
    assert max(map(len, printed.getvalue().splitlines())) <= 100 and roofs([]) == []


def test_machines_are_not_mixed():
    (table,) = roofs([record(machine="aaaaaaaa"), record(machine="bbbbbbbb", flops_per_s=1e12)])
    assert [line[:5] for line in table.rows] == [
        ("aaaaaaaa", "cpu", "float32", "2", "200 torch"),
        ("bbbbbbbb", "cpu", "float32", "2", "1000 torch"),
    ]


def test_roofs_lie_beside_the_rows_a_cut_off_one_falls_and_the_report_shows_them(tmp_path):
    run = start(tmp_path, MACHINE, ENVIRONMENT)
    run.append(row())
    run.roof(record())
    written = [{"machine": run.machine, **record()}]
    assert read(run.folder) == read(run.folder / "rows.jsonl") == written
    with (run.folder / "roofs.jsonl").open("a") as file:
        file.write('{"backend": "ja')
    resume(run.folder)
    assert (run.folder / "roofs.jsonl").read_bytes().endswith(b"\n") and read(run.folder) == written
    assert "## Roofline" in text([run.folder]) and "200 torch" in text([run.folder])


def test_products_that_round_their_factors_have_a_roof_of_their_own(known, monkeypatch):
    """It is not a roof for float32, but it is one for dtypes with fewer bits."""

    def forward(self, run, mode):
        def call(params, data):
            before = Known.queue
            result = run(params, **data)
            Known.queue = before + (Known.queue - before) / (4 if mode == TF32 else 1)
            return result

        return call

    monkeypatch.setattr(Known, "forward", forward)
    usual, rounding = (measure(known("gpu", "float32"), SMALL, mode) for mode in ("eager", TF32))
    assert (usual["dtype"], rounding["dtype"]) == ("float32", TF32)
    assert rounding["flops_per_s"] == pytest.approx(4 * usual["flops_per_s"], rel=0.05)

    session = object.__new__(Session)
    session._roofs = [usual, rounding]
    peak = lambda **other: session._roof(row(device="gpu", **other)).flops_per_s  # noqa: E731
    assert peak(mode="eager") == usual["flops_per_s"]
    assert peak(mode=TF32) == peak(dtype="bfloat16") == rounding["flops_per_s"]
