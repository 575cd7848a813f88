"""Peak memory of a call, tested with known allocations."""

import gc
import sys
import time
from types import SimpleNamespace

import numpy as np
import pynvml
import pytest

from bench.backends import Absent, backend
from bench.speed import memory as memories
from bench.speed.memory import Memory, held, memory, peak

MIB = 2**20
X = np.ones(16 * MIB, np.float32)  # 64 MiB
linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux has such a count")


@pytest.fixture(params=["numpy", "torch", "tensorflow", "jax"])
def engine(request):
    found = backend(request.param)
    try:
        found.installed()
    except Absent as reason:
        pytest.skip(str(reason))
    return found("cpu", "float32")


def waited(result):
    """A wait for calls that are complete when they return."""


@linux
def test_the_peak_of_every_framework_is_what_its_call_allocates(engine):
    x = engine.put({"x": X})["x"]
    double, nothing = lambda: x + x, lambda: x
    for _ in range(2):
        engine.wait(double())
    assert memory(engine, double).host == pytest.approx(64 * MIB, rel=0.03)
    assert memory(engine, nothing).host <= MIB / 4


@linux
def test_what_is_freed_before_the_call_ends_is_part_of_its_peak():
    assert peak(lambda: (np.ones(8 * MIB), np.ones(8 * MIB)), waited) == pytest.approx(128 * MIB, rel=0.03)
    assert peak(lambda: float((X + X).sum()), waited) == pytest.approx(64 * MIB, rel=0.03)


@linux
def test_memory_that_glibc_keeps_hides_nothing():
    small = [b"1" * 100_000 for _ in range(700)]  # below what is given back to the system at once
    pin = b"1" * 100_000
    del small
    assert peak(lambda: [b"1" * 100_000 for _ in range(600)], waited) > 55 * MIB
    assert pin


@linux
def test_the_result_is_waited_for():
    late = []
    assert peak(lambda: late.clear(), lambda _: late.append(np.ones(8 * MIB))) > 60 * MIB


@linux
def test_garbage_of_before_does_not_pay_for_the_call():
    def litter():
        cycle = [np.ones(8 * MIB)]
        cycle.append(cycle)

    def call():
        if gc.isenabled():
            gc.collect()  # as happens at any allocation
        litter()

    litter()
    assert peak(call, waited) == pytest.approx(64 * MIB, rel=0.03)
    gc.collect()
    assert gc.isenabled()


@linux
def test_a_run_that_gives_nothing_back_is_looked_at_twice_and_not_kept_waiting(monkeypatch):
    looks, sleep = [], time.sleep
    monkeypatch.setattr(memories.time, "sleep", lambda seconds: looks.append(seconds) or sleep(seconds))
    found = []
    for _ in range(5):  # another thread may give something back meanwhile
        looks.clear()
        peak(lambda: None, waited)
        found.append(list(looks))
    assert [memories.SETTLING] * 2 in found  # once in each of the two runs


def test_memory_that_is_given_back_late_is_awaited(monkeypatch):
    seen = iter([900, 500, 300, 300, 100])
    monkeypatch.setattr(memories, "_trimmed", lambda: next(seen))
    memories._settle()
    assert list(seen) == [100]


@pytest.mark.parametrize("lacking", ["clear_refs", "status", "VmHWM"])
def test_a_system_without_the_count_has_no_peak(monkeypatch, tmp_path, lacking):
    for name in {"clear_refs", "status"} - {lacking}:
        (tmp_path / name).write_text("VmRSS:\t  100 kB\n" + "VmHWM:\t  100 kB\n" * (lacking != "VmHWM"))
    if lacking == "clear_refs":
        (tmp_path / lacking).mkdir()  # cannot be written to
    monkeypatch.setattr(memories, "SELF", tmp_path)
    assert peak(lambda: None, waited) is None
    assert gc.isenabled()


def test_a_call_that_raises_is_heard_and_garbage_is_collected_again():
    with pytest.raises(ZeroDivisionError):
        peak(lambda: 1 / 0, waited)
    assert gc.isenabled()


# ---- devices and driver ----


def test_a_frameworks_own_count_says_more_on_a_cpu_and_stands_apart_on_a_gpu(monkeypatch):
    monkeypatch.setattr(memories, "peak", lambda call, wait: 10)
    monkeypatch.setattr(memories, "held", lambda: 900)
    engine = SimpleNamespace(device="cpu", wait=waited, device_peak=lambda call: 64)
    assert memory(engine, lambda: None) == Memory(64, None, None)
    engine.device_peak = lambda call: None
    assert memory(engine, lambda: None) == Memory(10, None, None)
    monkeypatch.setattr(memories, "peak", lambda call, wait: None)
    assert memory(engine, lambda: None) == Memory(None, None, None)
    engine.device, engine.device_peak = "gpu", lambda call: 64
    assert memory(engine, lambda: None) == Memory(None, 64, 900)


def test_the_driver_says_what_this_process_holds(monkeypatch):
    import os

    mine = SimpleNamespace(pid=os.getpid(), usedGpuMemory=500 * MIB)
    running = [SimpleNamespace(pid=os.getpid() + 1, usedGpuMemory=7), mine]
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    for verb in ("nvmlInit", "nvmlShutdown"):
        monkeypatch.setattr(pynvml, verb, lambda: None)
    monkeypatch.setattr(pynvml, "nvmlDeviceGetHandleByIndex", lambda index: index)
    monkeypatch.setattr(pynvml, "nvmlDeviceGetComputeRunningProcesses", lambda handle: running)
    assert held() == 500 * MIB
    running.remove(mine)
    assert held() is None

    def refuse(*_):
        raise pynvml.NVMLError_NotSupported

    monkeypatch.setattr(pynvml, "nvmlDeviceGetComputeRunningProcesses", refuse)
    assert held() is None
    monkeypatch.setattr(pynvml, "nvmlInit", refuse)
    assert held() is None
