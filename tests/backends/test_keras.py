"""Keras on torch and on JAX: the pages' Keras builds, in a process whose Keras runs on that engine."""

import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

import pytest

from bench import pages
from bench.backends import Absent, backend
from bench.run.session import JUDGE
from bench.store.results import load
from bench.worker import Worker

ROOT = Path(__file__).parent.parent.parent
ENGINES = ("torch", "jax")


@pytest.fixture(params=ENGINES)
def found(request):
    found = backend(f"keras-{request.param}")
    try:
        found.installed()
    except Absent as reason:
        pytest.skip(str(reason))
    return found


def judged(found, case, dtype, option=None):
    """The rows of the first Keras contender of a page, from a worker of its own."""
    from bench.cells.cell import Cell

    page = pages.case(case)
    contender = found.contenders(page)[0]
    option = option or next(iter(page.options))
    size, regime = next(iter(page.sizes)), next(iter(page.regimes))
    cell = Cell(case, option, regime, size, str(contender), found.name, found.modes[0], "cpu", dtype, "")
    worker = Worker(found.environment(threads=1, dtype=dtype, device="cpu"))
    try:
        return worker.request(JUDGE, asdict(cell), list(page.directions), False, False)["rows"]
    finally:
        worker.close()


def test_every_keras_contender_of_the_pages_is_taken_and_no_other(found):
    for case in pages.cases().values():
        mine = found.contenders(case)
        assert {each.backend for each in mine} <= {found.name}
        assert [each.api for each in mine] == [
            each.api for each in case.contenders if each.api.startswith("keras.")
        ]


def test_a_keras_layer_runs_on_the_engine_and_says_both_versions(found):
    rows = judged(found, "layer-norm", "float32")
    assert {row["status"] for row in rows.values()} == {"agrees"}
    version = rows["forward"]["version"]
    assert version == f"{backend(found.engine).installed().partition('+')[0]}+keras.{found.installed()}"


def test_a_dtype_that_keras_does_not_keep_is_absent_with_its_source(found):
    rows = judged(found, "layer-norm", "float64")
    assert {row["status"] for row in rows.values()} == {"absent"}
    assert "has no float64" in rows["forward"]["why"] and "#23704" in rows["forward"]["why"]


def test_a_build_written_with_tensorflow_is_absent(found):
    rows = judged(found, "gradient-descent", "float32")
    assert rows["training"]["status"] == "absent"
    assert "the page's build is written with TensorFlow" in rows["training"]["why"]


def test_keras_on_another_engine_is_refused(found):
    script = f"from bench.backends import backend; backend({found.name!r})('cpu', 'float32')"
    other = {"torch": "jax", "jax": "torch"}[found.engine]
    done = subprocess.run(
        [sys.executable, "-c", script],
        env={"KERAS_BACKEND": other, "PATH": "", "HOME": "/nonexistent"},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert f"Keras runs on {other}: KERAS_BACKEND should be set" in done.stderr, done.stderr[-500:]


def test_the_pages_without_tensorflow_are_still_found_by_import(found):
    """What hides TensorFlow while a build runs gives it back."""
    from bench.backends.keras import _without_tensorflow

    before = sys.modules.get("tensorflow")
    with _without_tensorflow(), pytest.raises(ModuleNotFoundError):
        import tensorflow  # noqa: F401
    assert sys.modules.get("tensorflow") is before


def test_both_engines_run_side_by_side(tmp_path):
    for engine in ENGINES:
        pytest.importorskip(engine)
    pytest.importorskip("keras")
    command = [sys.executable, "-m", "pytest", str(ROOT / "suites"), "--results", str(tmp_path / "run")]
    chosen = ["--smoke", "-k", "softmax/ and keras", "--backend", "keras-torch", "--backend", "keras-jax"]
    done = subprocess.run([*command, *chosen], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-2000:]
    rows = load(tmp_path / "run")
    assert set(rows.backend) == {"keras-torch", "keras-jax"} and set(rows.status) == {"agrees"}
