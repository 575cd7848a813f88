"""Instruction sets: environments that restrict libraries, and what each library reads back."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest

from bench.backends import Absent, backend
from bench.machine import isa
from bench.machine.cpu import cpu

READ = """
import json, sys
from bench.backends import backend
from bench.contender.prepare import instance
print(json.dumps(instance(backend(sys.argv[1]), "cpu", "float32").isa()))
"""


def reads_back(name, variables):
    """What a backend says in a process of its own; its words, where it refuses to be made."""
    done = subprocess.run(
        [sys.executable, "-c", READ, name],
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
    )
    return json.loads(done.stdout) if done.returncode == 0 else done.stderr.strip().splitlines()[-1]


@pytest.mark.parametrize("name", ["numpy", "torch", "jax"])
@pytest.mark.parametrize("level", isa.available())
def test_a_framework_reads_back_the_level_to_which_it_was_narrowed(name, level):
    try:
        backend(name).installed()
    except Absent as reason:
        pytest.skip(str(reason))
    assert reads_back(name, isa.narrowed({}, level)) == level


@pytest.mark.skipif(isa.available()[-1:] in ((), ("sse4",)), reason="the CPU has nothing wider")
def test_what_reads_back_more_than_it_was_told_is_not_used():
    widest = isa.available()[-1]
    said = reads_back("numpy", {isa.TOLD: "sse4"})
    words = f"numpy: reads back {widest}, should be at most the sse4 it was started with; leave out --isa"
    assert said == f"RuntimeError: {words}"


def test_what_a_user_has_set_is_joined(monkeypatch):
    monkeypatch.setenv("XLA_FLAGS", "--user=1")
    monkeypatch.setenv("NPY_DISABLE_CPU_FEATURES", "")
    monkeypatch.setattr(isa, "_simd", lambda: {"baseline": ["X86_V2"], "found": ["X86_V3", "X86_V4"]})
    found = isa.narrowed({"A": "1", "OPENBLAS_CORETYPE": "Zen"}, "avx2")
    assert found["XLA_FLAGS"] == "--user=1 --xla_cpu_max_isa=AVX2"
    assert found["NPY_DISABLE_CPU_FEATURES"] == "X86_V4"
    assert found["A"] == "1" and found["OPENBLAS_CORETYPE"] == "Haswell" and found[isa.TOLD] == "avx2"
    assert found["TORCHINDUCTOR_CACHE_DIR"] != isa.narrowed({}, "sse4")["TORCHINDUCTOR_CACHE_DIR"]
    there = isa.narrowed({"XLA_FLAGS": "--ours=1"}, "avx2")  # the backend has joined the user's
    assert there["XLA_FLAGS"] == "--ours=1 --xla_cpu_max_isa=AVX2"


@pytest.mark.parametrize(
    ("found", "levels"),
    [
        (["X86_V3", "X86_V4", "AVX512_ICL"], ("sse4", "avx2", "avx512")),
        (["X86_V3"], ("sse4", "avx2")),
        (["SSE41", "POPCNT", "SSE42", "AVX", "F16C", "FMA3", "AVX2"], ("sse4", "avx2")),
        (["SSE42", "AVX", "AVX2", "FMA3", "AVX512F", "AVX512CD"], ("sse4", "avx2")),
        (["SSE42", "AVX2", "AVX512F", "AVX512CD", "AVX512_SKX"], ("sse4", "avx2", "avx512")),
        (["SSE41", "POPCNT", "SSE42", "AVX"], ("sse4",)),
        (["NEON", "ASIMD"], ()),
        ([], ()),
    ],
)
def test_the_levels_are_those_of_any_numpy(monkeypatch, found, levels):
    monkeypatch.setattr(isa, "_simd", lambda: {"baseline": [], "found": found})
    assert isa.available() == levels


def test_every_feature_beyond_a_level_is_left_alone(monkeypatch):
    monkeypatch.delenv("NPY_DISABLE_CPU_FEATURES", raising=False)
    old = ["SSE41", "SSE42", "AVX", "FMA3", "AVX2", "AVX512F", "AVX512_SKX", "AVX512_CLX"]
    monkeypatch.setattr(isa, "_simd", lambda: {"baseline": ["SSE3"], "found": old})
    off = {level: isa.narrowed({}, level)["NPY_DISABLE_CPU_FEATURES"].split() for level in isa.LEVELS}
    assert [each for each in old if each not in off["sse4"]] == ["SSE41", "SSE42"]
    assert off["avx2"] == ["AVX512F", "AVX512_SKX", "AVX512_CLX"] and off["avx512"] == ["AVX512_CLX"]


def test_a_level_that_is_not_there_is_refused(monkeypatch):
    monkeypatch.setattr(isa, "_simd", lambda: {"baseline": [], "found": ["X86_V3"]})
    with pytest.raises(ValueError, match=r"got 'avx512', should be one of sse4, avx2$"):
        isa.narrowed({}, "avx512")
    monkeypatch.setattr(isa, "_simd", lambda: {"baseline": ["NEON"]})
    with pytest.raises(ValueError, match="should be one of none: NumPy reports none for this CPU"):
        isa.narrowed({}, "sse4")


def test_what_libraries_say_becomes_a_level(monkeypatch):
    monkeypatch.setattr("platform.machine", lambda: "x86_64")
    assert [isa.of_aten(each) for each in ("DEFAULT", "AVX2", "AVX512", "new")] == [
        "sse4",
        "avx2",
        "avx512",
        "",
    ]
    assert isa.of_llvm(["sse4.2", "avx", "avx2", "fma"]) == "avx2" and isa.of_llvm(["neon"]) == ""
    assert isa.of_llvm(["avx2", "avx512f", "sse4.2"]) == "avx512"
    monkeypatch.setattr("platform.machine", lambda: "aarch64")
    assert isa.of_aten("DEFAULT") == ""


def test_numpys_own_words_are_understood():
    assert set(isa.available()) <= {*isa.LEVELS}
    if "avx2" not in cpu()["vectors"] or os.environ.get("NPY_DISABLE_CPU_FEATURES"):
        pytest.skip("NumPy may have found nothing beyond its baseline")
    assert {"baseline", "found"} <= {*np.show_config(mode="dicts")["SIMD Extensions"]}


def test_where_numpy_found_nothing_beyond_its_baseline_the_list_is_empty(monkeypatch):
    """Then NumPy has no such entry, which must not be an error in a worker's record."""
    monkeypatch.setattr(np, "show_config", lambda mode: {"SIMD Extensions": {"baseline": ["X86_V2"]}})
    assert isa.features() == [] and isa.available() == ("sse4",)
