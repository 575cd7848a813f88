"""Finds files, lines and issues in the source of a known departure, which is prose."""

import re

PATH = re.compile(
    r"(?P<path>[A-Za-z_][\w.+-]*(?:/[\w.+-]+)+\.(?:py|cpp|cc|cu|h|c|proto|yaml))(?::(?P<line>\d+))?"
)
ISSUE = re.compile(r"\b(?P<repository>[\w.-]+/[\w.-]+)#(?P<number>\d+)\b")


def split(source: str) -> tuple[str, int | None, str]:
    """The first file of a source, its line, and the first issue; empty, or None, for what is not there."""
    file, issue = PATH.search(source), ISSUE.search(source)
    line = int(file["line"]) if file and file["line"] else None
    return file["path"] if file else "", line, issue[0] if issue else ""
