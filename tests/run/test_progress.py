"""What a run says while it lasts, and that the rest of what pytest prints is as it is without."""

import os
import re
import subprocess
import sys
from types import SimpleNamespace

import pytest

from bench.cells.cell import cell_of
from bench.run import progress
from bench.run.progress import State, lasting, state
from tests.rows import row
from tests.runs import FEW, RUN, suites
from tests.test_arrows import ROOT

NUMPY = [*FEW, "--backend", "numpy"]
WIDTH, HEIGHT = 80, 200


# what it says


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.2, "0 s"), (49.6, "50 s"), (60, "1 min"), (234, "3 min 50 s"), (299, "5 min"), (3595, "60 min"),
        (3600, "1 h"), (3900, "1 h 5 min"), (90_000, "25 h"),
    ],
)  # fmt: skip
def test_a_length_of_time_reads_as_words(seconds, text):
    assert lasting(seconds) == text


def test_verdicts_are_told_with_their_rate_and_the_time_left_has_the_speeds_that_follow():
    early = State(2685, 1234, speeds=10, ahead=50.0, judging=200.0)
    assert early.rate == pytest.approx(6.17)
    assert early.left == pytest.approx(1451 / 6.17 + 50)  # not 1451 / 6.17, nor the mean of both
    assert str(early) == "1,234 of 2,685 cells, 6.2/s, 4 min 50 s left"


def test_speeds_take_as_long_as_announced_until_those_so_far_say_otherwise():
    def left(timed, seconds):
        behind = 5.0 * timed
        return State(100, 100, 0, 20, timed, 100 - behind, behind, judging=60.0, timing=seconds)

    assert left(0, 0.0).left == 100
    assert left(1, 4.0).left == 95  # too early
    assert left(4, 40.0).left == 160  # twice as slow as announced
    assert str(left(4, 40.0)) == "100 of 100 cells, 4 of 20 speeds, 2 min 40 s left"


def test_before_a_rate_says_anything_there_is_no_time_left():
    assert str(State(100, 1, judging=9.0)) == "1 of 100 cells"
    assert str(State(100, 1, judging=10.0)) == "1 of 100 cells, 0.10/s, 16 min 30 s left"


def test_what_a_continued_run_has_taken_over_is_done_and_makes_it_no_faster():
    assert State(100, 60, kept=50, judging=10.0).rate == 1.0


def test_a_session_is_as_far_as_its_rows_say():
    done, timed, late = (row(seed=seed) for seed in range(3))
    cells = [cell_of(each.as_dict()) for each in (done, timed, late)]
    rows = dict(zip(map(str, cells[:2]), (done, timed), strict=True))
    session = SimpleNamespace(rows=rows, begun=100.0, timing=7.0, complete=lambda cell: cell == cells[1])
    found = state([*map(str, cells)], {cells[1]: 5.0, cells[2]: 0.6}, 1, session, now=147.0)
    assert found == State(3, 2, 1, 2, 1, 0.6, 5.0, judging=40.0, timing=7.0)


def test_the_rate_is_that_of_the_last_minute_and_without_the_time_of_speeds(monkeypatch):
    now = [0.0]
    monkeypatch.setattr(progress, "monotonic", lambda: now[0])
    cells = [cell_of(row(seed=seed).as_dict()) for seed in range(1000)]
    session = SimpleNamespace(rows={}, begun=0.0, timing=0.0, complete=lambda cell: False)
    told = progress.telling(cells, {}, 0, session)
    for second in range(200):  # one a second, then four, where half of the time goes to speeds
        now[0] += 1.0
        session.timing += 0.5 if second >= 100 else 0.0
        for cell in cells[len(session.rows) :][: 1 if second < 100 else 2]:
            session.rows[str(cell)] = None
        text = told()
        if second in (99, 199):
            assert f", {1.0 if second == 99 else 3.5}/s, " in text, text  # 10 s of one and 50 of four
    for cell in cells[len(session.rows) :][:20]:
        now[0] += 1.0
        session.rows[str(cell)] = None
    assert "4.0/s" not in told()


# when it says it


class Reporter:
    """Stands for pytest's reporter, and keeps the lines that it writes."""

    def __init__(self, isatty=False):
        self.isatty, self.lines = isatty, []

    def write_line(self, text):
        self.lines.append(text)

    def flush(self):
        pass


def config(reporter, verbosity=0, capture="fd"):
    plugins = {"terminalreporter": reporter}
    return SimpleNamespace(
        pluginmanager=SimpleNamespace(get_plugin=plugins.get), get_verbosity=lambda: verbosity,
        option=SimpleNamespace(capture=capture),
    )  # fmt: skip


@pytest.fixture
def clock(monkeypatch):
    """A clock that a test sets, where nobody says that this is CI."""
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    now = [1000.0]
    monkeypatch.setattr(progress, "monotonic", lambda: now[0])
    return now


@pytest.mark.parametrize(("variable", "lines"), [("", 10), ("false", 10), ("true", 1), ("1", 1)])
def test_a_file_gets_a_line_every_30_seconds_and_in_ci_every_five_minutes(
    clock, monkeypatch, variable, lines
):
    monkeypatch.setenv("CI", variable)
    reporter = Reporter()
    shown = progress.progress(config(reporter), lambda: f"at {clock[0]:.0f}")
    for _ in range(301):
        shown()
        clock[0] += 1
    assert len(reporter.lines) == lines
    assert reporter.lines[0] == f"at {1300 if lines == 1 else 1030}"


def test_a_terminal_of_ci_gets_lines_and_any_other_one_that_is_overwritten(clock, monkeypatch):
    assert progress.progress(config(Reporter(isatty=True)), str).screen == (sys.platform != "win32")
    for variable, value in (("CI", "true"), ("TERM", "dumb")):
        monkeypatch.setenv(variable, value)
        assert not progress.progress(config(Reporter(isatty=True)), str).screen
        monkeypatch.setenv(variable, "")
    assert not progress.progress(config(Reporter(isatty=True), capture="no"), str).screen


def test_who_wants_quiet_gets_nothing(clock):
    assert progress.progress(config(Reporter(), verbosity=-1), str) is None
    assert progress.progress(config(None), str) is None


def test_under_v_no_line_comes_between_a_name_and_its_outcome(clock):
    for verbosity, lines in ((0, 1), (1, 0)):
        reporter = Reporter()
        shown = progress.progress(config(reporter, verbosity), lambda: "text")
        clock[0] += 60
        shown.waits()
        assert len(reporter.lines) == lines


def test_nothing_is_written_while_there_is_nothing_to_say(clock):
    reporter = Reporter()
    shown = progress.progress(config(reporter), lambda: "")
    clock[0] += 60
    shown()
    assert reporter.lines == []


# how it looks


def screen(text):
    """What stands on a terminal after this text, as lines. Raises KeyError for a sequence that it lacks."""
    lines, line, column = [""], 0, 0
    for part in re.findall(r"\x1b\[\??[\d;]*[A-Za-z]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|.|\n|\r", text):
        if part == "\n":
            line += 1
            lines += [""] * (line + 1 - len(lines))
        elif part == "\r":
            column = 0
        elif part.startswith("\x1b["):
            number = int(re.sub(r"\D", "", part) or 1)
            if part[-1] == "A":
                line -= number
            elif part[-1] == "C":
                column += number
            elif part[-1] == "K":
                lines[line] = ""
            elif part[-1] == "J":
                lines[line:] = [lines[line][:column]]
            elif part[-1] != "m":
                raise KeyError(part)
        elif not part.startswith("\x1b"):
            if column == WIDTH:
                line, column = line + 1, 0
                lines += [""] * (line + 1 - len(lines))
            lines[line] = lines[line][:column].ljust(column) + part + lines[line][column + 1 :]
            column += 1
    return lines


# a run whose screen is written as often as it can be, and whose every wait is one in which it is
EAGER = (
    "import bench.run.progress as progress, bench.run.session as session; "
    "progress.SCREEN = {}; session.POLL = 0.01; "
)


def on_terminal(folder, *arguments, pause=0.0):
    """What such a run writes to a terminal, and its exit code."""
    import pty
    import termios

    python, flag, code, *rest = RUN
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (HEIGHT, WIDTH))
    given = {**os.environ, "TERM": "xterm", "CI": "", "PYTHONPATH": str(ROOT)}
    given.pop("COLUMNS", None)
    command = [python, flag, EAGER.format(pause) + code, *rest, "--no-header", *arguments]
    with subprocess.Popen(command, cwd=folder, stdout=theirs, stderr=theirs, env=given) as running:
        os.close(theirs)
        parts = []
        while True:
            try:
                part = os.read(ours, 65536)
            except OSError:  # the other end is closed
                break
            if not part:
                break
            parts.append(part)
    os.close(ours)
    return b"".join(parts).decode(errors="replace"), running.returncode


@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo terminal")
@pytest.mark.parametrize("flag", ["--tb=short", "-v", "-vv"])
def test_a_terminal_shows_the_progress_and_is_left_as_pytest_alone_would_leave_it(tmp_path, flag):
    for name in ("told", "silent"):
        (tmp_path / name).mkdir()
    told, code = on_terminal(tmp_path / "told", *NUMPY, flag, "--results", "run")
    silent, same = on_terminal(tmp_path / "silent", *NUMPY, flag, "--results", "run", pause=1e9)
    assert code == same == 0
    assert re.search(r"\d of \d+ cells?", told) and progress.ERASE in told
    assert not re.search(r"\d of \d+ cells?, \d", silent) and progress.ERASE not in silent

    def kept(text):
        """The lines up to the report, which has the times of its run."""
        lines = [line.rstrip() for line in screen(text)]
        return lines[: lines.index("Findings")]

    assert kept(told) == kept(silent)


def test_a_file_has_no_escape_sequence_and_a_short_run_no_line_of_progress(tmp_path):
    done = suites(tmp_path, *NUMPY)
    assert done.returncode == 0 and "\x1b" not in done.stdout
    assert not re.search(r"\d of \d+ cells?", done.stdout.partition("Findings")[0])


def test_a_file_of_a_long_run_has_lines_of_its_own(tmp_path):
    python, flag, code, *rest = RUN
    often = "import bench.run.progress as progress; progress.FILE = 0.0; "
    given = {name: value for name, value in os.environ.items() if name != "CI"}
    done = subprocess.run(
        [python, flag, often + code, *rest, *NUMPY],
        cwd=tmp_path, capture_output=True, text=True, encoding="utf-8", check=False, env=given,
    )  # fmt: skip
    lines = [line for line in done.stdout.splitlines() if re.fullmatch(r"\d of \d+ cells?.*", line)]
    assert done.returncode == 0, done.stdout[-2000:]
    # the first while a test waits for its cell, when pytest keeps what a test prints to itself
    assert lines[0].startswith("0 of ") and not lines[-1].startswith("0 of ")
    assert re.search(r"\n=+ .*\d passed.* =+\n", done.stdout)
