"""A campaign's folder in two archives, which are all that must be brought home."""

import os
import tarfile
from contextlib import suppress
from pathlib import Path

RUNS, FAILURES = "runs.tar.gz", "failures.tar.gz"
SMALL = 200_000  # bytes of a failing cell's values, beyond which they stay where they are
ROOM = 14 * 2**20  # bytes of all of them: larger files may not come home


def pack(folder: Path, into: Path) -> None:
    """Rows, records, roofs and logs in one archive; of failing cells the records and small values in another.

    An archive is there whole or not at all, and so is the one before it.
    """
    files = sorted(each for each in folder.rglob("*") if each.is_file() and not _left(each))
    failed = {each: _size(each) for each in files if "failures" in each.parts}
    _write(into / RUNS, folder, [each for each in files if each not in failed])
    kept, room = [], ROOM
    for each in sorted(failed, key=lambda file: (file.name != "cell.json", failed[file])):
        if each.name in ("cell.json", "got.npz") and failed[each] <= min(SMALL, room):
            kept.append(each)
            room -= failed[each]
    _write(into / FAILURES, folder, kept)


def _left(file: Path) -> bool:
    return file.name.startswith((RUNS, FAILURES, ".lock")) or file.name.endswith(".part")


def _size(file: Path) -> int:
    try:
        return file.stat().st_size
    except OSError:  # it was there a moment ago
        return 0


def _write(archive: Path, folder: Path, files: list[Path]) -> None:
    part = archive.with_name(f"{archive.name}.part")
    with tarfile.open(part, "w:gz", compresslevel=6) as opened:
        for each in files:
            with suppress(FileNotFoundError):  # written aside, and renamed by now
                opened.add(each, each.relative_to(folder), recursive=False)
    os.replace(part, archive)
