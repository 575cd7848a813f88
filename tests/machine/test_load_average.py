"""The load of the machine at one time, and when it counts as busy."""

import json
import math
import os
import subprocess
import sys
from collections import namedtuple
from types import SimpleNamespace

import pynvml
import pytest

from bench.machine import load_average as moments
from bench.machine.load_average import busiest, busy, moment
from tests.cards import driver, process

Times = namedtuple("Times", "user system children_user children_system iowait")
OURS, CHILD, OTHER, KERNEL = 100, 101, 7, 2


class Machine:
    """psutil on a simulated machine with two cores, whose processes use CPU at given rates, and a clock."""

    def __init__(self, rates, hidden=0.0, stolen=0.0, swapped=0):
        self.rates, self.hidden, self.stolen, self.swapped = rates, hidden, stolen, swapped
        self.now = 1000.0

    def sleep(self, seconds):
        self.now += seconds

    def times(self, pid):
        rate = self.rates[pid]
        if rate is None:
            return None
        spent = rate * (self.now - 1000)
        # a child that has ended is its parent's: what it used before we looked is in both sums
        return Times(50 + spent / 2, 5 + spent / 2, 30.0, 3.0, 900 * self.now)

    def install(self, monkeypatch, cards=()):
        child = SimpleNamespace(pid=CHILD)
        mine = SimpleNamespace(pid=OURS, children=lambda recursive: [child] if recursive else [])
        processes = [SimpleNamespace(pid=pid, info={}) for pid in self.rates]

        def process_iter(names):
            for each in processes:
                each.info = {"cpu_times": self.times(each.pid)}
                yield each

        def cpu_times():
            passed = self.now - 1000
            used = self.hidden + sum(rate or 0 for pid, rate in self.rates.items() if pid)
            return SimpleNamespace(
                user=9e5 + used * passed, guest=9e5, idle=9e6 + passed, steal=self.stolen * passed
            )

        answers = {
            "Process": lambda: mine,
            "process_iter": process_iter,
            "cpu_times": cpu_times,
            "cpu_count": lambda: 2,
            "getloadavg": lambda: (1.236, 0.5, 0.25),
            "cpu_freq": lambda: SimpleNamespace(current=2596.1),
            "sensors_temperatures": lambda: {
                "k10temp": [SimpleNamespace(current=61.0), SimpleNamespace(current=65.5)],
                "nothing": [],
            },
            "virtual_memory": lambda: SimpleNamespace(available=6 * 2**30),
            "swap_memory": lambda: SimpleNamespace(
                used=2**29, sin=0, sout=int(self.swapped * (self.now - 1000))
            ),
        }
        for verb, answer in answers.items():
            monkeypatch.setattr(moments.psutil, verb, answer, raising=False)
        monkeypatch.setattr(moments.time, "sleep", self.sleep)
        monkeypatch.setattr(moments.time, "monotonic", lambda: self.now)
        if not cards:
            monkeypatch.setattr(moments, "working", lambda own=(): [])
        return self


def test_a_moment_tells_load_frequency_temperature_memory_and_swap(monkeypatch):
    Machine({OURS: 0.0}).install(monkeypatch)
    found = moment()
    assert found.pop("time").endswith("+00:00")
    assert found == {
        "load": [1.24, 0.5, 0.25],
        "cores": 2,
        "others_cores": 0.0,
        "others": 0,
        "stolen_cores": 0.0,
        "frequency_mhz": 2596,
        "temperatures": {"k10temp": 65.5},
        "available_gib": 6.0,
        "swap_gib": 0.5,
        "swapped_mib": 0.0,
        "gpus": [],
    }
    assert not busy(found)


def test_what_we_use_ourselves_is_not_others(monkeypatch):
    Machine({OURS: 1.0, CHILD: 0.9, OTHER: 0.05}).install(monkeypatch)
    found = moment()
    assert found["others_cores"] == pytest.approx(0.05) and found["others"] == 0
    assert not busy(found)


def test_others_are_summed_and_those_above_a_tenth_of_a_core_are_counted(monkeypatch):
    Machine({OURS: 0.0, OTHER: 0.9, KERNEL: 0.42, 8: 0.04, 9: 0.04}).install(monkeypatch)
    found = moment()
    assert found["others_cores"] == pytest.approx(1.4) and found["others"] == 2
    assert busy(found) == "busy: other processes use 1.4 of 2 cores"


def test_many_small_processes_are_as_busy_as_a_large_one(monkeypatch):
    Machine({pid: 0.02 for pid in range(1, 10)}).install(monkeypatch)
    found = moment()
    assert found["others"] == 0 and busy(found) == "busy: other processes use 0.2 of 2 cores"


def test_what_processes_that_we_may_not_see_use_is_counted(monkeypatch):
    Machine({OURS: 0.3, OTHER: None}, hidden=0.8).install(monkeypatch)
    assert moment()["others_cores"] == pytest.approx(0.8)


def test_a_system_that_hides_what_the_whole_machine_does_still_has_its_processes(monkeypatch):
    Machine({OURS: 0.0, OTHER: 0.7}, hidden=-0.7).install(monkeypatch)
    assert moment()["others_cores"] == pytest.approx(0.7)


def test_the_idle_process_of_windows_is_not_at_work(monkeypatch):
    Machine({0: 2.0, OURS: 0.0}).install(monkeypatch)
    assert moment()["others_cores"] == 0.0


def test_a_process_that_ends_meanwhile_does_not_count_backwards(monkeypatch):
    machine = Machine({OURS: 0.0, OTHER: 0.5, 8: 0.0}).install(monkeypatch)
    monkeypatch.setattr(moments.time, "sleep", lambda seconds: (machine.sleep(seconds), machine.rates.pop(8)))
    machine.times = lambda pid: Times(50 + machine.rates.get(pid, 0.0) * (machine.now - 1000), 0, 0, 0, 0)
    assert moment()["others_cores"] == pytest.approx(0.5)


def test_cores_that_the_host_withholds_and_swapping_are_busy(monkeypatch):
    Machine({OURS: 0.0}, stolen=0.3, swapped=50 * 2**20).install(monkeypatch)
    assert busy(moment()) == "busy: the host withholds 0.3 cores; memory is short, 25 MiB were swapped"


def test_a_system_that_says_little_still_has_a_moment(monkeypatch):
    Machine({OURS: 0.0}).install(monkeypatch)

    def refuse():
        raise NotImplementedError

    for verb in ("getloadavg", "cpu_freq", "swap_memory"):
        monkeypatch.setattr(moments.psutil, verb, refuse)
    monkeypatch.delattr(moments.psutil, "sensors_temperatures")
    found = moment()
    assert [found[name] for name in ("load", "frequency_mhz", "temperatures", "swap_gib")] == [None] * 4
    assert not busy(found)


def test_a_gpus_clocks_temperature_power_use_and_processes_are_told(monkeypatch):
    machine = Machine({OURS: 0.0}).install(monkeypatch, cards=(0, 1))
    held = [process(CHILD, 10), process(OTHER, 30), process(8, None)]
    driver(
        monkeypatch,
        nvmlDeviceGetComputeRunningProcesses=lambda card: held if card else [],
        nvmlDeviceGetGraphicsRunningProcesses=lambda card: held[1:2] if card else [],
        nvmlDeviceGetUtilizationRates=lambda card: SimpleNamespace(gpu=95),
    )
    first, second = (found := moment())["gpus"]
    alone = {"own": 0, "others": 0, "others_gib": 0.0}
    told = {"clocks": {"sm": 345, "memory": 2619}, "temperature": 31, "power_w": 70, "use": 0.95}
    assert first == {**told, "memory_gib": 80.0, **alone}
    assert second == {**first, "own": 1, "others": 2, "others_gib": 30.0}
    # on the second we are at work ourselves, and its use may be ours
    assert busy(found) == "busy: GPU 0: 95 % in use; GPU 1: 30.0 GiB held by 2 others"
    assert machine.now - 1000 == pytest.approx(moments.LONGER)


def test_a_screen_on_a_gpu_is_not_busy(monkeypatch):
    Machine({OURS: 0.0}).install(monkeypatch, cards=(0,))
    drawn = [process(OTHER, 0.5)]
    driver(monkeypatch, nvmlDeviceGetGraphicsRunningProcesses=lambda card: drawn)
    assert moment()["gpus"][0]["others"] == 1 and not busy(moment())


def test_a_gpu_that_says_nothing_has_a_moment(monkeypatch):
    Machine({OURS: 0.0}).install(monkeypatch, cards=(0,))
    silent = [verb for verb in dir(pynvml) if verb.startswith("nvmlDeviceGet")]
    kept = ("nvmlDeviceGetCount", "nvmlDeviceGetHandleByIndex")
    driver(monkeypatch, **{verb: None for verb in silent if verb not in kept})
    found = moment()
    assert found["gpus"][0]["use"] is None and found["gpus"][0]["clocks"] == {"sm": None, "memory": None}
    assert not busy(found)


def test_the_worst_of_several_looks_is_told_with_their_number():
    quiet, some = {"others_cores": 0.1, "cores": 8}, {"others_cores": 0.4, "cores": 8}
    worst = {"others_cores": 7.9, "cores": 8}
    assert busiest([quiet, some, worst, quiet]) == "at 2 of 4 looks: other processes use 7.9 of 8 cores"
    assert busiest([quiet, quiet]) == busiest([]) == ""


@pytest.mark.parametrize("value", [None, "9", [1], math.nan, math.inf, 10**400, {"a": 1}])
def test_what_a_stranger_wrote_is_quiet_or_a_number(value):
    names = ("others_cores", "cores", "stolen_cores", "swapped_mib", "gpus")
    card = dict.fromkeys(("use", "own", "others", "others_gib", "memory_gib"), value)
    assert busy(dict.fromkeys(names, value) | {"gpus": [card, value]}) == "" == busy({"gpus": value})


def test_a_real_process_is_ours_from_above_and_anothers_from_beside():
    look = """if True:
        import sys
        from bench.machine.load_average import _spent
        pid = int(sys.argv[1])
        before = _spent().others[pid]
        while _spent().others[pid] == before:
            pass
        """
    at_work = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    try:
        spent = moments._spent()
        subprocess.run([sys.executable, "-c", look, str(at_work.pid)], check=True, timeout=60)
    finally:
        at_work.kill()
        at_work.wait()
    assert at_work.pid in spent.pids and at_work.pid not in spent.others and spent.own > 0


def test_this_machine_has_a_moment_that_survives_json():
    found = moment()
    assert json.loads(json.dumps(found)) == found
    assert found["cores"] == os.cpu_count() and found["available_gib"] > 0 and found["others_cores"] >= 0
