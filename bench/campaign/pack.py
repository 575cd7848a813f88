"""A campaign's folder in two archives, which are all that must be brought home."""

import os
import tarfile
from pathlib import Path

RUNS, FAILURES = "runs.tar.gz", "failures.tar.gz"
SMALL = 200_000  # bytes of a failing cell's values, beyond which they stay where they are


def pack(folder: Path, into: Path) -> None:
    """Rows, records, roofs and logs in one archive; of failing cells the records and small values in another.

    An archive is there whole or not at all, and so is the one before it.
    """
    files = sorted(each for each in folder.rglob("*") if each.is_file() and not _left(each))
    failed = [each for each in files if "failures" in each.parts]
    _write(into / RUNS, folder, [each for each in files if each not in failed])
    kept = [each for each in failed if each.name in ("cell.json", "got.npz") and each.stat().st_size <= SMALL]
    _write(into / FAILURES, folder, kept)


def _left(file: Path) -> bool:
    return file.name.startswith((RUNS, FAILURES, ".lock"))


def _write(archive: Path, folder: Path, files: list[Path]) -> None:
    part = archive.with_name(f"{archive.name}.part")
    with tarfile.open(part, "w:gz", compresslevel=6) as opened:
        for each in files:
            opened.add(each, each.relative_to(folder), recursive=False)
    os.replace(part, archive)
