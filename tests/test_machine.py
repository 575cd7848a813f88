"""The machine and environment records, and their keys."""

import json
import platform
import subprocess
import sys

import pynvml
import pytest

from bench import machine as machines
from bench.machine import environment, gpus, installed, key, machine, name


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
        "import json, sys; from bench.machine import environment; print(json.dumps(environment({'x': 1})));"
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


class Driver:
    """NVIDIA's library with two cards."""

    total = 80 * 2**30

    def install(self, monkeypatch):
        answers = {
            "nvmlInit": lambda: None,
            "nvmlShutdown": lambda: None,
            "nvmlSystemGetDriverVersion": lambda: b"570.1",
            "nvmlDeviceGetCount": lambda: 2,
            "nvmlDeviceGetHandleByIndex": lambda index: index,
            "nvmlDeviceGetName": lambda handle: f"Card {handle}",
            "nvmlDeviceGetMemoryInfo": lambda handle: self,
        }
        for verb, answer in answers.items():
            monkeypatch.setattr(pynvml, verb, answer)


def test_gpus_are_recorded_with_their_driver(monkeypatch):
    Driver().install(monkeypatch)
    assert gpus() == [{"name": f"Card {n}", "memory_gib": 80, "driver": "570.1"} for n in (0, 1)]


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
