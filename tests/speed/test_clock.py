"""The clock: blocks that are waited for, inputs that rotate, and a verdict on what was timed."""

import itertools
import weakref
from contextlib import nullcontext
from dataclasses import dataclass, replace
from functools import cache, partial
from time import perf_counter, sleep
from types import SimpleNamespace

import numpy as np
import pytest

from bench.backends import Bound
from bench.backends.numpy import NumPy
from bench.cells.cell import Cell
from bench.inputs import inputs
from bench.machine.caches import last_level
from bench.machine.nvml import Load
from bench.speed import clock
from bench.speed.clock import (
    BLOCK,
    LEADING,
    LOAD,
    LONGER,
    Call,
    cached,
    ends,
    fill,
    finish,
    ready,
    sample,
    settle,
)
from bench.speed.loops import turns
from bench.speed.sets import COLD, FEWER, FRESH, PLACES, SETS, UNSEEN, put, rotating, sets
from bench.speed.timing import Timing
from bench.speed.work import traffic
from bench.tree import flatten, tree_map
from bench.verdict.again import CALLS
from bench.verdict.judge import judge
from bench.verdict.timed import judged

UNIT = Cell(
    "linear-regression", "plain", "typical", "small", "reference.linear.linear", "numpy", "eager", "cpu",
    "float32", "",
)  # fmt: skip


def settled(call, unit, direction, joules=False):
    """What a run measures after the samples."""
    return settle(call, unit, direction, joules) | finish(call, unit, direction)


@dataclass
class Simulated:
    """A clock that advances only by the times that a test sets."""

    now: float = 0.0
    used: float = 0.0  # of the CPU

    def perf_counter(self):
        return self.now

    def process_time(self):
        return self.used

    def time(self):
        return 1.7e9 + self.now

    def work(self, seconds):
        self.now, self.used = self.now + seconds, self.used + seconds


@pytest.fixture
def simulated(monkeypatch):
    found = Simulated()
    for name in ("perf_counter", "process_time", "time"):
        monkeypatch.setattr(clock, name, getattr(found, name))
    return found


@dataclass
class Device(NumPy):
    """Computes in the background, as an accelerator does, and may forget to wait for it."""

    waits: bool
    time: Simulated
    device: str = "cpu"
    asynchronous: bool = True
    done: float = 0.0
    programs: int = 0

    def once(self):
        self.time.work(0.001)  # to launch it
        self.done = self.time.now + 0.02
        return {"y": np.zeros(3), "z": np.zeros((2, 2))}

    def wait(self, tree):
        if self.waits:
            self.time.now = max(self.time.now, self.done)

    def get(self, leaf):
        self.time.now = max(self.time.now, self.done)
        self.time.work(0.0005)
        assert leaf.size == 3  # the smallest is what is read
        return leaf

    def compilations(self):
        self.programs += 1
        return self.programs, None


def call_of(device):
    call = Call(device, [Bound(device.once)])
    call.blocks(1)
    return call


@pytest.mark.parametrize("waits", [True, False])
def test_the_residue_is_the_time_that_was_not_waited_for(waits, simulated):
    found = sample(call_of(Device(waits, simulated)), "forward")
    assert (found.seconds, found.residue) == pytest.approx((0.021, 0.0005) if waits else (0.001, 0.0205))
    assert (found.idle, found.cpu) == pytest.approx((0.0005, 0.001))
    assert found.issue == pytest.approx(0.001)
    assert sample(call_of(Device(waits, simulated, asynchronous=False)), "forward").issue is None


def test_a_gpu_is_at_work_before_a_block_and_looked_at_then(simulated, monkeypatch):
    device = Device(True, simulated, "gpu")
    looks = []

    def look():
        looks.append((simulated.now, device.done))
        return Load(1980, 650.0, "power cap")

    monkeypatch.setattr(clock.nvml, "watch", lambda: look)
    before = simulated.now
    found = sample(call_of(device), "forward")
    ((looked, done),) = looks
    assert looked - before >= LOAD and looked < done  # while it works
    assert found.at - 1.7e9 > looked and found.seconds == pytest.approx(0.021)
    assert (found.sm_mhz, found.power_w, found.throttled) == (1980, 650.0, "power cap")


def filled(simulated, seconds, length=BLOCK):
    return fill(replace(call_of(SimpleNamespace(
        device="cpu", wait=lambda tree: None, compilations=lambda: (0, None),
        compiling_since=lambda before: None, running=lambda direction: nullcontext(),
        once=lambda: simulated.work(seconds),
    )), length=length), "forward")  # fmt: skip


@pytest.mark.parametrize("length", [BLOCK, LONGER])
def test_a_block_lasts_as_long_as_it_should(length, simulated):
    call = filled(simulated, 1e-4, length)
    assert length <= call.calls * 1e-4 < 2 * length and call.leads


def test_a_long_call_needs_no_call_before_its_block(simulated):
    assert filled(simulated, 0.9 * LEADING).leads and not filled(simulated, 1.1 * LEADING).leads


def test_a_headline_has_longer_blocks_on_inputs_that_are_not_in_the_cache():
    digits = replace(UNIT, case="perceptron", option="relu", size="digits", contender=PERCEPTRON)
    made = judge(digits, ("forward",))
    assert made.rows["forward"].status == "agrees" and made.rows["forward"].spread == "shared"
    call = ready(made.ready, digits, "forward")
    assert call.length == LONGER and len(call.bound) == sum(FEWER) and call.rotating == FEWER[0]
    size = traffic(made.ready.params) + len(call.rotation) * traffic(made.ready.data, made.ready.cotangents)
    assert size >= COLD * last_level("cpu") and cached(call) == "cold"
    sample(call, "forward")
    found = settled(call, digits, "forward")
    row = judged(call, digits, "forward")
    assert row.status == "agrees" and (row.judged, found["sets"]) == (str(sum(FEWER)), len(call.rotation))
    assert found["cache"] == "cold" and row.spread == "shared"
    for number in range(sum(FEWER)):
        right = call.ended[number]
        call.ended[number] = tree_map(lambda y: 1.001 * y, right)
        assert judged(call, digits, "forward").status == "disagrees"
        call.ended[number] = right


JUDGED = SETS + UNSEEN
PERCEPTRON = "reference.perceptron.perceptron"


def test_nothing_that_was_returned_before_is_held_while_a_block_runs():
    """Otherwise a block takes new memory where a hand-written loop reuses its own."""
    alive, held = [], []

    class Result(np.ndarray):
        pass

    def once():
        held.append(len(alive))
        result = np.zeros(3).view(Result)
        alive.append("one")
        weakref.finalize(result, alive.pop)
        return {"y": result}

    call = Call(NumPy("cpu", "float32"), [Bound(once)])
    call.blocks(3)
    for _ in range(2):
        sample(call, "forward")
        assert held[-3:] == [0, 1, 1]  # a block holds its own last result until it has the next


def test_small_inputs_go_round_places_in_memory_and_stay_the_same():
    """Otherwise the speed of a contender depends on the address of its inputs."""
    call = ready(judge(UNIT, ["forward"]).ready, UNIT, "forward")

    def arrays():
        return [leaf for each in call.bound for leaf in flatten(dict(each.call.keywords)).values()]

    before = arrays()
    places = []
    for _ in range(PLACES + 1):
        sample(call, "forward")
        places.append([y.ctypes.data for y in arrays()])
        assert all(np.array_equal(x, y) for x, y in zip(before, arrays(), strict=True))
    assert len({*map(tuple, places)}) == PLACES and places[0] == places[-1]
    assert judged(call, UNIT, "forward").status == "agrees"


def test_large_inputs_stay_where_they_are():
    large = SimpleNamespace(**vars(judge(UNIT, ["forward"]).ready))
    large.data = {"x": np.zeros((2**10, 2**10), "float32")}
    assert sets(large, UNIT, "forward").elsewhere is None


def test_what_is_compiled_inside_a_block_is_counted(simulated):
    assert sample(call_of(Device(True, simulated)), "forward").compiled == 1


def test_inputs_rotate_and_the_last_call_is_on_any_set():
    seen = []
    for alike in (seen.append, None):  # one call with other arguments, or another call for each set
        bound = [Bound(alike or partial(seen.append, name), (name,) if alike else ()) for name in "abcde"]
        call = Call(NumPy("cpu", "float32"), bound, rotating=3)
        for calls in (1, 2, 3, 7):
            for call.end in range(5):
                call.blocks(calls)
                seen.clear()
                call.loop()
                assert seen == [*"abcabca"[1:calls][::-1], "abcde"[call.end]]


def test_blocks_end_on_every_set_before_one_comes_again():
    """And in an order that does not repeat."""
    order = ends(JUDGED, "a cell")
    found = [[next(order) for _ in range(JUDGED)] for _ in range(9)]
    assert all(sorted(each) == list(range(JUDGED)) for each in found) and len({*map(tuple, found)}) > 5


def kept():
    return judge(UNIT, ("forward", "gradient")).ready


@pytest.mark.parametrize("direction", ["forward", "gradient"])
def test_what_was_timed_is_judged(direction, monkeypatch):
    monkeypatch.setattr("bench.verdict.timed.SLOW", 1.0)  # on a busy machine too
    call = ready(kept(), UNIT, direction)
    assert (call.rotating, len(call.bound)) == (SETS, JUDGED) and call.calls > 1
    sample(call, direction)
    found = settled(call, UNIT, direction)  # samples the ends that are lacking
    row = judged(call, UNIT, direction)
    assert row.status == "agrees" and (row.judged, found["sets"]) == (str(JUDGED), SETS)
    assert row.repeats >= CALLS and len(found["fresh"]) == len(found["seen"]) == FRESH
    for number in range(JUDGED):
        right = call.ended[number]
        call.ended[number] = tree_map(lambda y: y + 1, right)
        row = judged(call, UNIT, direction)
        assert row.status == "disagrees" and (f"set {number}" in row.why) == bool(number)
        call.ended[number] = right


def test_what_is_wrong_now_and_then_in_timed_calls_disagrees():
    call = ready(kept(), UNIT, "forward")
    settled(call, UNIT, "forward")
    count = itertools.count()

    def spoiled(bound):
        def finish(result):
            rare = next(count) % 50 == 49
            return tree_map(lambda y: np.nextafter(y, y.dtype.type(9)) if rare else y, bound.finish(result))

        return replace(bound, finish=finish)

    call.elsewhere, call.bound = None, [spoiled(each) for each in call.bound]
    row = judged(call, UNIT, "forward")
    assert row.status == "disagrees" and "the same call gave another" in row.why


def test_a_timed_call_that_changes_its_input_disagrees():
    call = ready(kept(), UNIT, "forward")
    settled(call, UNIT, "forward")
    call.placed[2][1]["x"][0] += 1
    row = judged(call, UNIT, "forward")
    assert (row.status, row.why) == (
        "disagrees",
        "the call changes input x of set 2, should leave its inputs as they are",
    )


class Keeping(NumPy):
    """Takes 0.2 ms, and keeps results by `key`; computes again after a pause, in which inputs are read."""

    def __init__(self, key, pauses):
        super().__init__("cpu", "float32")
        self.key, self.pauses, self.paused = key, pauses, False

    def get(self, tree):
        self.paused = self.pauses
        return super().get(tree)

    def bind(self, run, mode):
        bind, held = super().bind(run, mode), {}

        def binder(params, data, cotangents):
            bound = bind(params, data, cotangents)

            def call():
                again, self.paused = self.paused, False
                if again or self.key(data["x"]) not in held:
                    until = perf_counter() + 2e-4
                    while perf_counter() < until:
                        pass
                    held[self.key(data["x"])] = bound.once()
                return held[self.key(data["x"])]

            return replace(bound, call=call)

        return binder


@pytest.mark.parametrize("pauses", [False, True])
@pytest.mark.parametrize("key", [id, lambda x: x.ctypes.data, lambda x: x.tobytes()])
def test_a_call_that_keeps_results_is_slow_on_fresh_inputs_only(key, pauses):
    """Also where inputs lie where others lay, and where it computes after a pause."""
    call = ready(replace(kept(), engine=Keeping(key, pauses)), UNIT, "forward")
    found = settled(call, UNIT, "forward")
    assert timing(found).caches


class Warm(NumPy):
    """Takes 0.2 ms, and nothing on the inputs of the call before: these are in the cache."""

    def bind(self, run, mode):
        bind, last = super().bind(run, mode), [None]

        def binder(params, data, cotangents):
            bound = bind(params, data, cotangents)

            def call():
                until = perf_counter() + (0 if last[0] is data["x"] else 2e-4)
                while perf_counter() < until:
                    pass
                last[0] = data["x"]
                return bound.once()

            return replace(bound, call=call)

        return binder


def test_a_call_that_is_quick_on_what_the_cache_still_has_keeps_no_results():
    call = ready(replace(kept(), engine=Warm("cpu", "float32")), UNIT, "forward")
    assert not timing(settled(call, UNIT, "forward")).caches


def timing(found):
    """Of calls that took 10 µs, with what was found after sampling."""
    after = {name: tuple(found[name]) for name in ("fresh", "seen", "behind")}
    return Timing((1e-5,) * 5, (1e-5,) * 5, (1e-5,) * 5, 9, 1e-5, **after)


class Promising(NumPy):
    """Computes what is waited for and read, and nothing else."""

    def wait(self, tree):
        self.get(tree)

    def get(self, tree):
        return tree_map(lambda y: y() if callable(y) else y, tree)

    def bind(self, run, mode):
        def binder(*given):
            def compute():
                sleep(0.001)
                return np.zeros((18, 11), "float32")

            def call():
                y = cache(compute)
                y.shape = (18, 11)
                return {"y": y}

            return Bound(call, (), lambda y: (y, None))

        return binder


@pytest.mark.parametrize("engine", [NumPy, Promising])
def test_a_call_whose_earlier_results_are_not_there_was_not_waited_for(engine):
    call = ready(replace(kept(), engine=engine("cpu", "float32")), UNIT, "forward")
    found = settled(call, UNIT, "forward")
    assert timing(found).late == (engine is Promising)
    assert ("an earlier call" in timing(found).fault) == (engine is Promising)


def test_the_sets_differ_and_have_the_shapes_of_the_judged_one():
    found = kept()
    given = [inputs(UNIT, number) for number in range(1, 4)]
    others = [put(found.engine, UNIT, each.data, each.cotangents)[0]["x"] for each in given]
    assert {x.shape for x in others} == {found.data["x"].shape}
    arrays = [found.data["x"], *others]
    assert len({x.tobytes() for x in arrays}) == len(arrays)


def test_a_call_moves_its_inputs_and_its_outputs_once():
    found = kept()
    call = ready(found, UNIT, "forward")
    sizes = [found.data["x"], *found.params.values(), call.bound[0].finish(call.last)[0]["y"]]
    assert clock.moved(call, found.case) == sum(4 * x.size for x in sizes)


TRAINING = replace(
    UNIT, case="gradient-descent", option="least-squares", contender="reference.descent.gradient_descent"
)


def timed_training():
    call = ready(judge(TRAINING, ["training"]).ready, TRAINING, "training")
    call.blocks(SETS + 1)  # few steps, since it stands still once it has converged
    sample(call, "training")
    return call


def test_a_training_is_judged_again_after_its_timed_steps():
    call = timed_training()
    settled(call, TRAINING, "training")
    assert judged(call, TRAINING, "training").status == "agrees"


def test_a_training_starts_each_block_at_its_start():
    call = timed_training()
    left = [call.kept.loop.read()]
    for _ in range(2):
        sample(call, "training")
        left.append(call.kept.loop.read())
    first, *others = map(flatten, left)
    assert all(np.array_equal(first[path], other[path]) for other in others for path in first)


@pytest.mark.parametrize("forgotten", ["a step", "every step", "the loss"])
def test_timed_steps_are_held_against_the_same_steps_one_at_a_time(forgotten):
    """A step that is right when judged, and skipped when timed."""
    call = timed_training()
    if forgotten == "the loss":
        call.last = np.nextafter(call.last, call.last.dtype.type(np.inf))
    else:
        call.begin()
        call.leads = True  # a busy machine may have made the block long
        call.bound[0].once()
        for each in turns(call.bound, call.calls)[1 if forgotten == "a step" else call.calls :]:
            each.once()
    settled(call, TRAINING, "training")
    row = judged(call, TRAINING, "training")
    assert row.status == "disagrees" and "timed steps is not what the same steps leave" in row.why


def test_steps_that_are_skipped_far_from_a_load_are_told():
    """Single steps skip them as well, unless they load what the step before left."""
    call = timed_training()
    kept, start, taken = call.kept, call.start, []

    def load(*given):
        taken.clear()
        kept.loop.load(*given)

    def step(batch):
        taken.append(batch)
        return kept.loop.step(batch) if len(taken) < 3 else np.float32(1)

    def begin():
        taken.clear()
        start()

    call.kept, call.start = replace(kept, loop=replace(kept.loop, load=load)), begin
    call.bound = [Bound(partial(step, each)) for each in kept.batches]
    sample(call, "training")
    assert "timed steps is not what the same steps leave" in clock.strayed(call, "training")


def test_batches_that_timed_steps_change_are_told():
    call = timed_training()
    settled(call, TRAINING, "training")
    call.kept = replace(call.kept, again=partial(dict, call.kept.again()))
    next(iter(call.kept.batches[0].values()))[0] += 1
    row = judged(call, TRAINING, "training")
    assert row.status == "disagrees" and "the call changes batch" in row.why


def test_judged_steps_that_are_wrong_stay_so_whatever_the_timed_ones_left(monkeypatch):
    call = timed_training()
    right = call.kept.again()
    wrong = {path: 2 * y + 1 for path, y in right.items()}
    call.kept, call.fault = replace(call.kept, again=lambda: wrong), "loss is not the same"
    monkeypatch.setattr("bench.verdict.again.unsteady", lambda *_: {"status": "limited", "why": "varies"})
    assert judged(call, TRAINING, "training").status == "disagrees"
    call.kept = replace(call.kept, again=lambda: right)
    assert judged(call, TRAINING, "training").status == "limited"


@pytest.mark.parametrize(("luck", "fault"), [(1, False), (9, True)])
def test_a_gpu_that_repeats_itself_once_by_luck_is_not_held_to_it(luck, fault):
    """The first repetitions leave the same bits, later ones do not."""
    call = timed_training()
    step, start, goes = call.bound[0].call, call.start, []

    def begin():
        goes.append(1)
        start()

    call.start, call.last = begin, call.last + 1
    call.bound = [Bound(lambda: step() + max(0, len(goes) - luck - 1))]
    call.engine.device = "gpu"
    try:
        assert bool(clock.strayed(call, "training")) == fault
    finally:
        call.engine.device = "cpu"


MIB = 2**20


@pytest.mark.parametrize(
    ("device", "size", "sets"),
    [
        ("cpu", 10, 3),
        ("cpu", 30 * MIB, 3),
        ("gpu", 10, 3),  # no number of sets would leave the cache
        ("gpu", 30 * MIB, 5),
        ("gpu", 19 * MIB, 8),
        ("gpu", 18 * MIB, 3),
        ("gpu", 400 * MIB, 3),
    ],
)
def test_so_many_sets_go_round_that_they_leave_the_cache_of_a_gpu(monkeypatch, device, size, sets):
    monkeypatch.setattr("bench.speed.sets.last_level", lambda device: 50 * MIB)
    assert rotating(device, size) == sets


@pytest.mark.parametrize(("part", "found"), [(1, "hot"), (2, "partly"), (3, "cold")])
def test_a_call_says_whether_its_inputs_lie_in_a_cache(monkeypatch, part, found):
    call = ready(kept(), UNIT, "forward")
    trees = [call.kept.params, *[call.kept.data, call.kept.cotangents] * SETS]
    held = sum(leaf.nbytes for tree in trees for leaf in flatten(tree).values())
    monkeypatch.setattr(clock, "last_level", lambda device: held // part)
    assert clock.cached(call) == found


@pytest.mark.parametrize("device", ["cpu", "gpu"])
def test_steps_that_leave_other_numbers_each_time_are_told_from_forgotten_ones(device):
    call = timed_training()
    step, rng = call.bound[0].call, np.random.default_rng(0)
    call.bound = [Bound(lambda: step() + rng.random())]
    call.engine.device = device
    try:
        found = clock.strayed(call, "training")
    finally:
        call.engine.device = "cpu"
    assert ("is not the same when" in found) == (device == "cpu") and bool(found) == (device == "cpu")


def test_a_block_is_filled_by_calls_as_they_cost_in_a_row(simulated):
    class Host(NumPy):
        def wait(self, tree):
            simulated.work(0.001)  # paid once a block, so that one call alone looks slow

        def bind_vjp(self, *given):
            return lambda *_: Bound(lambda: simulated.work(1e-6))

    found = kept()
    slow = SimpleNamespace(**{**vars(found), "engine": Host("cpu", "float32")})
    call = ready(slow, UNIT, "gradient")
    start = simulated.now
    call.engine.wait(call.loop())
    assert BLOCK <= simulated.now - start < 2 * BLOCK and call.calls > 1000


def test_energy_is_asked_of_a_gpu_and_where_somebody_wants_it(monkeypatch):
    spent = SimpleNamespace(joules=2.0, calls=3)
    monkeypatch.setattr(clock, "energy", lambda call, wait: spent)
    monkeypatch.setattr(clock, "memory", lambda engine, call: SimpleNamespace(host=None, device=7))
    found = kept()
    call = ready(found, UNIT, "forward")
    sample(call, "forward")
    assert settled(call, UNIT, "forward", True)["energy_j"] is None
    found.engine.device = "gpu"
    try:
        assert settled(call, UNIT, "forward", False)["energy_j"] is None
        assert settled(call, UNIT, "forward", True)["energy_j"] == 2.0
    finally:
        found.engine.device = "cpu"


@pytest.mark.parametrize(
    ("reads", "kept"),
    [
        ([[1e-5]], [1e-5]),
        ([[4e-3], [1e-5]], [4e-3, 1e-5]),
        ([[4e-3]] * 9, [4e-3] * 5),
        ([[]], []),
    ],
)
def test_results_are_read_again_while_no_read_is_quick(reads, kept, monkeypatch):
    """One slow read of a slow call may be another job; a call that does not wait is slow each time."""
    turns = iter(reads)
    monkeypatch.setattr(clock, "_behind", lambda call: list(next(turns)))
    assert clock._soonest(None) == kept


@pytest.mark.parametrize(
    ("times", "found"),
    [
        ([1.0, 1.0], [1.0]),
        ([1.0, 9.0, 1.0, 1.0], [9.0, 1.0]),
        ([1.0, 9.0] * FRESH, [9.0] * FRESH),
    ],
)
def test_fresh_inputs_are_tried_again_while_none_is_quick(times, found, monkeypatch):
    """A slow one may be another job's doing; one that keeps results is slow on each."""
    call = ready(kept(), UNIT, "forward")
    call.few, turns = 1, iter(times)
    monkeypatch.setattr(clock, "_timed", lambda engine, loop: next(turns))
    assert clock._renewed(call)["fresh"] == found
