"""The machine and environment records, and their keys."""

import json
import platform
import subprocess
import sys
from types import SimpleNamespace

import pynvml
import pytest

from bench.machine import cpu
from bench.machine import records as machines
from bench.machine.gpus import gpus
from bench.machine.records import environment, installed, key, machine, name
from tests.cards import driver


def test_a_key_is_the_same_in_any_order_and_another_for_another_record():
    assert key({"a": 1, "b": [2]}) == key({"b": [2], "a": 1})
    assert key({"a": 1, "b": [2]}) != key({"a": 1, "b": [3]})
    assert len(key({})) == 8


def test_the_machine_record_is_the_same_twice_and_survives_json():
    first = machine()
    assert first == machine() == json.loads(json.dumps(first))
    assert first["cpu"] and first["usable"] >= 1 and first["memory_gib"] > 0


def test_the_records_name_neither_host_nor_paths():
    text = json.dumps([machine(), environment()])
    assert platform.node() not in text or len(platform.node()) < 4
    assert sys.prefix not in text


def test_the_environment_knows_versions_and_blas_and_imports_no_framework():
    code = (
        "import json, sys; from bench.machine.records import environment;"
        "print(json.dumps(environment({'x': 1})));"
        "assert not {'torch', 'tensorflow', 'keras', 'jax', 'flax', 'pandas'} & set(sys.modules)"
    )
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert answer.returncode == 0, answer.stderr
    found = json.loads(answer.stdout)
    assert found["packages"]["numpy"] and found["flags"] == {"x": 1}
    assert any(pool["user_api"] == "blas" for pool in found["pools"])


def test_only_variables_that_change_numbers_or_speed_are_recorded(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    monkeypatch.setenv("SECRET_TOKEN", "hush")
    found = environment()
    assert found["variables"]["OMP_NUM_THREADS"] == "7"
    assert "hush" not in json.dumps(found)


def test_a_package_that_is_not_installed_is_left_out():
    assert set(installed(["numpy", "no-such-package-here"])) == {"numpy"}


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        ({"cpu": "Intel(R) Xeon(R) Platinum 8375C CPU @ 2.90GHz"}, "intel-xeon-platinum-8375c"),
        ({"cpu": "AMD EPYC 7B13 64-Core Processor"}, "amd-epyc-7b13"),
        ({"cpu": "x", "gpus": [{"name": "NVIDIA H100 80GB HBM3"}]}, "nvidia-h100-80gb-hbm3"),
        ({"cpu": "../../etc; rm -rf"}, "etc-rm-rf"),
        ({"cpu": None, "gpus": "none"}, "unknown"),
        ({}, "unknown"),
    ],
)
def test_a_machine_is_named_after_its_gpu_or_cpu(record, expected):
    assert name(record) == expected


@pytest.fixture
def cpus(tmp_path, monkeypatch):
    """Linux's folder of two CPUs in two sockets."""
    files = {
        "cache/index0": {"level": "1", "type": "Data", "size": "32K"},
        "cache/index1": {"level": "1", "type": "Instruction", "size": "64K"},
        "cache/index2": {"level": "2", "type": "Unified", "size": "1M"},
        "cache/index3": {"level": "3", "type": "Unified", "size": "unknown"},
        "topology": {"physical_package_id": "0"},
        "cpufreq": {"scaling_governor": "performance", "cpuinfo_max_freq": "3500000"},
    }
    for number in range(2):
        for folder, texts in files.items():
            (tmp_path / f"cpu{number}" / folder).mkdir(parents=True)
            for file, text in texts.items():
                (tmp_path / f"cpu{number}" / folder / file).write_text(f"{text}\n")
    (tmp_path / "cpu1/topology/physical_package_id").write_text("1\n")
    (tmp_path / "cpu1/cpufreq/cpuinfo_max_freq").write_text("4000000\n")
    (tmp_path / "cpufreq").mkdir()  # a name that begins as that of a CPU does
    monkeypatch.setattr(cpu, "CPUS", tmp_path)
    return tmp_path


def test_sockets_caches_top_frequency_and_governor_are_recorded(cpus):
    found = machine()
    assert (found["sockets"], found["top_mhz"], found["governor"]) == (2, 4000, "performance")
    assert found["caches"] == {"L1d": 32 * 1024, "L1i": 64 * 1024, "L2": 1024 * 1024}


def test_governors_that_differ_are_all_named(cpus):
    (cpus / "cpu1/cpufreq/scaling_governor").write_text("powersave\n")
    assert machine()["governor"] == "performance, powersave"


def test_the_key_is_another_for_another_governor(cpus):
    before = key(machine())
    for file in cpus.glob("*/cpufreq/scaling_governor"):
        file.write_text("powersave\n")
    assert key(machine()) != before


@pytest.mark.parametrize("fault", [AttributeError, NotImplementedError, OSError])
def test_what_the_system_does_not_say_is_none(tmp_path, monkeypatch, fault):
    def refuse():
        raise fault

    monkeypatch.setattr(cpu, "CPUS", tmp_path / "nothing")
    monkeypatch.setattr("psutil.cpu_freq", refuse)
    found = machine()
    assert (found["sockets"], found["top_mhz"], found["governor"], found["caches"]) == (None, None, None, {})


def test_without_linux_files_the_library_knows_the_top_frequency(tmp_path, monkeypatch):
    monkeypatch.setattr(cpu, "CPUS", tmp_path / "nothing")
    monkeypatch.setattr("psutil.cpu_freq", lambda: SimpleNamespace(max=3200.0))
    assert machine()["top_mhz"] == 3200
    monkeypatch.setattr("psutil.cpu_freq", lambda: SimpleNamespace(max=0.0))
    assert machine()["top_mhz"] is None


def test_gpus_are_recorded_with_driver_capability_and_top_clocks(monkeypatch):
    driver(monkeypatch)
    assert gpus() == [
        {
            "name": f"Card {number}",
            "memory_gib": 80,
            "driver": "570.1",
            "capability": "9.0",
            "clocks": {"sm": 1980, "memory": 2619},
        }
        for number in (0, 1)
    ]


def test_what_a_card_does_not_say_is_none(monkeypatch):
    driver(monkeypatch, nvmlDeviceGetCudaComputeCapability=None, nvmlDeviceGetMemoryInfo=None)
    assert [(each["capability"], each["memory_gib"]) for each in gpus()] == [(None, None)] * 2


def test_no_driver_is_no_gpu(monkeypatch):
    def refuse():
        raise pynvml.NVMLError_LibraryNotFound

    monkeypatch.setattr(pynvml, "nvmlInit", refuse)
    assert gpus() == []


def test_a_cpu_that_nobody_can_read_still_has_a_record(monkeypatch):
    import cpuinfo

    monkeypatch.setattr(cpuinfo, "get_cpu_info", lambda: 1 / 0)
    monkeypatch.setattr(platform, "freedesktop_os_release", lambda: (_ for _ in ()).throw(OSError))
    found = machines.machine()
    assert found["cpu"] and found["vectors"] == [] and platform.system() in found["os"]
