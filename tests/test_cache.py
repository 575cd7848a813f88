"""What is kept on the disk, and for how long."""

import os
import pickle
import resource
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import numpy as np
import pytest

from bench import cache
from bench.cache import arrays, digest, folder, kept, part, source, told, trim, used
from bench.cells.cell import Cell
from bench.inputs import _inputs as made
from bench.tolerance import expected
from bench.tolerance.expected import expectation
from bench.tree import numpy_dtype
from bench.verdict import saboteur

NOBODY = 65534
RELU = Cell(
    "relu", "plain", "typical", "small", "reference.activation.relu", "numpy", "eager", "cpu", "float32",
    "forward",
)  # fmt: skip


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


NAME, ARRAYS = "limits", {"a/b": np.arange(300.0), "n": np.array(3)}


@pytest.fixture
def file(tmp_path, monkeypatch):
    """The file of `ARRAYS`, kept under `NAME`; in a folder that anybody may enter, unlike those of pytest."""
    monkeypatch.setattr(cache, "_PROBLEMS", {})
    folder = Path(tempfile.mkdtemp(dir="/tmp"))
    folder.chmod(0o755)
    monkeypatch.setenv("GAUGEBLOCK_CACHE", str(folder / "cache"))
    arrays(NAME, lambda: ARRAYS)
    yield folder / "cache" / f"{NAME}.npz"
    shutil.rmtree(folder)


@pytest.fixture
def nobody(file):
    """A user without rights of its own, who owns the cache: nothing is forbidden to root."""
    for path in (file.parent.parent, file.parent, *file.parent.iterdir()):
        os.chown(path, *((NOBODY, NOBODY) if os.geteuid() == 0 else (-1, -1)))
    if os.geteuid() == 0:
        os.seteuid(NOBODY)
    yield
    file.parent.chmod(0o755)
    os.seteuid(os.getuid())


def asked():
    """What the cache gives, and how often it was made for that."""
    made = []
    found = arrays(NAME, lambda: made.append(1) or ARRAYS)
    assert list(found) == list(ARRAYS)
    assert all(np.array_equal(found[each], ARRAYS[each]) for each in ARRAYS)
    return len(made)


def other(file, **kept):
    """A whole file of NumPy's that was never kept here."""
    np.savez(file, **kept)


def lone(file, array):
    with file.open("wb") as opened:
        np.save(opened, array)


def altered(file, **changes):
    """A file that says it is what was kept, with other arrays."""
    with np.load(file) as found:
        kept = dict(found)
    np.savez(file, **{**kept, **cache._packed({**ARRAYS, **changes})})


def inside(file):
    """One bit of the first array's numbers is another: only its checksum says so."""
    whole = bytearray(file.read_bytes())
    whole[whole.index(ARRAYS["a/b"].tobytes()) + 100] ^= 1
    file.write_bytes(whole)


def of_another_cell(file):
    arrays("other", lambda: ARRAYS)
    shutil.copyfile(file.with_name("other.npz"), file)


def instead(file, make):
    file.unlink()
    make(file)


DAMAGES = {
    "truncated": lambda file: os.truncate(file, file.stat().st_size - 40),
    "cut to half": lambda file: os.truncate(file, file.stat().st_size // 2),
    "empty": lambda file: os.truncate(file, 0),
    "a few bytes": lambda file: file.write_bytes(b"PK"),
    "text": lambda file: file.write_text("not arrays"),
    "random bytes": lambda file: file.write_bytes(np.random.default_rng(0).bytes(3000)),
    "no arrays in it": lambda file: zipfile.ZipFile(file, "w").close(),
    "other members": lambda file: other(file, x=np.ones(3)),
    "members that are no arrays": lambda file: zipfile.ZipFile(file, "w").writestr("seal", "limits"),
    "a lone array": lambda file: lone(file, np.ones(3)),
    "one member more": lambda file: other(file, **{**dict(np.load(file)), "more": np.ones(1)}),
    "one array more": lambda file: altered(file, more=np.ones(1)),
    "another shape": lambda file: altered(file, **{"a/b": ARRAYS["a/b"].reshape(3, 100)}),
    "another dtype": lambda file: altered(file, **{"a/b": ARRAYS["a/b"].astype("float32")}),
    "another number": lambda file: altered(file, n=np.array(4)),
    "a flipped bit": inside,
    "of another cell": of_another_cell,
    "of an earlier version": lambda file: other(file, **ARRAYS),
    "a pickle": lambda file: other(file, x=np.array([Bomb()], dtype=object)),
    "a bare pickle": lambda file: file.write_bytes(pickle.dumps(Bomb())),
    "a dangling link": lambda file: instead(file, lambda file: file.symlink_to("nowhere")),
    "a link to itself": lambda file: instead(file, lambda file: file.symlink_to(file)),
    "a pipe": lambda file: instead(file, os.mkfifo),
}


class Bomb:
    def __reduce__(self):
        return os._exit, (3,)


@pytest.mark.parametrize("damage", DAMAGES)
def test_what_is_no_longer_what_was_kept_is_made_anew_and_healed(damage, file):
    assert asked() == 0
    whole = file.read_bytes()
    DAMAGES[damage](file)
    assert asked() == 1
    assert file.read_bytes() == whole and asked() == 0
    assert told() == {} and not list(file.parent.glob("*.part*"))


def test_no_byte_of_a_file_may_be_another(file):
    rng, whole = np.random.default_rng(0), file.read_bytes()
    for place in rng.integers(len(whole), size=60):
        broken = bytearray(whole)
        broken[place] ^= rng.integers(1, 256)
        file.write_bytes(broken)
        asked()  # a byte that stands for nothing, such as a date, may be another


def test_files_that_have_changed_places_are_both_made_anew(file):
    arrays("other", lambda: {"x": np.ones(3)})
    place = file.with_name("other.npz")
    first, second = file.read_bytes(), place.read_bytes()
    file.write_bytes(second)
    place.write_bytes(first)
    assert asked() == 1
    assert arrays("other", lambda: {"x": np.ones(3)})["x"].sum() == 3 and place.read_bytes() == second


def test_what_is_kept_of_a_cell_is_healed_file_by_file_and_gives_the_same_limits(tmp_path, monkeypatch):
    monkeypatch.setenv("GAUGEBLOCK_CACHE", str(tmp_path))
    first = expectation(RELU)
    assert saboteur.passing(RELU, "forward") == ""
    files = sorted(tmp_path.glob("*.npz"))
    assert len(files) == 3  # inputs, limits, and what the saboteurs did
    for file in files:
        whole = file.read_bytes()
        os.truncate(file, len(whole) // 2)
        for each in (made, expected._expectation):
            each.cache_clear()
        again = expectation(RELU)
        assert saboteur.passing(RELU, "forward") == "" and file.read_bytes() == whole
        assert all(np.array_equal(one.sigma, again[path].sigma) for path, one in first.items())


def test_a_folder_in_the_place_of_a_file_is_left_there_and_told(file):
    instead(file, Path.mkdir)
    assert [asked(), asked()] == [1, 1]
    assert (
        list(told()) == ["Is a directory"] and f"cache: {file} cannot be written" in told()["Is a directory"]
    )
    assert file.is_dir() and not list(file.parent.glob("*.part*"))


def test_a_file_that_may_not_be_read_is_made_anew(file, nobody):
    file.chmod(0)
    assert [asked(), asked()] == [1, 0] and told() == {}


def test_a_cache_where_nobody_may_write_is_read_and_told_once(file, nobody):
    file.parent.chmod(0o555)
    assert asked() == 0 and told() == {}
    for name in ("one", "two"):
        assert kept(name, lambda: "text") == "text"
    trim(0)
    (sentence,) = told().values()
    assert sentence.startswith(f"cache: {file.parent}/one.npz cannot be written (Permission denied)")
    assert "set GAUGEBLOCK_CACHE to another folder" in sentence and asked() == 0


def test_a_cache_that_nobody_may_enter_is_told(file, nobody):
    file.parent.chmod(0)
    assert [asked(), asked()] == [1, 1] and list(told()) == ["Permission denied"]
    trim(0)


@pytest.mark.filterwarnings("error")
def test_a_disk_without_room_leaves_nothing_half_written_and_is_told_once(file):
    """The file may not grow over 1000 bytes, and fails in the middle, as where the disk is full."""
    file.unlink()
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, before := resource.getrlimit(resource.RLIMIT_FSIZE)[1]))
    try:
        assert [asked(), asked()] == [1, 1]
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (before, before))
    assert list(told()) == ["File too large"] and not list(file.parent.glob("*.npz"))
    assert [asked(), asked()] == [1, 0]


@pytest.mark.parametrize(
    "where", ["{0}/file", "{0}/file/below", "/dev/null", "/proc/no", "{0}/loop", "{0}/" + 300 * "a"]
)
def test_a_place_that_can_be_no_folder_is_told_and_costs_nothing(where, file, monkeypatch):
    (file.parent / "file").touch()
    (file.parent / "loop").symlink_to("loop")
    monkeypatch.setenv("GAUGEBLOCK_CACHE", where.format(file.parent))
    assert [asked(), asked()] == [1, 1] and len(told()) == 1
    trim(0)
    folder("jax")


@pytest.mark.parametrize("lock", [Path.mkdir, lambda lock: lock.symlink_to(lock), lambda lock: lock.touch(0)])
def test_a_lock_that_cannot_be_had_costs_nothing(lock, file, nobody):
    place = Path(f"{file}.lock")
    instead(place, lock)
    file.unlink()
    assert [asked(), asked()] == [1, 0]


def test_what_cannot_be_made_leaves_no_lock_and_no_file(file):
    file.unlink()
    with pytest.raises(ZeroDivisionError):
        arrays(NAME, lambda: 1 / 0)
    assert asked() == 1


def test_a_place_is_told_from_where_the_process_has_started(tmp_path, monkeypatch):
    monkeypatch.setattr(cache, "STARTED", tmp_path)
    monkeypatch.setenv("GAUGEBLOCK_CACHE", "below/here")
    monkeypatch.chdir("/")
    assert folder() == tmp_path / "below/here" and folder().is_dir()


def test_who_has_no_home_keeps_nothing_and_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr(cache, "_PROBLEMS", {})
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("GAUGEBLOCK_CACHE", raising=False)
    # as for a user who is in no table and has no HOME
    monkeypatch.setattr("platformdirs.user_cache_path", lambda name: Path("~/.cache") / name)
    assert folder() == cache.NOWHERE and not list(tmp_path.iterdir())
    assert [asked(), asked()] == [1, 1]
    assert "set GAUGEBLOCK_CACHE to another folder" in told()["Not a directory"]


def test_who_has_a_part_of_its_own_reads_what_all_have_and_writes_nothing_there(file, monkeypatch):
    monkeypatch.setenv("GAUGEBLOCK_CACHE_OWN", part("mine.py:Mine"))
    assert asked() == 0
    assert list(arrays("other", lambda: {"x": np.ones(3)})) == list(arrays("other", dict)) == ["x"]
    file.unlink()
    assert [asked(), asked()] == [1, 0] and not list(file.parent.glob("*.npz"))
    assert len(list(file.parent.glob("own/*/*.npz"))) == 2
    trim(0)
    assert not list(file.parent.glob("own/*/*.npz"))
    monkeypatch.delenv("GAUGEBLOCK_CACHE_OWN")
    assert asked() == 1


def test_runs_that_derive_the_same_at_once_make_it_once(file):
    file.unlink()
    script = (
        "import time, numpy as np; from bench.cache import arrays\n"
        "arrays('limits', lambda: print('made') or time.sleep(1) or {'x': np.ones(3)})"
    )
    runs = [subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE) for _ in range(3)]
    assert [run.communicate()[0] for run in runs].count(b"made\n") == 1


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
    low = x.astype(numpy_dtype("bfloat16"))
    assert digest({"x": low}) == digest({"x": low.copy()}) != digest({"x": -low})


def test_a_source_is_what_its_files_say(tmp_path):
    (tmp_path / "a").write_text("1")
    before = source([tmp_path / "a"])
    (tmp_path / "a").write_text("2")
    assert source([tmp_path / "a"]) != before


def test_without_platformdirs_the_cache_is_where_linux_has_caches(monkeypatch):
    """An environment that runs contenders need not have it."""
    monkeypatch.setitem(sys.modules, "platformdirs", None)
    monkeypatch.delenv(cache.PLACE, raising=False)
    assert cache._of_the_system() == Path.home() / ".cache" / "gaugeblock"
