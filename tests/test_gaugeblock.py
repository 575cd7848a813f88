"""The public door, wherever it is opened: folders of our names beside the user's files are not ours."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import gaugeblock
from bench.store.rows import load

ROOT = Path(__file__).parent.parent


@pytest.fixture
def elsewhere(tmp_path):
    """A repository of a user, which has a bench/, a reference/ and a suites/ of its own."""
    for name in ("bench", "reference", "suites"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text(f"raise RuntimeError('the {name} of the user')\n")
    return tmp_path


def python(folder, *words):
    variables = {**os.environ, "PYTHONPATH": os.pathsep.join([str(folder), str(ROOT)])}
    return subprocess.run(
        [sys.executable, *words], cwd=folder, env=variables, capture_output=True, text=True, timeout=300
    )


def test_every_public_name_is_there():
    public = [name for name in vars(gaugeblock) if name[0].isupper() and name != "TYPE_CHECKING"]
    assert {"Case", "Contender", "Limit", "Training", "Backend"} <= set(public)
    for name in gaugeblock.LATER:
        assert getattr(gaugeblock, name) is not None
    with pytest.raises(AttributeError, match="has no attribute 'Gauge'"):
        _ = gaugeblock.Gauge


def test_importing_it_imports_no_framework_and_no_pandas():
    others = "{'torch', 'jax', 'tensorflow', 'pandas', 'scipy'}"
    code = f"import gaugeblock, sys; print(sorted({others} & set(sys.modules)))"
    assert python(ROOT, "-c", code).stdout.strip() == "[]"


def test_a_bench_of_the_users_own_does_not_take_the_place_of_ours(elsewhere):
    code = (
        "from gaugeblock import Case, Contender, Limit, Training, Backend, Torch, load\n"
        "import bench, reference.activation, suites.activation\n"
        "print(bench.__file__, suites.__file__)"
    )
    answer = python(elsewhere, "-c", code)
    assert answer.stdout.split() == [str(ROOT / name / "__init__.py") for name in ("bench", "suites")], (
        answer.stderr
    )


def test_a_bench_that_is_imported_already_is_named(elsewhere):
    (elsewhere / "bench" / "__init__.py").write_text("")
    answer = python(elsewhere, "-c", "import bench, gaugeblock")
    assert f"gaugeblock: bench is {elsewhere / 'bench' / '__init__.py'} in this process" in answer.stderr
    assert "import gaugeblock first" in answer.stderr


def test_a_run_of_a_plug_in_from_such_a_folder_uses_ours(elsewhere):
    (elsewhere / "mychip.py").write_text(
        "from gaugeblock import NumPy\n\n\nclass MyChip(NumPy):\n    name = 'mychip'\n"
    )
    words = (
        "run",
        "--smoke",
        "-q",
        "--backend",
        "numpy",
        "--backend",
        "mychip.py:MyChip",
        "-k",
        "relu/plain",
    )
    answer = python(elsewhere, "-m", "gaugeblock", *words, "--results", "out")
    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert set(load(elsewhere / "out").status) == {"agrees"}


def test_mutants_are_planted_from_such_a_folder_in_ours(elsewhere):
    answer = python(elsewhere, "-m", "gaugeblock", "mutants", "--quick", "relu")
    assert answer.returncode == 0, answer.stderr


def test_the_doctor_probes_from_such_a_folder_with_ours(elsewhere):
    code = "import gaugeblock; from bench.report.doctor import probe; print(probe('numpy', 'cpu'))"
    answer = python(elsewhere, "-c", code)
    assert "'fingerprints'" in answer.stdout and "absent" not in answer.stdout, answer.stdout + answer.stderr


def test_a_bench_without_an_init_that_is_imported_already_is_named(tmp_path):
    (tmp_path / "bench").mkdir()
    code = f"import sys; sys.path[1:1] = [{str(tmp_path)!r}]; sys.path.remove({str(ROOT)!r}); import bench\n"
    code += f"sys.path.append({str(ROOT)!r}); import gaugeblock"
    answer = python(tmp_path, "-S", "-c", code)
    assert "gaugeblock: bench is [" in answer.stderr and "import gaugeblock first" in answer.stderr


@pytest.fixture
def installed(tmp_path):
    """A site-packages that has ours and another package, which a developer has in a newer checkout too."""
    site, checkout = tmp_path / "site", tmp_path / "checkout"
    for name in ("gaugeblock", "bench", "reference", "suites"):
        shutil.copytree(ROOT / name, site / name, ignore=shutil.ignore_patterns("__pycache__"))
    for folder in (site, checkout):
        folder.mkdir(exist_ok=True)
        (folder / "chip.py").write_text(f"WHERE = {folder.name!r}\n")
    return site, checkout


@pytest.mark.parametrize("started", ["worker", "pool"])
def test_what_the_user_has_put_first_on_the_path_stays_first_in_what_is_started(installed, started):
    site, checkout = installed
    code = {
        "worker": "from bench.worker import Worker\nw = Worker({})\n"
        "print(w.request('builtins:eval', \"__import__('chip').WHERE, __import__('bench').__file__\"))\n"
        "w.close()",
        "pool": "from bench.worker import pool\nif __name__ == '__main__':\n"
        "    with pool(1) as one:\n"
        "        print(*one.map(eval, [\"(__import__('chip').WHERE, __import__('bench').__file__)\"]))",
    }[started]
    script = checkout / "asks.py"
    script.write_text(f"import gaugeblock\n{code}\n")
    variables = {**os.environ, "PYTHONPATH": os.pathsep.join([str(checkout), str(site)])}
    done = subprocess.run([sys.executable, str(script)], env=variables, capture_output=True, text=True)
    assert done.stdout.strip() == f"('checkout', {str(site / 'bench' / '__init__.py')!r})", done.stderr
