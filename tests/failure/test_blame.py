"""A framework that disagrees alone is distinguished from a reference that all frameworks contradict."""

from dataclasses import replace

import numpy as np
import pytest

from bench.cells.cell import Cell
from bench.failure import blame as page
from bench.failure.blame import blame
from bench.failure.freeze import folder_name
from bench.tolerance.spread import Expected
from bench.tree import numpy_dtype
from tests.rows import row

VALUE = np.array([1.0, 2.0, 3.0])
SIGMA = np.array([1e-3, 1e-3, 0.0])
EXPECTED = {"forward.y": Expected(VALUE, SIGMA, SIGMA, np.zeros(3)), "gradient.x": None}
OFF = np.array([1.5, 2.0, 3.0])


@pytest.fixture(autouse=True)
def limits(monkeypatch):
    monkeypatch.setattr(page, "expectation", lambda cell, number=0: EXPECTED)


def cell(backend, function="f"):
    where = ("attention", "plain", "typical", "small", f"{backend}.{function}", backend)
    return Cell(*where, "eager", "cpu", "float32", "forward")


def ends(folder, **gave):
    """The additions to the rows of backends with wrong outputs."""
    found = []
    for backend, y in gave.items():
        each = cell(backend)
        status = "agrees" if y is None else "disagrees"
        found.append((each, row(backend=backend, status=status, why="" if y is None else "y[0] is off")))
        if y is not None:
            (folder / folder_name(each)).mkdir()
            np.savez(folder / folder_name(each) / "got.npz", **{"forward.y": y})
    return {each.backend: told.why.removeprefix("y[0] is off") for each, told in blame(found, folder)}


SUSPECT = "; the reference is suspect: jax and torch agree with each other"


@pytest.mark.parametrize(
    ("other", "told"),
    [
        (OFF, SUSPECT),
        (np.array([1.505, 2, 3]), SUSPECT),  # inside the limit of what rounding explains
        (np.array([1.6, 2, 3]), None),
        (np.array([1.5, 2, 3 + 1e-9]), None),  # where rounding moves nothing
        (OFF[:2], None),
        (np.array([np.nan, 2.0, 3.0]), None),
    ],
)
def test_the_reference_is_suspect_where_all_frameworks_agree_with_each_other(tmp_path, other, told):
    expected = {"jax": told, "torch": told} if told else {}
    assert ends(tmp_path, torch=OFF, jax=other) == expected


def test_nan_against_a_number_of_the_reference_is_alike(tmp_path):
    strange = np.array([np.nan, 2.0, 3.0])
    assert ends(tmp_path, torch=strange, jax=strange)["jax"] == SUSPECT


def test_two_shapes_that_are_alike_make_the_reference_suspect(tmp_path):
    assert ends(tmp_path, torch=np.ones((3, 1)), jax=np.ones((3, 1)))["torch"] == SUSPECT


MISTAKES = {  # what two builds both give: with the reference's values, or with none to compare
    "a shape": {"forward.y": np.float32(VALUE).reshape(3, 1)},
    "a dtype": {"forward.y": VALUE},
    "a later call": {"forward.y": np.float32(VALUE)},
    "one more": {"forward.y": np.float32(OFF), "forward.z": OFF},
    "another name": {"forward.z": np.float32(OFF)},
    "fewer elements": {"forward.y": np.float32(OFF[:2])},
    "more elements": {"forward.y": np.float32([OFF, OFF])},
    "one number": {"forward.y": np.float32(7)},
}


@pytest.mark.parametrize("kind", MISTAKES)
def test_the_same_mistake_in_two_builds_makes_no_reference_suspect(tmp_path, kind):
    wrong = {"status": "disagrees", "why": "off", "bits": None}
    pairs = [(cell(name), row(backend=name, **wrong)) for name in ("torch", "jax")]
    for each, _ in pairs:
        (tmp_path / folder_name(each)).mkdir()
        np.savez(tmp_path / folder_name(each) / "got.npz", **MISTAKES[kind])
    assert not list(blame(pairs, tmp_path))


def test_values_of_bfloat16_are_compared_though_numpy_keeps_no_such_type(tmp_path):
    found = []
    for name in ("torch", "jax"):
        each = replace(cell(name), dtype="bfloat16")
        (tmp_path / folder_name(each)).mkdir()
        y = np.array(OFF, numpy_dtype("bfloat16"))
        np.savez(tmp_path / folder_name(each) / "got.npz", **{"forward.y": y})
        found.append((each, row(backend=name, dtype="bfloat16", status="disagrees", why="off")))
    assert [told.why for _, told in blame(found, tmp_path)] == [f"off{SUSPECT}"] * 2


def test_a_framework_that_agrees_with_the_reference_clears_it(tmp_path):
    assert ends(tmp_path, torch=OFF, jax=OFF, tensorflow=None) == {}


def test_one_that_disagrees_alone_is_named_with_those_that_agree(tmp_path):
    told = ends(tmp_path, torch=OFF, jax=None, tensorflow=None)
    assert told == {"torch": "; only torch disagrees, jax and tensorflow agree"}


def test_one_framework_by_itself_says_nothing(tmp_path):
    assert ends(tmp_path, torch=OFF) == {}


def test_two_contenders_of_one_framework_are_no_two_witnesses(tmp_path):
    both = [cell("torch"), cell("torch", "g")]
    for each in both:
        (tmp_path / folder_name(each)).mkdir()
        np.savez(tmp_path / folder_name(each) / "got.npz", **{"forward.y": OFF})
    assert not list(blame([(each, row(status="disagrees", why="off")) for each in both], tmp_path))


def test_what_was_said_before_is_not_said_twice(tmp_path):
    before = row(status="disagrees", why="off; only torch disagrees, jax agrees")
    others = [(cell("jax"), row()), (cell("tensorflow"), row())]
    ((_, told),) = blame([(cell("torch"), before), *others], tmp_path)
    assert told.why == "off; only torch disagrees, jax and tensorflow agree"
    assert not list(blame([(cell("torch"), told), *others], tmp_path))


def test_without_what_was_got_nobody_is_suspect(tmp_path):
    rows = [(cell(each), row(status="disagrees", why="off")) for each in ("torch", "jax")]
    assert not list(blame(rows, tmp_path))


@pytest.mark.parametrize("damage", [b"", b"PK", None])
def test_a_folder_that_is_damaged_blames_nobody(tmp_path, damage):
    def broken(folder):
        file = folder / folder_name(cell("jax")) / "got.npz"
        if damage is None:
            np.savez(file, **{"forward.y": np.array([object()] * 3)})  # which NumPy keeps as a pickle
        else:
            file.write_bytes(damage)

    found = [
        (cell(name), row(backend=name, status="disagrees", why="y[0] is off")) for name in ("jax", "torch")
    ]
    for each, _ in found:
        (tmp_path / folder_name(each)).mkdir()
        np.savez(tmp_path / folder_name(each) / "got.npz", **{"forward.y": OFF})
    assert [each.backend for each, _ in blame(found, tmp_path)] == ["jax", "torch"]
    broken(tmp_path)
    assert not list(blame(found, tmp_path))
