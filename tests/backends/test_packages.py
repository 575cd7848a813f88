"""The distribution behind a contender's API."""

import pytest

from bench.backends import backend, packages
from bench.backends.packages import package
from bench.backends.torch import Torch

VERSIONS = {
    "numpy": "2.4.6", "torch": "2.13.0", "tensorflow-cpu": "2.21.0", "keras": "3.15.1", "jax": "0.10.2",
    "optax": "0.2.8", "my-chip": "1.0",
}  # fmt: skip


@pytest.fixture(autouse=True)
def here(monkeypatch):
    """An environment that has these, and a module `chip` of my-chip."""

    def installed(names):
        return {name: VERSIONS[name] for name in names if name in VERSIONS}

    monkeypatch.setattr(packages, "installed", installed)
    monkeypatch.setattr(packages, "_brought", lambda: {"chip": ["my-chip"], "tensorflow": ["tensorflow_cpu"]})
    package.cache_clear()
    yield
    package.cache_clear()


class FromFile(Torch):
    name = "from-file"
    __module__ = "mine"


class FromPackage(Torch):
    name = "from-package"
    __module__ = "chip.backend"


@pytest.mark.parametrize(
    ("api", "engine", "found"),
    [
        ("torch.nn.functional.linear:bias", "torch", ("torch", "2.13.0")),
        ("tensorflow.nn.conv2d", "tensorflow", ("tensorflow-cpu", "2.21.0")),
        ("keras.layers.Dense", "tensorflow", ("keras", "3.15.1")),
        ("keras.layers.Dense", "keras-jax", ("keras", "3.15.1")),
        ("optax.adam", "jax", ("optax", "0.2.8")),
        ("flax.linen.Dense", "jax", ("flax", "")),  # not installed, and not JAX's either
        ("onnxruntime.InferenceSession", "onnxruntime", ("onnxruntime", "")),
        ("reference.linear.linear", "numpy", ("numpy", "2.4.6")),
    ],
)
def test_the_package_is_that_of_the_api_and_not_of_the_framework(api, engine, found):
    assert package(api, backend(engine)) == found


def test_a_plug_ins_own_build_is_its_packages_or_its_frameworks():
    assert package("chip.backend.FromPackage", FromPackage) == ("my-chip", "1.0")
    assert package("mine.FromFile", FromFile) == ("torch", "2.13.0")
    assert package("other.silu", FromFile) == ("other", "")


def test_a_row_says_which_package_its_api_is_of_whatever_became_of_it():
    from bench.cells.cell import Cell
    from bench.run.session import failed
    from bench.verdict.row import row_of

    cell = Cell("adam", "plain", "typical", "small", "optax.adam", "jax", "jit", "cpu", "float32", "training")
    for row in (row_of(cell.unit, "training", status="absent", why="x"), failed(cell, "the worker died")):
        assert (row.package, row.package_version) == ("optax", "0.2.8")
