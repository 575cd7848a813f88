"""The machine and environment records, and their keys."""

import json
import platform
import subprocess
import sys
from types import SimpleNamespace

import pynvml
import pytest

from bench.machine import cpu
from bench.machine import host as hosts
from bench.machine import records as machines
from bench.machine.gpus import gpus
from bench.machine.records import environment, installed, key, machine, name
from bench.machine.variables import hashed
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


def test_sockets_caches_frequencies_and_governor_are_recorded(cpus):
    found = machine()
    assert (found["sockets"], found["top_mhz"], found["governor"]) == (2, 4000, "performance")
    assert found["base_mhz"] is None
    (cpus / "cpu1/cpufreq/base_frequency").write_text("2500000\n")
    assert machine()["base_mhz"] == 2500
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


def test_gpus_are_recorded_with_what_they_are_and_how_they_are_set(monkeypatch):
    driver(monkeypatch)
    assert "12345678" not in json.dumps(gpus())
    assert gpus() == [
        {
            "name": f"Card {number}",
            "memory_gib": 80,
            "uuid": hashed(f"GPU-{number}2345678-1234"),
            "driver": "570.1",
            "cuda": "12.8",
            "capability": "9.0",
            "clocks": {"sm": 1980, "memory": 2619},
            "power_limit_w": 700,
            "ecc": True,
            "mig": False,
            "persistence": True,
        }
        for number in (0, 1)
    ]


def test_what_a_card_does_not_say_is_none(monkeypatch):
    verbs = {name for name in vars(pynvml) if name.startswith(("nvmlDeviceGet", "nvmlSystemGet"))}
    kept = ("nvmlDeviceGetCount", "nvmlDeviceGetHandleByIndex", "nvmlDeviceGetName")
    driver(monkeypatch, **dict.fromkeys(verbs.difference(kept)))
    for number, each in enumerate(gpus()):
        clocks = {"sm": None, "memory": None}
        assert each == {**dict.fromkeys(each), "name": f"Card {number}", "clocks": clocks}


def test_the_key_is_another_for_a_card_that_is_set_otherwise(monkeypatch):
    keys = []
    for power in (700_000, 700_000, 350_000):
        driver(monkeypatch, nvmlDeviceGetEnforcedPowerLimit=lambda card, power=power: power)
        keys.append(key(machine()))
    assert keys[0] == keys[1] != keys[2]


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


def test_the_model_and_the_instructions_are_those_of_the_kernel(monkeypatch):
    import cpuinfo

    flags = ["fpu", "sse4_2", "f16c", "avx2", "avx_vnni", "avx512_vnni", "amx_bf16", "hypervisor"]
    told = {"brand_raw": "Acme", "vendor_id_raw": "AcmeInc", "family": 6, "model": 106, "stepping": 6}
    monkeypatch.setattr(cpuinfo, "get_cpu_info", lambda: {**told, "flags": flags, "hz_actual": (1, 0)})
    found = machine()
    assert [found[name] for name in ("cpu", "vendor", "family", "model", "stepping")] == [*told.values()]
    assert found["vectors"] == flags[1:-1]


SAYS = """
Virtualization features:
  Hypervisor vendor:     KVM
  Virtualization type:   full
"""


@pytest.fixture
def board(tmp_path, monkeypatch):
    """Linux's folders of a board and of two NUMA nodes, and an lscpu."""
    for file, text in (
        ("sys_vendor", "Amazon EC2\n"),
        ("product_name", "m5.large\n"),
        ("product_serial", "ec2x"),
    ):
        (tmp_path / file).write_text(text)
    for node in ("node0", "node1", "power"):
        (tmp_path / node).mkdir()
    monkeypatch.setattr(hosts, "DMI", tmp_path)
    monkeypatch.setattr(hosts, "NODES", tmp_path)
    monkeypatch.setattr(subprocess, "run", lambda *command, **how: SimpleNamespace(stdout=SAYS))
    return tmp_path


def test_maker_product_hypervisor_and_nodes_are_recorded_and_no_serial_number(board):
    found = hosts.host()
    assert found == {"maker": "Amazon EC2", "product": "m5.large", "hypervisor": "KVM", "numa_nodes": 2}


@pytest.mark.parametrize("fault", [FileNotFoundError, subprocess.TimeoutExpired("lscpu", 10)])
def test_what_a_host_does_not_say_is_none(board, monkeypatch, fault):
    def refuse(*command, **how):
        raise fault

    monkeypatch.setattr(hosts, "DMI", board / "nothing")
    monkeypatch.setattr(hosts, "NODES", board / "nothing")
    monkeypatch.setattr(subprocess, "run", refuse)
    assert set(hosts.host().values()) == {None}


def test_bare_metal_has_no_hypervisor(board, monkeypatch):
    monkeypatch.setattr(subprocess, "run", lambda *command, **how: SimpleNamespace(stdout="CPU(s): 2\n"))
    assert hosts.host()["hypervisor"] is None


def test_a_rented_machine_has_the_key_of_the_next_one_of_its_kind():
    card = {"name": "H100", "memory_gib": 80, "capability": "9.0", "uuid": "a", "driver": "570"}
    record = {"cpu": "EPYC", "memory_gib": 31, "usable": 16, "gpus": [card]}
    grown = {**record, "memory_gib": 128, "usable": 8, "gpus": [{**card, "uuid": "b"}]}
    assert key(record) == key(grown)
    assert key(record) != key({**record, "gpus": [{**card, "name": "H200"}]}) != key({**record, "gpus": []})
    assert key({"cpu": "EPYC", "memory_gib": 31, "gpus": []}) != key(
        {"cpu": "EPYC", "memory_gib": 32, "gpus": []}
    )
