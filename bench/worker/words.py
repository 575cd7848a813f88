"""Collects what a worker prints and raises, and picks the line that explains its end."""

import os
import re
import shutil
import sysconfig
import tempfile
import threading
import traceback
from collections.abc import Sequence
from contextlib import suppress
from itertools import takewhile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]  # the folder of our packages: the repository, or site-packages
WORDS = 2**16  # bytes of a worker's output that are kept from its start, and from its end
LINE = 200  # most characters of a line in a message
FATAL, CURRENT, STACK = "Fatal Python error: ", "Current thread ", "Stack (most "  # printed by faulthandler
FRAME = re.compile(r' *File "(.*)", line (\d+) in (.*)')
PAGES = (str(ROOT / "suites"), str(ROOT / "reference"))
LIBRARIES = (
    "<",
    str(ROOT / "bench"),
    *{sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")},
)


class Words:
    """The output of a process: its first and last `WORDS` bytes."""

    def __init__(self) -> None:
        self._folder = tempfile.mkdtemp(prefix="gaugeblock-")
        self.path = os.path.join(self._folder, "words")
        os.mkfifo(self.path)
        end = os.open(self.path, os.O_RDONLY | os.O_NONBLOCK)
        self._open = [os.open(self.path, os.O_WRONLY)]  # keeps the pipe open until `close`
        os.set_blocking(end, True)
        self._first = self._last = b""
        self._listener = threading.Thread(target=self._listen, args=(end,), daemon=True)
        self._listener.start()

    def _listen(self, end: int) -> None:
        while heard := os.read(end, WORDS):
            room = WORDS - len(self._first)
            self._first += heard[:room]
            self._last = (self._last + heard[room:])[-WORDS:]
        os.close(end)

    def opened(self) -> None:
        """Delete the pipe's file once the worker has it open: this process may be killed before `close`."""
        if self._folder:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = ""

    def close(self) -> None:
        """Read what was written so far, and stop; the writers should have ended."""
        with suppress(IndexError):  # closed already
            os.close(self._open.pop())
            self._listener.join(timeout=1.0)
            self.opened()

    def lines(self) -> list[str]:
        """The nonblank lines, without control characters."""
        text = (self._first + self._last).decode(errors="replace")
        printable = ("".join(c if c.isprintable() else " " for c in line) for line in text.splitlines())
        return [line.rstrip() for line in printable if line.strip()]


def raised(error: BaseException) -> str:
    """The exception as text, with its place in a page or plug-in."""
    what = " ".join(traceback.format_exception_only(error)[-1].split())
    stack = traceback.extract_tb(error.__traceback__)[::-1]
    if isinstance(error, SyntaxError) and error.filename and _ours(error.filename):  # no frame has run it
        return f"{what} ({Path(error.filename).name}, line {error.lineno})"
    places = [
        f", in {at.name} ({Path(at.filename).name}, line {at.lineno})" for at in stack if _ours(at.filename)
    ]
    return f"{what if len(what) <= LINE else f'{what[: LINE - 2]} …'}{''.join(places[:1])}"


def cause(lines: Sequence[str], ended: str) -> str:
    """The line that says why a process ended: faulthandler's first, else the last if it exited itself."""
    fatal = next((line for line in lines if line.startswith(FATAL)), "")
    if fatal:
        before = lines[: lines.index(fatal)][-1:] if "Aborted" in fatal else []
        said = f", after {before[0][:LINE]!r}" if before else ""
        return f"{fatal}{frame(lines, CURRENT)}{said}"
    return "" if "signal" in ended else "".join(lines[-1:])[:LINE]


def frame(lines: Sequence[str], head: str) -> str:
    """The innermost frame below the last line that starts with `head`, if possible outside of libraries."""
    heads = [number for number, line in enumerate(lines) if line.startswith(head)]
    below = lines[heads[-1] + 1 :] if heads else []
    frames = [found.groups() for found in takewhile(bool, map(FRAME.match, below)) if found]
    ours = [each for each in frames if _ours(each[0])]
    for file, line, name in (ours or frames)[:1]:
        return f", in {name} ({Path(file).name}, line {line})"
    return ""


def _ours(file: str) -> bool:
    """Whether the file belongs to a page or a plug-in."""
    return file.startswith(PAGES) or not file.startswith(LIBRARIES)
