"""Interleaved rounds: random order, bounded cost, an end when the ratios are known, and the results."""

import math
import threading
from dataclasses import replace
from types import SimpleNamespace

import pytest

from bench.case import Contender
from bench.cells.cell import Cell
from bench.run.session import LEAST, SAMPLING, VERDICT, Session
from bench.run.workers import Workers
from bench.speed.attach import ABOVE, under, with_speed, with_speeds
from bench.speed.roofline import Roof
from bench.speed.rounds import FEW, FEWEST, MOST, READY, ROOF, SAMPLE, SLOW, Effort, rounds
from bench.speed.timing import Sample, Timing
from bench.store.row import GONE, Row
from bench.worker import Died

CELL = Cell(
    "attention", "plain", "typical", "small", "reference.attention.attention", "numpy", "eager", "cpu",
    "float32", "forward",
)  # fmt: skip
ROW = Row(case="attention", status="agrees", direction="forward", bits=24.0)
THROTTLED = "power cap, thermal"
TIMED = replace(ROW, bits=21.0, checksum="abc").as_dict()


def asked(seconds, broken=(), residue=0.0):
    """A worker's answers, and the requests to it. `seconds` is one sample, or one per round."""
    log = []
    taken = dict.fromkeys(seconds, 0)

    def ask(cell, function, *arguments):
        verb = function.rpartition(":")[2]
        log.append((verb, cell.contender))
        if (verb, cell.contender) in broken:
            raise Died("the worker died: out of memory")
        if verb == "ready":
            return {"calls": 1, "first_call_s": 0.5, "compile_s": 0.4}
        if verb == "sample":
            each = seconds[cell.contender]
            taken[cell.contender] += 1
            each = each[taken[cell.contender] - 1] if isinstance(each, list) else each
            return list(Sample(each, residue, 0.0, 2 * each, 0, each / 2, 1.7e9, 1980, 690.5, THROTTLED))
        if verb == "verdict":
            return dict(TIMED)
        return {"fresh": [0.1], "seen": [0.1], "bytes": 64, "sets": 3, "cache": "hot"}

    return ask, log


def sampled(cells, ask):
    """The rounds of these cells, whose timed calls a run judges."""
    return rounds(cells, ask, verdict=VERDICT)


def contenders(*names):
    return [replace(CELL, contender=name) for name in names]


def test_contenders_take_turns_in_random_order_and_a_slow_one_is_bounded():
    cells = contenders("quick", "slow")
    noisy = [0.001 * (1 + number % 3) for number in range(MOST)]
    ask, log = asked({"quick": noisy, "slow": 7 * SLOW})
    found = sampled(cells, ask)
    assert len(found[cells[1]][0].samples) == FEW and len(found[cells[0]][0].samples) == FEWEST
    order = [name for verb, name in log if verb == "sample"][: 2 * FEW]
    assert all(set(order[i : i + 2]) == {"quick", "slow"} for i in range(0, 2 * FEW, 2))
    assert len(set(order[::2])) == 2
    assert [verb for verb, _ in log].count("settle") == 2


def test_rounds_end_once_the_ratios_are_known_and_go_on_while_they_are_not():
    ask, _ = asked({"one": 0.001, "other": 0.002})
    assert {len(timing.samples) for timing, _ in sampled(contenders("one", "other"), ask).values()} == {
        FEWEST
    }
    noisy = [0.001 * (1 + 9 * (number % 2)) for number in range(MOST)]
    ask, _ = asked({"one": 0.0005, "other": noisy})
    cells = contenders("one", "other")
    found = sampled(cells, ask)
    assert {len(timing.samples) for timing, _ in found.values()} == {MOST}
    rows = with_speeds(dict.fromkeys(cells, ROW), found)
    assert rows[cells[1]].series.endswith("imprecise") and rows[cells[0]].series == "steady"


def test_further_rounds_are_of_the_fastest_and_of_those_whose_ratio_is_not_known():
    noisy = [0.001 * (1 + 9 * (number % 2)) for number in range(MOST)]
    ask, log = asked({"one": 0.0005, "known": 0.002, "noisy": noisy})
    found = sampled(contenders("one", "known", "noisy"), ask)
    assert [len(timing.samples) for timing, _ in found.values()] == [MOST, FEWEST, MOST]
    later = [name for verb, name in log if verb == "sample"][3 * FEWEST :]
    assert {*later} == {"one", "noisy"}


@pytest.mark.parametrize("effort", [Effort(0.1, 0.5), Effort(0.05, 1.5)])
def test_a_workload_takes_the_time_of_its_effort_and_not_much_more(effort):
    noisy = [0.02 * (1 + 9 * (number % 2)) for number in range(MOST)]
    ask, _ = asked({"one": 0.01, "known": 0.04, "noisy": noisy})
    found = rounds(contenders("one", "known", "noisy"), ask, verdict=VERDICT, effort=effort)
    spent = sum(sum(timing.samples) for timing, _ in found.values())
    assert 0.8 * 3 * effort.seconds - 0.2 < spent <= 3 * effort.seconds + 0.21
    wide = [0.02 * (1 + 0.07 * (number % 2)) for number in range(MOST)]  # within 10 %, not within 5 %
    ask, _ = asked({"one": 0.02, "other": wide})
    found = rounds(contenders("one", "other"), ask, verdict=VERDICT, effort=effort)
    assert (len(found[CELL_OTHER][0].samples) == FEWEST) == (effort.precision == 0.1)


CELL_OTHER = replace(CELL, contender="other")


def test_a_contender_that_does_not_wait_costs_no_more_rounds_than_it_takes_to_know():
    noisy = [0.002 * (1 + number % 3) for number in range(MOST)]
    ask, _ = asked({"one": noisy, "other": 0.001}, residue=0.5)
    one, other = contenders("one", "other")
    found = sampled([one, other], ask)
    timing, row = found[one]
    assert len(timing.samples) == FEWEST and timing.fault
    assert with_speed(ROW, one, (timing, row)).status == "error"


@pytest.mark.parametrize("verb", ["ready", "sample", "settle", "finish", "verdict"])
def test_a_worker_that_dies_while_timed_costs_its_own_speed_only(verb):
    cells = contenders("one", "other")
    ask, _ = asked({"one": 0.01, "other": 0.01}, broken={(verb, "one")})
    found = sampled(cells, ask)
    assert found[cells[0]] == "the worker died: out of memory"
    rows = with_speeds(dict.fromkeys(cells, ROW), found)
    assert rows[cells[0]].status == "error" and rows[cells[0]].median_s is None
    assert rows[cells[1]].median_s == 0.01


def test_two_backends_judge_at_once_what_was_timed_and_each_one_after_the_other():
    cells = [replace(CELL, backend=backend, contender=name) for backend in ("jax", "torch") for name in "ab"]
    ask, log = asked({"a": 0.01, "b": 0.02})
    both, busy, over = threading.Barrier(2, timeout=10), set(), []

    def watched(cell, function, *arguments):
        if function == VERDICT:
            over.append({each for each, _ in log[-1:]} <= {"finish", "verdict"})
            assert cell.backend not in busy
            busy.add(cell.backend)
            both.wait()
            busy.discard(cell.backend)
        return ask(cell, function, *arguments)

    found = sampled(cells, watched)
    assert set(found) == set(cells) and all(row == TIMED for _, row in found.values())
    assert over == [True] * 4  # nothing is timed any more


def test_a_row_has_the_bits_of_what_was_timed_and_its_paired_ratio():
    cells = contenders("one", "other")
    ask, _ = asked({"one": 0.01, "other": 0.03})
    rows = with_speeds(dict.fromkeys(cells, ROW), sampled(cells, ask))
    row = rows[cells[1]]
    assert (row.bits, row.checksum, row.sets, row.bytes) == (21.0, "abc", 3, 64)
    assert (row.ratio, row.ratio_low, row.ratio_high) == pytest.approx((3, 3, 3))
    assert rows[cells[0]].ratio == 1 and row.cpu_s == pytest.approx(0.06)
    assert row.throughput == pytest.approx(2 * 9 / 0.03) and row.low_s <= row.median_s <= row.high_s


def test_timed_calls_that_give_something_else_are_an_error():
    timing = Timing((0.01,) * 5, (0.0,) * 5, (0.0,) * 5, 1, 0.1, tuple(range(5)))
    wrong = replace(ROW, status="disagrees", why="y[0] is 1, should be 2").as_dict()
    row = with_speed(ROW, CELL, (timing, wrong))
    assert row.status == "error" and row.median_s is None
    assert row.why == "what the timed calls gave disagrees: y[0] is 1, should be 2"


def test_a_gradient_counts_three_passes_and_keeps_its_first_call():
    timing = Timing((0.01,) * 5, (0.0,) * 5, (0.0,) * 5, 1, 0.1, tuple(range(5)), compile_s=0.05)
    judged = replace(ROW, first_call_s=7.0, compile_s=6.0)
    forward = with_speed(judged, CELL, (timing, TIMED))
    gradient = with_speed(judged, replace(CELL, direction="gradient"), (timing, TIMED))
    assert gradient.flops == 3 * forward.flops
    assert (forward.first_call_s, forward.compile_s) == (0.1, 0.05)
    assert (gradient.first_call_s, gradient.compile_s) == (7.0, 6.0)


def test_the_calls_repeated_before_and_after_timing_are_counted_together():
    judged = replace(ROW, repeats=64)
    row = with_speed(judged, CELL, (timing_of(1e-5), TIMED | {"repeats": 20}))
    assert row.repeats == 84 and with_speed(ROW, CELL, (timing_of(1e-5), TIMED)).repeats is None


def test_a_call_that_twice_the_work_hardly_makes_longer_is_bound_by_dispatch():
    sampled = timing_of(1e-3), TIMED

    def row(less, sooner, device="cpu", timed=sampled):
        cell = replace(CELL, device=device)
        return with_speed(ROW, cell, timed, (less, sooner) if sooner else None)

    flops = row(0, None).flops
    assert row(0, None).doubling is None and row(0, None).bound == ""
    assert row(flops / 4, 0.85e-3).doubling == pytest.approx(0.2)
    assert row(flops / 4, 0.86e-3).bound == "dispatch" and row(flops / 4, 0.84e-3).bound == ""
    issued = replace(sampled[0], issues=(0.6e-3,) * 5), TIMED
    assert row(0, None, "gpu", issued).bound == "dispatch" and row(0, None, "cpu", issued).bound == ""
    computing = Roof(flops / 1e-3, 1e30)
    assert under(computing, row(0, None), CELL).bound == "compute"
    assert under(Roof(1e30, 1e9), row(0, None), CELL).bound == "memory"
    assert under(computing, row(flops / 4, 0.9e-3), CELL).bound == "dispatch"


def test_the_next_smaller_size_of_the_same_contender_is_looked_up():
    sizes = ("small", "gpt2", "long", "blocks")
    cells = [replace(CELL, size=size) for size in sizes]
    other = replace(CELL, size="blocks", contender="x")
    nothing = [[], [*cells, other], lambda unit: False]  # to judge
    done = {str(cell): replace(ROW, median_s=0.5 + n) for n, cell in enumerate((*cells[:2], other))}
    session = Session(*nothing, threads=1, done=done, finished=print, drawn=print)
    session.close()
    assert session._smaller(cells[0]) is None
    assert session._smaller(cells[3])[1] == session._smaller(cells[1])[1] == 0.5
    assert session._smaller(cells[2])[1] == 1.5


def test_a_run_that_is_later_than_it_said_samples_less(monkeypatch):
    cells = [replace(CELL, contender=name) for name in "abcd"]
    now = [0.0]
    monkeypatch.setattr("bench.run.session.monotonic", lambda: now[0])
    announced = {str(cell): 100.0 for cell in cells}
    more = {"threads": 1, "finished": print, "drawn": print, "effort": Effort(0.05, 2.0)}

    def paced(elapsed, said=announced):
        now[0] = 0.0
        done = {str(cells[0]): replace(ROW, median_s=1.0)}  # so 300 seconds are left
        session = Session([], cells, lambda unit: False, done=done, announced=said, **more)
        session.close()
        now[0] = elapsed
        return session._paced().seconds

    assert paced(0) == paced(100) == paced(1e9, {}) == 2.0
    assert paced(100 + 0.5 * SAMPLING * 300) == pytest.approx(1.0)
    assert paced(1000) == LEAST * 2.0


# ---- the roofline ----


def quick(**more):
    """A forward of 9 x 11 keys in 10 µs: some MFLOP/s."""
    return with_speed(ROW, CELL, (timing_of(1e-5), TIMED | more))


def test_a_row_says_who_set_the_pace_and_what_the_card_did():
    (cell,) = contenders("one")
    ask, _ = asked({"one": 0.01})
    found = sampled([cell], ask)
    row = with_speeds({cell: ROW}, found)[cell]
    assert (row.issue_s, row.cache, row.sm_mhz, row.power_w) == (0.005, "hot", 1980, 690.5)
    assert row.throttled == THROTTLED and found[cell][0].times == (1.7e9,) * row.samples


def test_what_memory_a_cache_holds_back_has_no_share_of_its_roof():
    row = replace(quick(), cache="hot")
    moving = Roof(1e30, row.bytes / row.median_s / 2, 10**9)
    assert under(moving, row, CELL).share is None
    assert under(moving, replace(row, cache="cold"), CELL).share == pytest.approx(2)
    computing = Roof(2 * row.flops / row.median_s, 1e30, 10**9)
    assert under(computing, row, CELL).share == pytest.approx(0.5)


def test_news_of_a_refusal_that_is_gone_stays_beside_a_speed():
    news = replace(ROW, why=f"{GONE}: it raised 'no'")
    assert with_speed(news, CELL, (timing_of(0.01), TIMED)).why == news.why
    said = with_speed(news, CELL, (timing_of(0.01), TIMED | {"status": "limited", "why": "a cause"})).why
    assert said == "a cause"
    assert with_speed(replace(ROW, why="else"), CELL, (timing_of(0.01), TIMED)).why == ""


def timing_of(seconds):
    return Timing((seconds,) * 5, (0.0,) * 5, (0.0,) * 5, 1, 0.1, tuple(range(5)), bytes=10**6)


def test_a_row_has_its_share_of_the_roofline():
    row = quick()
    peak = Roof(2 * row.flops / row.median_s, math.inf)
    assert under(peak, row, CELL).share == pytest.approx(0.5)
    assert under(None, row, CELL) == row


def test_a_speed_above_the_roofline_is_an_error_and_no_record():
    row = quick()
    peak = Roof(row.flops / row.median_s / 1.2, math.inf)
    above = under(peak, row, CELL)
    assert above.status == "error" and above.median_s is None and above.why.startswith(ABOVE)
    assert "120% of the roofline" in above.why
    assert under(Roof(row.flops / row.median_s / 1.04, math.inf), row, CELL).status == "agrees"


def test_bandwidth_above_the_roofline_counts_for_data_beyond_the_caches_only():
    row = quick()
    rate = row.bytes / row.median_s / 2
    assert under(Roof(math.inf, rate, 1000), row, CELL).status == "error"
    assert under(Roof(math.inf, rate, 10**6), row, CELL).status == "agrees"


def test_a_contender_that_declares_fewer_operations_may_be_faster_than_the_roofline(monkeypatch):
    row = quick()
    peak = Roof(row.flops / row.median_s / 2, math.inf)
    fewer = Contender("numpy", "x", print, fewer=True)
    monkeypatch.setattr("bench.speed.attach.find", lambda case, cell: fewer)
    assert under(peak, row, CELL).status == "agrees"


def test_the_roofline_is_measured_again_before_anything_is_said_to_be_above_it():
    asked, peaks = [], iter([1.0, 1e15])  # flop/s: a busy machine, then a quiet one
    place = {"backend": "numpy", "device": "cpu", "dtype": "float32", "threads": None}

    def ask(cell, verb, *arguments):
        asked.append(verb)
        return {**place, "flops_per_s": next(peaks), "cache_bytes": 0}

    nothing = [[], [], lambda unit: False]
    session = Session(*nothing, threads=1, done={}, finished=print, drawn=print)
    session.workers.ask, session.rows = ask, {str(CELL): replace(ROW, device="cpu", dtype="float32")}
    done = session._proved([CELL], {CELL: (timing_of(1e-5), TIMED)})
    assert asked == [ROOF, ROOF] and done[CELL].status == "agrees"
    session._proved([CELL], {CELL: (timing_of(1e-5), TIMED)})
    assert asked == [ROOF, ROOF]


def test_before_a_sample_the_worker_that_was_sampled_last_stands_still(monkeypatch):
    looked = []
    monkeypatch.setattr("bench.run.workers.still", looked.append)
    running = Workers(1)

    class Fake:
        def __init__(self, pid):
            self.pid = pid

        def request(self, verb, *arguments):
            return [0.0] * 7

    workers = {"one": Fake(1), "other": Fake(2), "dead": Fake(None)}
    monkeypatch.setattr(running, "key", lambda cell: cell.contender)
    monkeypatch.setattr(running, "of", workers.__getitem__)
    for name in ("one", "one", "other", "dead", "other"):
        running.ask(replace(CELL, contender=name), SAMPLE)
    assert looked == [[1], [2]]
    running.ask(replace(CELL, contender="one"), READY)
    assert looked == [[1], [2]]


@pytest.mark.parametrize("answer", [None, 3, [], [0.1] * 30])
def test_an_answer_that_is_no_sample_costs_its_worker_only(monkeypatch, answer):
    running = Workers(1)
    monkeypatch.setattr(running, "key", lambda cell: cell.contender)
    monkeypatch.setattr(running, "of", lambda key: SimpleNamespace(pid=1, request=lambda *given: answer))
    with pytest.raises(Died, match="the worker's answer is not a sample: TypeError"):
        running.ask(CELL, SAMPLE)


def test_waiting_for_another_worker_is_no_time_of_the_sample(monkeypatch):
    now = [0.0]

    def passes(seconds):
        now[0] += seconds

    def request(function, *arguments):
        passes(0.25)
        return [0.1] * 7

    monkeypatch.setattr("bench.run.workers.perf_counter", lambda: now[0])
    monkeypatch.setattr("bench.run.workers.still", lambda others: passes(9))
    running = Workers(1)
    monkeypatch.setattr(running, "key", lambda cell: cell.contender)
    workers = {
        name: SimpleNamespace(pid=pid, request=request) for pid, name in enumerate(("one", "other"), 1)
    }
    monkeypatch.setattr(running, "of", workers.__getitem__)
    taken = [running.ask(replace(CELL, contender=name), SAMPLE) for name in ("one", "other", "one")]
    assert now == [18.75] and [each.asked for each in taken] == [0.25] * 3


def test_the_roofline_is_not_measured_where_it_is_not_asked_for():
    nothing = [[], [], lambda unit: False]
    session = Session(*nothing, threads=1, done={}, finished=print, drawn=print, peaks=False)
    session.workers.ask, session.rows = None, {str(CELL): ROW}
    (row,) = session._proved([CELL], {CELL: (timing_of(1e-5), TIMED)}).values()
    assert row.status == "agrees" and row.share is None
