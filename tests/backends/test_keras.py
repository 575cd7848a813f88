"""Keras on torch and on JAX: the pages' Keras builds, in a process whose Keras runs on that engine."""

import subprocess
import sys
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path

import pytest

from bench import pages
from bench.backends import Absent, backend
from bench.cells.cell import Cell
from bench.run.session import JUDGE
from bench.store.results import load
from bench.worker import Worker

ROOT = Path(__file__).parent.parent.parent
ENGINES = ("torch", "jax")


def here(engine):
    found = backend(f"keras-{engine}")
    try:
        found.installed()
    except Absent as reason:
        pytest.skip(str(reason))
    return found


@pytest.fixture(params=ENGINES)
def found(request):
    return here(request.param)


@pytest.fixture(scope="module", params=ENGINES)
def engine(request):
    """An engine's backend, and a process in which Keras runs on that engine."""
    found = here(request.param)
    worker = Worker(found.environment(threads=1, dtype="float64", device="cpu"))
    yield found, worker
    worker.close()


@pytest.fixture(scope="module")
def rows(tmp_path_factory):
    """What a run of both engines leaves of three formulas."""
    for name in ENGINES:
        here(name)
    folder = tmp_path_factory.mktemp("keras")
    command = [sys.executable, "-m", "pytest", str(ROOT / "suites"), "--results", str(folder / "run")]
    pages = "(softmax/ or layer-norm/ or gradient-descent/least) and keras"
    chosen = ["--smoke", "-k", pages, "--backend", "keras-torch", "--backend", "keras-jax"]
    done = subprocess.run([*command, *chosen], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-2000:]
    return load(folder / "run")


def test_every_keras_contender_of_the_pages_is_taken_and_no_other(found):
    for case in pages.cases().values():
        mine = found.contenders(case)
        assert {each.backend for each in mine} <= {found.name}
        assert [each.api for each in mine] == [
            each.api for each in case.contenders if each.api.startswith("keras.")
        ]


def test_both_engines_run_side_by_side_and_say_both_versions(rows):
    ran = rows[rows.case.isin(["softmax", "layer-norm"])]
    assert set(ran[ran.direction == "forward"].status) == {"agrees"}
    assert set(ran.status) <= {"agrees", "limited"}  # the slope of softmax cancels in both
    assert dict(zip(ran.backend, ran.version, strict=True)) == {
        f"keras-{name}": f"{backend(name).installed().partition('+')[0]}+keras.{version('keras')}"
        for name in ENGINES
    }


def test_a_build_written_with_tensorflow_is_absent(rows):
    written = rows[rows.case == "gradient-descent"]
    assert len(written) == len(ENGINES) and set(written.status) == {"absent"}
    assert written.why.str.contains("the page's build imports TensorFlow").all()


def test_a_dtype_that_keras_does_not_keep_is_absent_with_its_source(engine):
    found, worker = engine
    contender = found.contenders(pages.case("layer-norm"))[0]
    where = ("layer-norm", "plain", "typical", "small", str(contender), found.name, found.modes[0], "cpu")
    judged = worker.request(JUDGE, asdict(Cell(*where, "float64", "")), ["forward"], False, False)["rows"]
    assert judged["forward"]["status"] == "absent"
    assert "has no float64" in judged["forward"]["why"] and "#23704" in judged["forward"]["why"]


def refused(name):
    """Why a backend does not start in this process."""
    with pytest.raises(RuntimeError) as error:
        backend(name)("cpu", "float32")
    return str(error.value)


def test_keras_on_another_engine_is_refused(engine):
    found, worker = engine
    other = {"torch": "jax", "jax": "torch"}[found.engine]
    said = worker.request(f"{__name__}:refused", here(other).name)
    assert f"got Keras on {found.engine}, should be " in said


def test_the_pages_without_tensorflow_are_still_found_by_import(found):
    """What hides TensorFlow while a build runs gives it back."""
    from bench.backends.keras import _without_tensorflow

    before = sys.modules.get("tensorflow")
    with _without_tensorflow(), pytest.raises(ModuleNotFoundError):
        import tensorflow  # noqa: F401
    assert sys.modules.get("tensorflow") is before
