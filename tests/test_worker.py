"""A worker process: where it serves, and what it says when it goes."""

import pytest

from bench.worker import Died, Worker


def test_a_worker_serves_in_its_main_thread():
    """Else execnet may pick another, where no signal can be set."""
    worker = Worker({"GAUGEBLOCK_EXAMPLE": "1"})
    try:
        assert worker._gateway.remote_status().execmodel == "main_thread_only"
        worker.request("forget", "nothing")
    finally:
        worker.close()


def test_an_unknown_verb_ends_the_worker_with_its_words():
    worker = Worker({})
    try:
        with pytest.raises(Died, match="no attribute 'fly'"):
            worker.request("fly")
    finally:
        worker.close()
