"""Which of the driver's cards is CUDA's."""

import pynvml
import pytest

from bench.machine import nvml


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
