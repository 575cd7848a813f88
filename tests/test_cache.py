"""What is kept on the disk, and for how long."""

import os

import numpy as np
import pytest

from bench.cache import arrays, digest, kept, source, trim, used


def test_a_text_is_made_once(tmp_path, monkeypatch):
    monkeypatch.setenv("GAUGEBLOCK_CACHE", str(tmp_path))
    made = []
    for _ in range(2):
        assert kept("name", lambda: made.append(1) or "text") == "text"
    assert made == [1]


def test_what_was_asked_for_longest_ago_goes_first_and_its_lock_with_it(tmp_path, monkeypatch):
    monkeypatch.setenv("GAUGEBLOCK_CACHE", str(tmp_path))
    for age, name in enumerate(("c.npz", "b.npz", "a.txt")):
        (tmp_path / name).write_bytes(b"0" * 100)
        (tmp_path / f"{name}.lock").touch()
        os.utime(tmp_path / name, (1e9 - age, 1e9 - age))
    (tmp_path / "jax").mkdir()
    used(tmp_path / "a.txt")
    trim(200)
    assert {file.name for file in tmp_path.iterdir()} == {"a.txt", "a.txt.lock", "c.npz", "c.npz.lock", "jax"}
    trim()
    assert (tmp_path / "c.npz").exists()


@pytest.mark.parametrize("broken", [b"", b"PK", b"not arrays", None])
def test_arrays_are_made_once_and_again_where_they_cannot_be_read(broken, tmp_path, monkeypatch):
    monkeypatch.setenv("GAUGEBLOCK_CACHE", str(tmp_path))
    made = []

    def make():
        made.append(1)
        return {"a/b": np.arange(3.0)}

    for _ in range(2):
        assert np.array_equal(arrays("name", make)["a/b"], [0, 1, 2])
    assert made == [1]
    whole = (tmp_path / "name.npz").read_bytes()
    (tmp_path / "name.npz").write_bytes(whole[:-40] if broken is None else broken)
    assert np.array_equal(arrays("name", make)["a/b"], [0, 1, 2]) and made == [1, 1]
    assert (tmp_path / "name.npz").read_bytes() == whole


def test_a_cache_with_a_pickle_in_it_is_not_read(tmp_path, monkeypatch):
    monkeypatch.setenv("GAUGEBLOCK_CACHE", str(tmp_path))
    np.savez(tmp_path / "name.npz", x=np.array([{}], dtype=object))
    assert arrays("name", lambda: {"x": np.ones(1)})["x"] == 1


def test_a_digest_names_every_bit_and_the_shape():
    x = np.arange(6.0)
    others = [
        {"x": np.nextafter(x, 9)},
        {"x": x.reshape(2, 3)},
        {"y": x},
        {"x": x.view(np.int64)},
        {"x": x[:0]},
        {"x": x, "y": x[:0]},
    ]
    assert len({digest(each) for each in ({"x": x}, *others)}) == 1 + len(others)
    assert digest({"x": x}) == digest({"x": np.repeat(x, 2)[::2]})


def test_a_source_is_what_its_files_say(tmp_path):
    (tmp_path / "a").write_text("1")
    before = source([tmp_path / "a"])
    (tmp_path / "a").write_text("2")
    assert source([tmp_path / "a"]) != before
