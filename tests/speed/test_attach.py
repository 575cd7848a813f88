"""A speed and its verdict: the output of the timed call is judged, and the row has all of the result."""

from bench.case import Limit, Seen
from bench.speed.attach import SETTLED
from bench.verdict.compare import Agreement
from bench.verdict.known import Known, settle
from bench.verdict.row import _bits, _there


def test_a_speed_takes_over_every_word_that_a_verdict_settles():
    limit = Limit(
        "torch", "why", "where", {"backend": "torch"}, seen=(Seen("2.13.0", {}, (1, 1)),), name="it"
    )
    found = settle(Agreement("disagrees", z_rms=1.0), [Known(limit, (0.1, 10.0), "2.13.0", True)])
    assert found["status"] == "limited" and set(found) <= {*SETTLED}


def test_a_speed_takes_over_all_that_is_said_of_the_worst_element():
    """The bits of the timed outputs must not stand beside numbers of other outputs."""
    assert {*_there(Agreement("agrees")), *_bits(1.0, "float32"), "z_rms", "z_worst", "worst"} <= {*SETTLED}
