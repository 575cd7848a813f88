"""Which environment variables are recorded, what is hidden, and which ones set the number of threads."""

import os

import pytest

from bench.machine.variables import VARIABLES, flags_of, hashed, threads, variables


def test_the_variables_of_every_framework_are_recorded_and_no_others():
    known = {
        "ATEN_CPU_CAPABILITY": "avx2",
        "DNNL_MAX_CPU_ISA": "AVX2",
        "MKL_CBWR": "AVX2",
        "NPY_DISABLE_CPU_FEATURES": "AVX512F AVX512_SKX",
        "NVIDIA_TF32_OVERRIDE": "0",
        "ONEDNN_DEFAULT_FPMATH_MODE": "BF16",
        "ONEDNN_MAX_CPU_ISA": "AVX2",
        "OPENBLAS_CORETYPE": "Haswell",
        "TF_ENABLE_ONEDNN_OPTS": "0",
        "XLA_FLAGS": "--xla_cpu_max_isa=AVX2",
    }
    others = {
        "SECRET_TOKEN": "hush",
        "TF_CONFIG": '{"cluster": "host"}',
        "TORCH_HOME": "here",
        "CUDA_HOME": "x",
    }
    assert variables(known | others) == known


def test_no_variable_that_holds_a_folder_a_host_or_a_name_is_on_the_list():
    assert not [name for name in VARIABLES if name.endswith(("_HOME", "_DIR", "_PATH", "_CONFIG", "_FILE"))
                and name != "CUBLAS_WORKSPACE_CONFIG"]  # fmt: skip
    assert len(set(VARIABLES)) == len(VARIABLES) and [*VARIABLES] == sorted(VARIABLES)


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        (
            "XLA_FLAGS",
            "--xla_a=1 --xla_dump_to=/home/ann/x --xla_b",
            "--xla_a=1 --xla_dump_to=<path> --xla_b",
        ),
        ("XLA_FLAGS", "--xla_dump_to=my.secrets", "--xla_dump_to=<path>"),
        ("XLA_FLAGS", r"--xla_dump_to=C:\ann --xla_b=true", "--xla_dump_to=<path> --xla_b=true"),
        ("XLA_FLAGS", "--xla_cpu_max_isa=SSE4_2", "--xla_cpu_max_isa=SSE4_2"),
        ("XLA_FLAGS", "flags", "<path>"),
        ("OPENBLAS_CORETYPE", "/home/John Doe/my dumps", "<path>"),
        ("CUDA_VISIBLE_DEVICES", "0,GPU-8932f937-d72c,1", f"0,GPU-{hashed('GPU-8932f937-d72c')},1"),
        ("OMP_PLACES", "{0:4}:2,granularity=fine", "{0:4}:2,granularity=fine"),
    ],
)
def test_a_folder_and_a_cards_uuid_are_hidden(name, value, told):
    assert variables({name: value}) == {name: told}


def test_flags_may_stand_in_a_file(tmp_path):
    (tmp_path / "flags").write_text("--a=1\n--b\n")
    assert flags_of(str(tmp_path / "flags")) == "--a=1 --b"
    assert [flags_of(each) for each in ("", "--a", "nothing there")] == ["", "--a", "nothing there"]


def test_without_a_number_the_threads_are_the_users_or_one_for_every_cpu(monkeypatch):
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    assert threads() == os.cpu_count()
    for told in ("1", "1,2", " 1 "):
        monkeypatch.setenv("OMP_NUM_THREADS", told)
        assert threads() == 1
    monkeypatch.setenv("OMP_NUM_THREADS", "1000000")  # of the host around a container
    assert threads() == os.cpu_count()


@pytest.mark.parametrize("told", ["0", "-1", "all"])
def test_a_number_of_threads_that_cannot_be_is_refused_by_the_name_of_its_variable(monkeypatch, told):
    monkeypatch.setenv("OMP_NUM_THREADS", told)
    with pytest.raises(ValueError, match=f"OMP_NUM_THREADS: got '{told}', should be 1 to .* --threads"):
        threads()
