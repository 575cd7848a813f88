"""The door of `pytest suites/`: what a session leaves in its run's folder."""

from types import SimpleNamespace

import pytest

from bench.cells.selection import Selection
from bench.machine import load_average as moment
from bench.machine import records
from bench.run import pytest_plugin as doors
from bench.run import session
from bench.run.pytest_plugin import Door
from bench.speed.rounds import LONG, MOST
from bench.store.results import start
from bench.store.rows import moments
from tests.rows import ENVIRONMENT, MACHINE, row


class Session:
    """A session that has nothing to do, and says when it is closed."""

    def __init__(self, *cells, **wishes):
        LOOKS.append("begun")
        self.timings = {}

    def close(self):
        LOOKS.append("closed")


LOOKS: list[str] = []
OPTIONS = dict.fromkeys(name.replace("-", "_") for name in doors.OPTIONS) | {
    "backend": ["numpy"],
    "device": ["cpu"],
}


@pytest.fixture
def door(tmp_path, monkeypatch):
    """A door on a run that has one row already; each look at the machine is noted."""

    def look():
        LOOKS.append("looked")
        return {"look": LOOKS.count("looked")}

    LOOKS.clear()
    run = start(tmp_path, MACHINE, ENVIRONMENT)
    run.append(row())
    run.release()
    monkeypatch.setattr(records, "machine", lambda: MACHINE)
    monkeypatch.setattr(moment, "moment", look)
    monkeypatch.setattr(session, "Session", Session)
    return Door(Selection(), [], run.folder, smoke=True)


def test_the_machine_is_looked_at_before_the_workers_start_and_after_they_have_ended(door):
    with door.session():
        pass
    assert LOOKS == ["looked", "begun", "closed", "looked"]
    assert moments(door.run.folder) == [{"look": 1}, {"look": 2}]


def test_a_session_that_is_interrupted_has_its_last_look(door):
    with pytest.raises(KeyboardInterrupt), door.session():
        raise KeyboardInterrupt
    assert len(moments(door.run.folder)) == 2


def test_a_run_that_is_gone_on_with_has_the_looks_of_both_sessions(door):
    for _ in range(2):
        with door.session():
            pass
    assert [each["look"] for each in moments(door.run.folder)] == [1, 2, 3, 4]


def test_the_users_own_number_of_threads_is_every_frameworks_unless_another_is_named(monkeypatch):
    monkeypatch.setattr("os.cpu_count", lambda: 8)
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    for named, threads in (({}, 3), ({"threads": 5}, 5), ({"as_shipped": True}, None)):
        assert Door.open(SimpleNamespace(**{**OPTIONS, **named})).threads == threads


@pytest.mark.parametrize(
    ("named", "own", "options"),
    [
        ({}, "", []),
        ({"threads": 8}, "", ["--threads 8"]),
        ({}, "3", ["--threads 3"]),  # a variable of this shell, which another may not have
        ({}, "8", []),
        ({"as_shipped": True}, "3", ["--as-shipped"]),
    ],
)
def test_the_command_of_a_row_has_the_options_of_its_run(monkeypatch, named, own, options):
    monkeypatch.setattr("os.cpu_count", lambda: 8)
    monkeypatch.setenv("OMP_NUM_THREADS", own)
    assert Door.open(SimpleNamespace(**{**OPTIONS, **named})).options == options


@pytest.mark.parametrize("threads", [-1, 0, 10**6])
def test_a_number_of_threads_that_the_machine_has_not_is_refused(threads):
    with pytest.raises(ValueError, match=f"--threads: got {threads}, should be 1 to"):
        Door.open(SimpleNamespace(**{**OPTIONS, "threads": threads}))


def test_a_run_as_shipped_has_no_threads_of_its_own_and_no_whole_numbers():
    door = Door.open(SimpleNamespace(**{**OPTIONS, "as_shipped": True}))
    assert door.threads is None and "integers" not in {cell.regime for cell in door.cells}
    assert "integers" in {cell.regime for cell in Door.open(SimpleNamespace(**OPTIONS)).cells}
    with pytest.raises(ValueError, match="--threads and --as-shipped: got both, should be one of them"):
        Door.open(SimpleNamespace(**{**OPTIONS, "as_shipped": True, "threads": 1}))


def test_who_asks_for_speeds_alone_is_shown_all_and_waits_longer():
    alone = Door.open(SimpleNamespace(**OPTIONS, benchmark_only=True))
    usual = Door.open(SimpleNamespace(**OPTIONS))
    assert (alone.every, alone.rounds, usual.every, usual.rounds) == (True, LONG, False, MOST)
