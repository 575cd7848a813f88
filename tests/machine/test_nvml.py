"""Which of the driver's GPUs is a CUDA device."""

from types import SimpleNamespace

import pynvml
import pytest

from bench.machine import nvml
from tests.cards import driver as driver_of


@pytest.fixture
def driver(monkeypatch):
    """Two cards; every start is matched by an end."""
    running = []

    def by_index(index):
        if index > 1:
            raise pynvml.NVMLError_InvalidArgument
        return f"card {index}"

    monkeypatch.setattr(pynvml, "nvmlInit", lambda: running.append(1))
    monkeypatch.setattr(pynvml, "nvmlShutdown", running.pop)
    monkeypatch.setattr(pynvml, "nvmlDeviceGetHandleByIndex", by_index)
    monkeypatch.setattr(pynvml, "nvmlDeviceGetHandleByUUID", lambda name: f"card {name}")
    yield running
    assert not running


@pytest.mark.parametrize(
    ("visible", "index", "card"),
    [
        (None, 1, "card 1"),
        ("1", 0, "card 1"),
        ("1,0", 1, "card 0"),
        ("GPU-8932f937", 0, "card GPU-8932f937"),
        ("", 0, None),
        ("-1", 0, None),
        ("0", 1, None),
        (None, 2, None),
    ],
)
def test_the_card_is_the_one_that_the_framework_sees(driver, monkeypatch, visible, index, card):
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    if visible is not None:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    with nvml.card(index) as found:
        assert found == (None if card is None else (pynvml, card))
        assert driver


def test_the_driver_is_left_when_its_reader_fails(driver):
    with pytest.raises(ZeroDivisionError), nvml.card():
        raise ZeroDivisionError


def test_without_a_driver_there_is_no_card(monkeypatch):
    def refuse():
        raise pynvml.NVMLError_LibraryNotFound

    monkeypatch.setattr(pynvml, "nvmlInit", refuse)
    with nvml.card() as found:
        assert found is None


@pytest.fixture
def watched(monkeypatch):
    """A driver that is asked afresh."""
    nvml.watch.cache_clear()
    yield monkeypatch
    nvml.watch.cache_clear()


def test_a_look_under_load_tells_clock_power_and_what_holds_the_clock_down(watched):
    driver_of(watched, nvmlDeviceGetCurrentClocksEventReasons=lambda card: 0x1 | 0x4 | 0x40)
    assert nvml.watch()() == nvml.Load(345, 70.4, "power cap, hardware thermal slowdown")


def test_an_older_driver_is_asked_by_its_older_name(watched):
    older = {"nvmlDeviceGetCurrentClocksThrottleReasons": lambda card: 0x8}
    driver_of(watched, nvmlDeviceGetCurrentClocksEventReasons=None, **older)
    assert nvml.watch()().throttled == "hardware slowdown"
    driver_of(watched, nvmlDeviceGetPowerUsage=None, nvmlDeviceGetCurrentClocksEventReasons=lambda card: 0)
    assert nvml.watch()() == nvml.Load(345, None, "")


def test_without_a_driver_nobody_looks(watched):
    def refuse():
        raise pynvml.NVMLError_LibraryNotFound

    watched.setattr(pynvml, "nvmlInit", refuse)
    assert nvml.watch()() == nvml.Load()
    assert nvml.free_bytes() is None


def test_free_memory_is_that_of_the_card(driver, monkeypatch):
    monkeypatch.setattr(pynvml, "nvmlDeviceGetMemoryInfo", lambda card: SimpleNamespace(free=7))
    assert nvml.free_bytes() == 7
