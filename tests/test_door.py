"""The door of `pytest suites/`: what a session leaves in its run's folder."""

import pytest

from bench import moment, session
from bench.door import Door
from bench.results import start
from bench.rows import moments
from bench.selection import Selection
from tests.rows import ENVIRONMENT, MACHINE, row


class Session:
    """A session that has nothing to do, and says when it is closed."""

    def __init__(self, *cells, **wishes):
        LOOKS.append("begun")

    def close(self):
        LOOKS.append("closed")


LOOKS: list[str] = []


@pytest.fixture
def door(tmp_path, monkeypatch):
    """A door on a run that has one row already; each look at the machine is noted."""

    def look():
        LOOKS.append("looked")
        return {"look": LOOKS.count("looked")}

    LOOKS.clear()
    run = start(tmp_path, MACHINE, ENVIRONMENT)
    run.append(row())
    monkeypatch.setattr(moment, "moment", look)
    monkeypatch.setattr(session, "Session", Session)
    return Door(Selection(), [], str(run.folder), smoke=True)


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
