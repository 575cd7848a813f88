"""A worker process: where it serves, and what it says when it goes."""

import re
import tempfile
import time
from contextlib import contextmanager, suppress
from dataclasses import asdict, replace

import psutil
import pytest

from bench import cache
from bench.backends.numpy import NumPy
from bench.cells.cell import Cell
from bench.contender.prepare import THREADS, instance
from bench.run import work
from bench.speed import kept, timed
from bench.speed.sets import FEWER, SETS
from bench.speed.timing import Sample
from bench.verdict.judge import run
from bench.worker import WORDS, Died, Worker


def test_a_worker_serves_in_its_main_thread():
    """Else execnet may pick another, where no signal can be set."""
    worker = Worker({"GAUGEBLOCK_EXAMPLE": "1"})
    try:
        assert worker._gateway.remote_status().execmodel == "main_thread_only"
        assert worker.request("os:getpid") == worker.pid
    finally:
        worker.close()


def test_an_unknown_function_ends_the_worker_with_its_words():
    worker = Worker({})
    try:
        with pytest.raises(Died, match="no attribute 'fly'"):
            worker.request("bench.speed.timed:fly")
    finally:
        worker.close()


@contextmanager
def started():
    worker = Worker({})
    try:
        yield worker
    finally:
        worker.close()


def run_by(worker, code):
    return worker.request("builtins:exec", code)


DEATHS = {
    "import os; print('last words', flush=True); os._exit(3)": "exit code 3: last words",
    "import os; os._exit(0)": "exit code 0",
    "import ctypes; ctypes.string_at(0)": (
        r"ended by signal 11 \(SIGSEGV\): Fatal Python error: Segmentation fault, in .*"
    ),
    "import os; print('CHECK failed: x', flush=True); os.abort()": (
        r"ended by signal 6 \(SIGABRT\): Fatal Python error: Aborted, in .*, after 'CHECK failed: x'"
    ),
    "import os; os.kill(os.getpid(), 4)": r"ended by signal 4 \(SIGILL\): Fatal Python error: Illegal .*",
    "import os; print('noise', flush=True); os.kill(os.getpid(), 9)": (
        r"ended by signal 9 \(SIGKILL\), which is what the system does for want of memory"
    ),
    "import signal, time; signal.alarm(1); time.sleep(9)": r"ended by signal 14 \(SIGALRM\)",
    "raise SystemExit(3)": "SystemExit: 3",
    "raise KeyboardInterrupt": "KeyboardInterrupt",
    "raise type('Evil', (Exception,), {'__str__': lambda self: 1 / 0})": ".*Evil: <exception str.*failed>",
    "raise ValueError('a\\nb' * 999)": r"ValueError: a ba b.* …",
    "import os, time\nif os.fork(): os._exit(4)\ntime.sleep(60)": "exit code 4",  # its child has the channel
}


@pytest.mark.parametrize("seconds", [0, 2])
def test_a_worker_that_ends_before_the_first_request_says_why(seconds):
    worker = Worker({"A": "\0"})
    try:
        time.sleep(seconds)
        with pytest.raises(Died, match="the worker died: ValueError: embedded null byte"):
            worker.request("os:getpid")
    finally:
        worker.close()


@pytest.mark.parametrize("code", DEATHS)
def test_a_death_is_told_with_how_it_ended_and_the_line_that_says_why(code):
    with started() as worker, pytest.raises(Died) as caught:
        run_by(worker, code)
    assert re.fullmatch(f"the worker died: {DEATHS[code]}", str(caught.value)), str(caught.value)


def test_a_fault_is_told_with_the_innermost_line_of_the_page_or_plug_in(tmp_path):
    (tmp_path / "mine.py").write_text(
        "import ctypes, time\ndef put():\n    ctypes.string_at(0)\ndef hang():\n    time.sleep(60)\n"
        "def fail():\n    import json; json.loads('{')\n"
    )
    load = f"import sys; sys.path.insert(0, {str(tmp_path)!r}); import mine; "
    for call, where in (("put", "line 3"), ("hang", "line 5"), ("fail", "line 7")):
        with started() as worker, pytest.raises(Died, match=rf", in {call} \(mine.py, {where}\)"):
            assert worker.pid  # it stands, however long that takes
            worker.timeout = 3
            run_by(worker, f"{load}mine.{call}()")


@pytest.mark.parametrize(
    "code", ["import time; time.sleep(60)", "import os; os.kill(os.getpid(), 19)", "while True: pass"]
)
def test_who_gives_no_answer_is_ended(code):
    with started() as worker:
        pid, worker.timeout = worker.pid, 1.0
        with pytest.raises(Died, match=r"gave no answer in 1 s.*, and was ended"):
            run_by(worker, code)
        assert not psutil.pid_exists(pid)


def test_an_answer_that_takes_long_is_waited_for():
    with started() as worker:
        worker.timeout = 9
        assert worker.request("builtins:eval", "__import__('time').sleep(1.2)") is None


def test_who_closes_its_channel_is_ended(monkeypatch):
    monkeypatch.setattr("bench.worker.process.GRACE", 0.3)
    with started() as worker, pytest.raises(Died, match="the worker died: it closed its channel"):
        run_by(worker, "import os, time; os.closerange(0, 99); time.sleep(60)")


def test_who_closes_what_it_prints_to_works_on():
    with started() as worker:
        run_by(
            worker, "import os, sys; sys.stdin.close(); sys.stdout.close(); [os.close(n) for n in (0, 1, 2)]"
        )
        assert worker.request("builtins:len", "four") == 4
        with pytest.raises(Died, match="Fatal Python error: Segmentation fault"):
            run_by(worker, "import ctypes; ctypes.string_at(0)")


def test_a_flood_goes_by_and_its_first_and_last_lines_are_kept(monkeypatch, tmp_path):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    before = psutil.Process().memory_info().rss
    with started() as worker, pytest.raises(Died, match="exit code 5: last"):
        run_by(
            worker,
            "import os; os.write(1, b'first\\n'); [os.write(1, b'x' * 2**20) for _ in range(1000)]; "
            "os.write(2, b'\\nlast\\n'); os._exit(5)",
        )
    lines = worker._words.lines()
    assert (lines[0], lines[-1]) == ("first", "last") and sum(map(len, lines)) <= 2 * WORDS
    assert psutil.Process().memory_info().rss - before < 2**26
    assert not list(tmp_path.iterdir())  # nothing of it was on a disk, and nothing is left


def test_a_thread_that_floods_on_between_two_requests_fills_nothing():
    noise = "import os\ndef flood():\n    while True: os.write(1, b'x' * 9999)"
    with started() as worker:
        run_by(
            worker,
            f"exec({noise!r}, globals := {{}})\nimport threading\n"
            "threading.Thread(target=globals['flood'], daemon=True).start()",
        )
        time.sleep(0.5)
        assert worker.request("builtins:len", "four") == 4
        assert len(worker._words._first) == len(worker._words._last) == WORDS


@pytest.mark.parametrize("end", ["", "os._exit(3)", "time.sleep(60)"])
def test_what_a_worker_has_started_ends_with_it(end, tmp_path):
    code = (
        "import os, subprocess, time\n"
        "one = subprocess.Popen(['sleep', '60'])\n"
        "other = subprocess.Popen(['sleep', '60'], start_new_session=True)\n"
        f"open({str(tmp_path / 'pids')!r}, 'w').write(f'{{one.pid}} {{other.pid}}')\n{end}"
    )
    worker = Worker({})
    worker.timeout = 1.5
    try:
        run_by(worker, code)
    except Died:
        assert end
    worker.close()
    pids = list(map(int, (tmp_path / "pids").read_text().split()))
    if end == "os._exit(3)":  # who has gone off by itself and lost its parent is nobody's any more
        psutil.Process(pids.pop()).kill()
    gone = time.monotonic() + 5
    while any(map(running, pids)) and time.monotonic() < gone:
        time.sleep(0.05)
    assert not any(map(running, pids))


def running(pid):
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_a_fork_that_comes_back_does_not_answer_for_its_parent():
    with started() as worker:
        for n in range(3):
            assert worker.request("builtins:eval", f"__import__('os').fork() and {n} or {n}") == n
        with pytest.raises(Died, match="ZeroDivisionError"):
            run_by(worker, "import os; os.fork(); 1 / 0")
        assert worker.request("builtins:len", "four") == 4


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ("object()", "can't serialize <class 'object'>"),
        ("'x' * 2**27", "has 134217746 bytes, should have 67108864 at most"),
    ],
)
def test_an_answer_that_cannot_be_sent_is_told_and_the_worker_serves_on(answer, words):
    with started() as worker:
        with pytest.raises(Died, match=words):
            worker.request("builtins:eval", answer)
        assert worker.request("builtins:len", "four") == 4


def test_what_a_worker_could_not_keep_is_told_where_it_was_asked(monkeypatch, tmp_path):
    monkeypatch.setattr(cache, "_PROBLEMS", {})
    monkeypatch.setenv("GAUGEBLOCK_CACHE", str(tmp_path / "file"))
    (tmp_path / "file").touch()
    with started() as worker:
        for name in "ab":
            worker.request("builtins:exec", f"from bench.cache import kept; kept({name!r}, str)")
    (sentence,) = cache.told().values()
    assert sentence.startswith(f"cache: {tmp_path}/file/a.npz cannot be written (Not a directory)")


def test_no_worker_leaves_anything_behind(monkeypatch, tmp_path):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    before = psutil.Process().children()  # multiprocessing keeps one, where another test started a pool
    with started() as worker:
        run_by(worker, "0")
        assert not list(tmp_path.iterdir())  # whoever is ended before it closes its workers
    for code in ("0", "import os; os._exit(1)"):
        with started() as worker, suppress(Died):
            run_by(worker, code)
    assert not list(tmp_path.iterdir()) and psutil.Process().children() == before


@pytest.mark.parametrize("environment", [{"A": "\0"}, {"A=B": "1"}])
def test_an_environment_that_cannot_be_set_is_a_death_with_its_reason(environment):
    worker = Worker(environment)
    try:
        with pytest.raises(Died, match=r"ValueError: (embedded null byte|illegal environment variable name)"):
            worker.request("os:getpid")
    finally:
        worker.close()


def test_a_variable_that_holds_the_mark_of_execnet_is_set_all_the_same():
    worker = Worker({"XLA_FLAGS": "a//b", "OTHER": "c"})
    try:
        found = worker.request(
            "builtins:eval", "[__import__('os').environ[n] for n in ('XLA_FLAGS', 'OTHER')]"
        )
    finally:
        worker.close()
    assert found == ["a//b", "c"]


def test_a_thread_setting_that_does_not_take_is_an_error(monkeypatch):
    cell = Cell(
        "relu", "plain", "typical", "small", "reference.activation.relu", "numpy", "eager", "cpu", "float64",
        "forward",
    )  # fmt: skip
    for asked, status in (("1", "error"), ("2", "agrees")):
        instance.cache_clear()
        monkeypatch.setenv(THREADS, asked)
        monkeypatch.setattr(NumPy, "threads", lambda self: 2)
        row = run(cell)
        assert row.status == status, row.why
        assert ("reads back 2 threads, should be the 1 it was started with" in row.why) == (asked == "1")
    instance.cache_clear()


@pytest.fixture(autouse=True)
def empty():
    """A process that has judged and timed nothing."""
    yield
    for each in (kept._KEPT, kept._BUILT, timed._CALLS):
        each.clear()


@pytest.mark.parametrize(("room", "count"), [(2**30, 2), (50_000_000, 1), (0, 0)])
def test_contenders_of_headlines_are_kept_while_their_inputs_fit(monkeypatch, room, count):
    monkeypatch.setattr(kept, "ROOM", room)
    for contender in ("one", "other"):  # each has inputs of 40 MB
        cell = Cell(
            "linear-regression", "plain", "typical", "hundred-thousand", contender, "numpy", "eager", "cpu",
            "float32", "",
        )  # fmt: skip
        kept.keep(cell, "ready")
    assert len(kept._KEPT) == count


@pytest.mark.parametrize("judged", [True, False])
@pytest.mark.parametrize("most", [kept.MOST, 0])
def test_what_was_large_or_judged_by_a_worker_that_is_gone_is_built_again_where_it_is_timed(
    monkeypatch, judged, most
):
    monkeypatch.setattr(kept, "MOST", most)
    cell = Cell(
        "relu", "plain", "typical", "small", "reference.activation.relu", "numpy", "eager", "cpu", "float32",
        "gradient",
    )  # fmt: skip
    if judged:
        work.judge(asdict(cell.unit), ["forward", "gradient"], True, False)
    assert list(kept._KEPT) == ([str(cell.unit)] if judged and most else [])
    for direction in ("forward", "gradient"):
        assert "first_call_s" in timed.ready(asdict(replace(cell, direction=direction)), direction)
        assert len(timed.sample(direction)) == len(Sample._fields)
        assert "fresh" in timed.settle(direction) and timed.finish(direction)["sets"] == SETS
        assert work.verdict(direction)["status"] == "agrees"
    assert len(kept._BUILT) == (0 if judged and most else 1)  # once for both directions
    assert [len(each) for each in kept._BUILT.values()] == [1] * len(kept._BUILT)
    lost = timed.ready(asdict(replace(cell, contender="reference.activation.sigmoid")), "lost")
    assert lost["error"].startswith("ValueError: contender")


def test_a_headline_is_called_again_when_it_is_judged_or_when_it_is_timed():
    cell = Cell(
        "perceptron", "relu", "typical", "digits", "reference.perceptron.perceptron", "numpy", "eager", "cpu",
        "float32", "gradient",
    )  # fmt: skip
    row = work.judge(asdict(cell.unit), ["gradient"], False, False)["rows"]["gradient"]
    assert row["status"] == "agrees" and row["repeats"] >= 2 and row["judged"].startswith("2")
    row = work.judge(asdict(cell.unit), ["gradient"], True, False)["rows"]["gradient"]
    assert row["status"] == "agrees" and not row["repeats"] and not row["judged"]
    timed.ready(asdict(cell), "headline")
    timed.sample("headline")
    timed.settle("headline")
    timed.finish("headline")
    row = work.verdict("headline")
    assert row["status"] == "agrees" and row["repeats"] >= sum(FEWER) and row["judged"] == str(sum(FEWER))


def test_a_call_of_which_nothing_can_be_measured_is_dropped(monkeypatch):
    cell = Cell(
        "relu", "plain", "typical", "small", "reference.activation.relu", "numpy", "eager", "cpu", "float32",
        "forward",
    )  # fmt: skip
    timed.ready(asdict(cell), "one")
    monkeypatch.setattr("bench.speed.clock.memory", lambda *_: 1 / 0)
    assert timed.finish("one") == {"error": "ZeroDivisionError: division by zero"} and not timed._CALLS


def test_what_was_built_again_is_kept_while_inputs_are_the_same_and_no_longer():
    names = ("relu", "sigmoid")
    for name in names:
        timed.ready(asdict(_unary(name)), name)
    assert len(kept._BUILT) == 1 and list(timed._CALLS) == list(names)
    timed.taken("relu")
    assert list(timed._CALLS) == ["sigmoid"]


def _unary(name):
    return Cell(
        name, "plain", "typical", "small", f"reference.activation.{name}", "numpy", "eager", "cpu", "float32",
        "forward",
    )  # fmt: skip
