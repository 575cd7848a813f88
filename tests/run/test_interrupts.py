"""Signals that end a run, and those that others hear."""

import os
import signal
import threading
import time

import pytest

from bench.run import interrupts as module
from bench.run.interrupts import interrupts

KINDS = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP]


@pytest.fixture(params=KINDS, ids=lambda kind: kind.name)
def kind(request):
    """A signal, heard as Python has it when it starts."""
    usual = signal.default_int_handler if request.param == signal.SIGINT else signal.SIG_DFL
    before = signal.signal(request.param, usual)
    yield request.param
    signal.signal(request.param, before)


def test_each_is_an_interrupt_and_the_handler_of_before_comes_back(kind):
    before = signal.getsignal(kind)
    with interrupts():
        with pytest.raises(KeyboardInterrupt, match=kind.name):
            os.kill(os.getpid(), kind)
        assert signal.getsignal(kind) != before
    assert signal.getsignal(kind) == before


def test_what_comes_while_a_run_ends_is_not_heard_and_later_it_is(kind, monkeypatch):
    now = time.monotonic()
    monkeypatch.setattr(module.time, "monotonic", lambda: now)
    with interrupts():
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), kind)
        for other in KINDS:
            os.kill(os.getpid(), other)
        now += module.GRACE + 1
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), kind)


@pytest.mark.parametrize("own", [signal.SIG_IGN, lambda number, frame: None], ids=["nohup", "a handler"])
def test_what_is_ignored_or_heard_by_others_stays_theirs(kind, own):
    signal.signal(kind, own)
    with interrupts():
        assert signal.getsignal(kind) is own
        os.kill(os.getpid(), kind)
    assert signal.getsignal(kind) is own


def test_a_handler_that_is_set_meanwhile_stays(kind):
    later = lambda number, frame: None  # noqa: E731
    with interrupts():
        signal.signal(kind, later)
    assert signal.getsignal(kind) is later


def test_another_thread_sets_no_handlers(kind):
    before, found = signal.getsignal(kind), []

    def run():
        with interrupts():
            found.append(signal.getsignal(kind))

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    assert found == [before]
