"""The disk cache of inputs, derived limits and JAX's compiled programs.

No run fails because of it: an entry that cannot be read is made again, and one that cannot be written is
reported.
"""

import hashlib
import json
import math
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any
from uuid import uuid4
from zipfile import ZipFile, ZipInfo

import numpy as np
from numpy.typing import NDArray

Arrays = Mapping[str, NDArray[Any]]

SIZE = 8 * 2**30  # most bytes of inputs and limits
KEPT = (".npz", ".txt")  # earlier versions wrote texts to .txt
PLACE = "GAUGEBLOCK_CACHE"  # the environment variable with the folder
OWN = "GAUGEBLOCK_CACHE_OWN"  # the environment variable with the private part that a process writes to
PARTS = "own"  # the folder of private parts
NOWHERE = Path(os.devnull) / "gaugeblock"  # cannot be created: for a user without a home directory
STARTED = Path.cwd()  # before anything changes the working directory
# the members of a file: its cache key and the digest of its arrays; what they are; all their bytes
SEAL, LISTED, CONTENT = "seal", "listed", "content"
ALIGNED = 64  # bytes

_PROBLEMS: dict[str, str] = {}  # a sentence for each cause why an entry could not be written


def folder(name: str = "") -> Path:
    """The cache's folder, created if needed: GAUGEBLOCK_CACHE, or the system's folder for caches.

    If it cannot be created, entries are not kept, and `told` reports that.
    """
    told = os.environ.get(PLACE)
    path = (STARTED / told if told else _of_the_system()) / name
    with suppress(OSError):
        path.mkdir(parents=True, exist_ok=True)
    return path


def _of_the_system() -> Path:
    try:
        from platformdirs import user_cache_path
    except ModuleNotFoundError:  # may be missing in a contender's environment
        found = Path("~/.cache/gaugeblock").expanduser()
    else:
        found = user_cache_path("gaugeblock")
    return found if found.is_absolute() else NOWHERE


def kept(name: str, make: Callable[[], str]) -> str:
    """The cached text with this name; made and cached if it is missing or unreadable."""
    return str(arrays(name, lambda: {"text": np.array(make())})["text"])


def arrays(name: str, make: Callable[[], Arrays]) -> Arrays:
    """The cached arrays with this name; made and cached if they are missing or unreadable.

    A process with a private part of the cache writes there, but reads the shared part first.
    """
    if os.environ.get(OWN) and (found := _read(folder() / f"{name}.npz")) is not None:
        return found
    path = folder(os.environ.get(OWN, "")) / f"{name}.npz"
    if (found := _read(path)) is not None:
        return found
    with _alone(path):
        if (found := _read(path)) is not None:  # another process made them while this one waited
            return found
        made = make()
        _keep(path, made)
    return made


def _read(path: Path) -> Arrays | None:
    """The arrays of a file; None if it is missing, damaged, or has another entry's content."""
    try:
        if not path.is_file():  # reading a pipe might never end
            return None
        with path.open("rb") as file, ZipFile(file) as packed:
            members = {info.filename: _member(file, info) for info in packed.infolist()}
        seal, listed, content = (members.pop(f"{name}.npy") for name in (SEAL, LISTED, CONTENT))
        found = _unpacked(listed, content)
        whole = not members and str(seal) == _seal(path, found)
    except Exception:  # zipfile and NumPy raise many kinds of errors for a damaged file
        return None
    if whole:
        used(path)
    return found if whole else None


def _member(file: IO[bytes], info: ZipInfo) -> NDArray[Any]:
    """The array of a member that np.savez wrote, without its CRC: the seal says whether its bytes are right.

    np.load takes four times as long for a gigabyte.
    """
    file.seek(info.header_offset + LENGTHS)
    lengths = int.from_bytes(file.read(2), "little") + int.from_bytes(file.read(2), "little")
    file.seek(lengths, os.SEEK_CUR)
    return np.asarray(np.lib.format.read_array(file, allow_pickle=False))


LENGTHS = 26  # bytes of a local header before the lengths of its name and its extra field, which end it


def _keep(path: Path, made: Arrays) -> None:
    partial = path.with_name(f"{path.stem}.{uuid4().hex}.part.npz")
    sealed: dict[str, Any] = {SEAL: np.array(_seal(path, made)), **_packed(made)}
    try:
        np.savez(partial, **sealed)
        partial.replace(path)
    except OSError as error:
        cause = error.strerror or str(error)
        told = (
            f"cache: {path} cannot be written ({cause}): each run derives its inputs and limits again; free "
            f"space, or set {PLACE} to another folder"
        )
        tell({cause: told})
    finally:
        with suppress(OSError):
            partial.unlink(missing_ok=True)


def _packed(arrays: Arrays) -> Arrays:
    """The arrays as two: NumPy takes 50 µs to read one from a file, and an entry has dozens."""
    listed, size = [], 0
    for name, array in arrays.items():
        listed.append((name, array.dtype.str, array.shape, size))
        size += array.nbytes + -array.nbytes % ALIGNED
    packed = {LISTED: np.array(json.dumps(listed)), CONTENT: np.zeros(size, dtype=np.uint8)}
    for name, place in _unpacked(**packed).items():
        place[...] = arrays[name]
    return packed


def _unpacked(listed: NDArray[Any], content: NDArray[Any]) -> Arrays:
    found = {}
    for name, dtype, shape, start in json.loads(str(listed)):
        size = math.prod(shape) * np.dtype(dtype).itemsize
        found[name] = content[start : start + size].view(dtype).reshape(shape)
    return found


def _seal(path: Path, arrays: Arrays) -> str:
    return f"{path.stem} {digest(arrays)}"


def tell(causes: Mapping[str, str]) -> None:
    """Record why an entry could not be written, once per cause; a worker's records come with its answers."""
    for cause, sentence in causes.items():
        _PROBLEMS.setdefault(cause, sentence)


def told() -> dict[str, str]:
    """The recorded problems: a sentence for each cause why an entry could not be written."""
    return dict(_PROBLEMS)


def digest(arrays: Arrays) -> str:
    """A hash of 32 hexadecimal digits of these arrays: their names, dtypes, shapes and bits."""
    found = hashlib.sha256()
    for name, array in arrays.items():
        found.update(repr((name, array.dtype.str, array.shape)).encode())
        found.update(np.ascontiguousarray(array).reshape(-1).view(np.uint8).data)  # bfloat16 has no buffer
    return found.hexdigest()[:32]


def source(files: Iterable[Path]) -> str:
    """A hash of 32 hexadecimal digits of the contents of these files."""
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()[:32]


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Admit one process at a time, if a lock is possible; without one, some work is done twice.

    A contender's environment may lack filelock, and not every folder or file system supports locks.
    """
    lock: Any = None
    with suppress(ModuleNotFoundError, OSError, NotImplementedError):
        from filelock import FileLock

        lock = FileLock(f"{path}.lock")
        lock.acquire()
    try:
        yield
    finally:
        if lock is not None:
            lock.release()


def part(name: str) -> str:
    """The private part of the cache for this name, as a value of `OWN`."""
    return f"{PARTS}/{hashlib.sha256(name.encode()).hexdigest()[:16]}"


def _folders() -> Iterator[Path]:
    yield folder()
    with suppress(OSError):
        yield from (folder() / PARTS).iterdir()


def trim(size: int = SIZE) -> None:
    """Delete the least recently used inputs and limits, until at most `size` bytes are left."""
    found = []
    for where in _folders():
        with suppress(OSError), os.scandir(where) as entries:
            for entry in entries:
                if entry.name.endswith(KEPT) and entry.is_file(follow_symlinks=False):
                    with suppress(OSError):  # another run may have deleted it
                        found.append((entry.stat(), entry.path))
    kept = 0
    for stat, path in sorted(found, key=lambda each: each[0].st_mtime, reverse=True):
        kept += stat.st_size
        if kept > size:
            with suppress(OSError):  # the folder may be read-only
                Path(path).unlink(missing_ok=True)
                Path(f"{path}.lock").unlink(missing_ok=True)


def used(path: Path) -> None:
    """Mark this file as used now."""
    with suppress(OSError):  # the folder may be read-only
        os.utime(path)
