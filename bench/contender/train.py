"""Training: each step starts from the reference's own state; a free run is drawn and not judged."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from time import perf_counter
from typing import Any

import numpy as np

from bench.backends import Backend, Loop
from bench.case import Case, Contender, known
from bench.cells.cell import Cell
from bench.contender.check import Unlike, kept, scalar, trained
from bench.contender.given import bits
from bench.contender.layout import Layout, layout
from bench.inputs import Inputs, batch, drawn, rounded
from bench.tree import Tree, flatten, tree_map

ROW = 4  # steps in a row that are held against single ones


@dataclass(frozen=True)
class Trained:
    """The result of a training cell: tensors by ``training.<step>.…``, the free run's losses, its score."""

    got: dict[str, np.ndarray]
    first_call_s: float
    compile_s: float | None
    ready: Any
    places: Layout
    miscount: str = ""  # where a counter of steps is not the reference's
    curve: Sequence[float] = ()
    score: tuple[str, float] | None = None


@dataclass(frozen=True)
class Ready:
    """A training loop at its start, and the batches that it cycles through."""

    engine: Backend
    loop: Loop
    batches: Sequence[Any]
    start: Callable[[], None]  # takes the loop back to its start
    again: Callable[[], dict[str, np.ndarray]]  # the judged steps once more, by tensor
    bits: Mapping[str, int] = field(default_factory=dict)  # checksums of the batches before the first step

    @property
    def given(self) -> dict[str, Any]:
        """What the steps are given and should not change."""
        return {"batch": list(self.batches)}

    def run(self, *, reload: bool) -> tuple[dict[str, Any], list[Any]]:
        """What one step on each of the first `ROW` batches leaves, the last first, and the losses.

        With `reload`, each step but the first begins by loading what was read after the one before.
        """
        losses: list[Any] = []
        self.start()
        for each in reversed(self.batches[:ROW]):
            if reload and losses:
                self.loop.load(*self.loop.read())
            losses.append(np.array(self.engine.get(self.loop.step(each))))
        return flatten(tree_map(np.array, self.loop.read())), losses[::-1]

    def calls(self) -> list[Callable[[], Any]]:
        """One step on each batch."""
        return [partial(self.loop.step, each) for each in self.batches]


def train(
    case: Case, contender: Contender, engine: Backend, unit: Cell, given: Inputs, *, curve: bool
) -> Trained:
    """Take each of the case's steps from the reference's own state; then the free run if asked for."""
    loop, places = begin(case, contender, engine, unit, *given.starts[0][:2])
    batches = [engine.put(dict(each)) for _, _, each in given.starts]
    begun = bits(engine, {"batch": batches})

    def step(number: int) -> tuple[Tree, dict[str, Any], float]:
        loop.load(*places.forth(given.starts[number][:2]))
        start = perf_counter()
        loss = loop.step(batches[number])
        engine.wait(loss)
        seconds = perf_counter() - start
        found = {"loss": scalar(contender, loss, engine)}
        kept(contender, read := loop.read(), places.away)
        found = _home(places.back(read)) | found
        return read, {f"training.{number}.{path}": array for path, array in found.items()}, seconds

    def again() -> dict[str, Any]:
        return {path: y for number in range(len(batches)) for path, y in step(number)[1].items()}

    before, first, compiling = engine.compilations()[1], 0.0, None
    got: dict[str, np.ndarray] = {}
    miscount = ""
    for number in range(len(batches)):
        read, found, seconds = step(number)
        if number == 0:
            first, compiling = seconds, engine.compiling_since(before)
        if astray := places.moved(read):
            raise Unlike(
                f"{contender.api}: training moved {astray}, which the formula has not; the build should "
                "freeze it, or name a variant that has it"
            )
        if given.steps[number] + 1 in given.steps[number + 1 :]:
            miscount = miscount or _miscount(places.counters(read), given.starts[number + 1][:2], number)
        got.update(found)
    start = partial(loop.load, *places.forth(given.starts[0][:2]))
    start()
    ready = Ready(engine, loop, batches, start, again, begun)
    ended = Trained(got, first, compiling, ready, places, miscount)
    if not (curve and case.curve):
        return ended
    losses, score = _free(case, contender, engine, unit)
    return replace(ended, curve=losses, score=score)


def _miscount(counters: Mapping[str, Any], after: Tree, step: int) -> str:
    """The counter whose value after a step differs from the reference's, in a sentence, or empty."""
    right = flatten(after)
    for path, found in counters.items():
        if found != right[path]:
            return (
                f"{NAMES[path[0]]}{path[1:]} after step {step} is {float(found):g}, should be {right[path]}"
            )
    return ""


NAMES = {"0": "weights", "1": "state"}  # as paths start


def _home(found: Tree) -> dict[str, Any]:
    """Back from the layout."""
    return {f"{NAMES[path[0]]}{path[1:]}": array for path, array in flatten(found).items()}


def begin(
    case: Case, contender: Contender, engine: Backend, unit: Cell, weights: Tree, state: Tree
) -> tuple[Loop, Layout]:
    """The contender's loop at its start, and the layout of its weights."""
    option = case.options[unit.option]

    def arrange(tree: Tree) -> Tree:
        training = contender.build(*tree, **option)
        return training.params, training.state

    with engine.building():
        training = trained(contender, contender.build(weights, state, **option))
        places = layout(arrange, (weights, state))
        loop = engine.loop(training, unit.mode)
    if places.problem:
        raise ValueError(f"{contender.api}: {places.problem}; a build should only rearrange them")
    loop.load(training.params, training.state)
    return loop, places


def _free(
    case: Case, contender: Contender, engine: Backend, unit: Cell
) -> tuple[list[float], tuple[str, float] | None]:
    """The losses of a training that runs on its own state, and the score of the trained model."""
    assert case.curve is not None and case.start is not None
    weights, data = drawn(replace(unit, size=case.curve["size"]))
    state = case.start(weights, **known(case.start, case.options[unit.option]))
    loop, _ = begin(case, contender, engine, unit, weights, state)
    rounds = len(next(iter(data.values())))
    batches = [engine.put(batch(data, step)) for step in range(min(rounds, case.curve["steps"]))]
    losses = [
        float(np.asarray(engine.get(loop.step(batches[step % len(batches)]))))
        for step in range(case.curve["steps"])
    ]
    if case.score is None or loop.predict is None:
        return losses, None
    predict = loop.predict

    def on_host(x: np.ndarray) -> np.ndarray:
        return np.asarray(engine.get(predict(engine.put(rounded(x, unit.dtype)))))

    return losses, case.score(on_host)
