"""Packs a campaign's folder into two archives; copying these from the machine is enough."""

import os
import tarfile
from contextlib import suppress
from pathlib import Path

RUNS, FAILURES = "runs.tar.gz", "failures.tar.gz"
SMALL = 200_000  # bytes; larger outputs of a failed cell are not packed
ROOM = 14 * 2**20  # most bytes of all packed outputs: a larger archive may not be copied back


def pack(folder: Path, into: Path) -> None:
    """Write one archive with rows, records, roofs and logs, and one with records and outputs of failed cells.

    An archive is replaced only when the new one is complete.
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
    except OSError:  # it has been deleted
        return 0


def _write(archive: Path, folder: Path, files: list[Path]) -> None:
    part = archive.with_name(f"{archive.name}.part")
    with tarfile.open(part, "w:gz", compresslevel=6) as opened:
        for each in files:
            with suppress(FileNotFoundError):  # a temporary file that has been renamed
                opened.add(each, each.relative_to(folder), recursive=False)
    os.replace(part, archive)
