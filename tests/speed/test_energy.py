"""Joules per call, on a simulated GPU whose clock, counter and power are known."""

import pynvml
import pytest

from bench.speed import energy as energies
from bench.speed.energy import energy


class Card:
    """A GPU with 200 W during an asynchronous call of 2 ms, and 50 W when idle."""

    WATTS, IDLE, CALL = 200.0, 50.0, 2e-3

    def __init__(self, monkeypatch, lacks=()):
        self.now, self.joules, self.pending, self.calls, self.longest = 0.0, 1e6, 0, 0, 0
        answers = {
            "nvmlInit": lambda: None,
            "nvmlShutdown": lambda: None,
            "nvmlDeviceGetHandleByIndex": lambda index: index,
            "nvmlDeviceGetTotalEnergyConsumption": lambda handle: round(1e3 * self.joules),
            "nvmlDeviceGetPowerUsage": lambda handle: round(
                1e3 * (self.WATTS if self.pending else self.IDLE)
            ),
        }
        for verb, answer in answers.items():
            monkeypatch.setattr(pynvml, verb, answer)
        for verb in lacks:
            monkeypatch.setattr(pynvml, verb, self._refuse)
        monkeypatch.setattr(energies, "perf_counter", lambda: self.now)
        monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)

    def _refuse(self, *_):
        raise pynvml.NVMLError_NotSupported

    def call(self):
        self.pending += 1
        self.calls += 1

    def wait(self, result):
        self.now += self.pending * self.CALL
        self.joules += self.pending * self.CALL * self.WATTS
        self.longest = max(self.longest, self.pending)
        self.pending = 0


def test_the_counter_says_the_joules_of_a_call(monkeypatch):
    card = Card(monkeypatch)
    found = energy(card.call, card.wait, seconds=3.0)
    assert found.source == "counter"
    assert found.joules == pytest.approx(0.4, rel=1e-4)
    assert found.seconds == pytest.approx(3.0, abs=0.1) and found.seconds >= 3.0
    assert found.calls == pytest.approx(found.seconds / card.CALL)


def test_without_a_counter_power_is_summed_while_the_card_works(monkeypatch):
    card = Card(monkeypatch, lacks=["nvmlDeviceGetTotalEnergyConsumption"])
    found = energy(card.call, card.wait, seconds=2.0)
    assert found.source == "power"
    assert found.joules == pytest.approx(0.4, rel=1e-6)


def test_the_window_begins_after_a_lead_under_load(monkeypatch):
    card = Card(monkeypatch)
    found = energy(card.call, card.wait, seconds=2.0)
    assert card.now - found.seconds == pytest.approx(energies.LEAD, abs=0.2)
    assert card.now - found.seconds >= energies.LEAD


def test_no_queue_grows_longer_than_a_block(monkeypatch):
    card = Card(monkeypatch)
    energy(card.call, card.wait, seconds=2.0)
    assert energies.BLOCK / card.CALL <= card.longest <= 2 * energies.BLOCK / card.CALL + 1


def test_a_call_longer_than_the_window_is_counted_once(monkeypatch):
    monkeypatch.setattr(Card, "CALL", 10.0)
    card = Card(monkeypatch)
    found = energy(card.call, card.wait, seconds=1.0)
    assert (found.calls, found.joules) == (1, pytest.approx(2000.0))


def test_a_card_that_says_neither_has_no_energy_and_is_not_called(monkeypatch):
    card = Card(monkeypatch, ["nvmlDeviceGetTotalEnergyConsumption", "nvmlDeviceGetPowerUsage"])
    assert energy(card.call, card.wait) is None
    assert card.calls == 0


def test_without_a_driver_there_is_no_energy(monkeypatch):
    card = Card(monkeypatch, ["nvmlInit"])
    assert energy(card.call, card.wait) is None
    assert card.calls == 0
