"""Regressions that are accepted on purpose: a small file in the user's repository, with reasons and dates."""

import json
import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from fnmatch import fnmatchcase
from pathlib import Path

FILE = Path("gaugeblock-accepted.toml")
HEAD = "# Regressions that `gaugeblock gate` accepts until a date. Written by `gaugeblock gate --accept`.\n"


@dataclass(frozen=True)
class Accepted:
    """A cell, or a pattern of cells with * and ?, whose regression is accepted until a date, and why."""

    cell: str
    why: str
    until: date

    def covers(self, name: str, today: date) -> bool:
        """Whether it accepts a regression of the cell with that name on that day."""
        return today <= self.until and fnmatchcase(name, self.cell)


def read(file: Path = FILE) -> list[Accepted]:
    """What the file accepts; nothing if there is none. Raises ValueError for one that is malformed."""
    try:
        text = file.read_text(encoding="utf-8")
    except FileNotFoundError:
        return []
    try:
        found = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ValueError(f"{file}: got {error}, should be TOML") from None
    entries = found.get("accepted", [])
    if found.keys() - {"accepted"} or not isinstance(entries, list):
        raise ValueError(f"{file}: got {', '.join(found)}, should have [[accepted]] tables only")
    return [_accepted(file, number, each) for number, each in enumerate(entries, 1)]


def _accepted(file: Path, number: int, entry: object) -> Accepted:
    if not isinstance(entry, dict) or entry.keys() != {"cell", "why", "until"}:
        got = ", ".join(entry) if isinstance(entry, dict) else repr(entry)
        raise ValueError(f"{file}: entry {number} has {got or 'nothing'}, should have cell, why and until")
    cell, why, until = entry["cell"], entry["why"], entry["until"]
    if not all(isinstance(each, str) and each.strip() for each in (cell, why)):
        raise ValueError(f"{file}: entry {number} has cell {cell!r} and why {why!r}, should be two texts")
    if type(until) is not date:
        raise ValueError(f"{file}: entry {number} has until {until!r}, should be a date like 2027-01-31")
    return Accepted(cell, why, until)


def accept(cell: str, why: str, until: str, file: Path = FILE) -> Accepted:
    """Add an entry to the file, in the place of one for the same cell. Raises ValueError for bad values."""
    try:
        day = date.fromisoformat(until)
    except ValueError:
        raise ValueError(f"--until: got {until!r}, should be a date like 2027-01-31") from None
    if not why.strip():
        raise ValueError("--why: got nothing, should be the reason why this regression is accepted")
    if not cell.strip():
        raise ValueError("--accept: got nothing, should be the name of a cell, or a pattern with * and ?")
    found = Accepted(cell, why, day)
    write([*(each for each in read(file) if each.cell != cell), found], file)
    return found


def write(entries: Iterable[Accepted], file: Path) -> None:
    """Write the file whole, or leave the old one unchanged."""
    from bench.store.results import write as whole

    parts = [
        f"[[accepted]]\ncell = {_quoted(each.cell)}\nwhy = {_quoted(each.why)}\nuntil = {each.until}\n"
        for each in entries
    ]
    whole(file, "\n".join([HEAD, *parts]))


def _quoted(text: str) -> str:
    """As a TOML string: a JSON string is one, but for DEL, which JSON leaves unescaped."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def expired(entries: Sequence[Accepted], today: date) -> list[Accepted]:
    """The entries whose date is past."""
    return [each for each in entries if today > each.until]
