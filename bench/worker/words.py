"""What a worker prints and raises, and the line of it that says something."""

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

ROOT = Path(__file__).resolve().parents[2]  # where this package and its like lie, installed or not
WORDS = 2**16  # bytes of what a worker prints that are kept: of the first, and of the last
LINE = 200  # characters of a line that are told
FATAL, CURRENT, STACK = "Fatal Python error: ", "Current thread ", "Stack (most "  # faulthandler's own words
FRAME = re.compile(r' *File "(.*)", line (\d+) in (.*)')
PAGES = (str(ROOT / "suites"), str(ROOT / "reference"))
LIBRARIES = (
    "<",
    str(ROOT / "bench"),
    *{sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")},
)


class Words:
    """What a process prints, as far as it is kept: a flood goes by."""

    def __init__(self) -> None:
        self._folder = tempfile.mkdtemp(prefix="gaugeblock-")
        self.path = os.path.join(self._folder, "words")
        os.mkfifo(self.path)
        end = os.open(self.path, os.O_RDONLY | os.O_NONBLOCK)
        self._open = [os.open(self.path, os.O_WRONLY)]  # until `close` there is somebody who may write
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
        """Take the name away: who writes has opened it, and who asks may be ended before it closes this."""
        if self._folder:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = ""

    def close(self) -> None:
        """Hear what was written so far, and no more; its writers should be gone."""
        with suppress(IndexError):  # closed already
            os.close(self._open.pop())
            self._listener.join(timeout=1.0)
            self.opened()

    def lines(self) -> list[str]:
        """Lines that say something, without what would move a cursor."""
        text = (self._first + self._last).decode(errors="replace")
        printable = ("".join(c if c.isprintable() else " " for c in line) for line in text.splitlines())
        return [line.rstrip() for line in printable if line.strip()]


def raised(error: BaseException) -> str:
    """What was raised, and where in a page or plug-in."""
    what = " ".join(traceback.format_exception_only(error)[-1].split())
    stack = traceback.extract_tb(error.__traceback__)[::-1]
    if isinstance(error, SyntaxError) and error.filename and _ours(error.filename):  # no frame has run it
        return f"{what} ({Path(error.filename).name}, line {error.lineno})"
    places = [
        f", in {at.name} ({Path(at.filename).name}, line {at.lineno})" for at in stack if _ours(at.filename)
    ]
    return f"{what if len(what) <= LINE else f'{what[: LINE - 2]} …'}{''.join(places[:1])}"


def cause(lines: Sequence[str], ended: str) -> str:
    """The line that says why a process ended: faulthandler's first, or the last of one that ended itself."""
    fatal = next((line for line in lines if line.startswith(FATAL)), "")
    if fatal:
        before = lines[: lines.index(fatal)][-1:] if "Aborted" in fatal else []
        said = f", after {before[0][:LINE]!r}" if before else ""
        return f"{fatal}{frame(lines, CURRENT)}{said}"
    return "" if "signal" in ended else "".join(lines[-1:])[:LINE]


def frame(lines: Sequence[str], head: str) -> str:
    """The innermost frame below the last line that begins with `head`, if it can be of no library."""
    heads = [number for number, line in enumerate(lines) if line.startswith(head)]
    below = lines[heads[-1] + 1 :] if heads else []
    frames = [found.groups() for found in takewhile(bool, map(FRAME.match, below)) if found]
    ours = [each for each in frames if _ours(each[0])]
    for file, line, name in (ours or frames)[:1]:
        return f", in {name} ({Path(file).name}, line {line})"
    return ""


def _ours(file: str) -> bool:
    """Whether it is of a page or a plug-in."""
    return file.startswith(PAGES) or not file.startswith(LIBRARIES)
