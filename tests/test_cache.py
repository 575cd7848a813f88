"""What is kept on the disk, and for how long."""

import os

from bench.cache import kept, trim, used


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
