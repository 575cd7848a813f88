"""What stands around a step: each part against its definition, and in its order."""

import numpy as np
import pytest

from bench.tree import flatten
from reference.descent import value_and_gradient
from reference.gradient import accumulate
from reference.optimizer import adam, adam_start, adamw, sgd, tree_map
from reference.update import dampened, update, update_start

LR = 0.5


@pytest.fixture
def rng():
    return np.random.default_rng(14)


def draw(rng, micro=1, rows=4, d=2, o=2, dtype=float):
    theta = {"W": rng.normal(size=(d, o)).astype(dtype), "b": rng.normal(size=o).astype(dtype)}
    lead = (micro, rows) if micro > 1 else (rows,)
    return theta, rng.normal(size=(*lead, d)).astype(dtype), rng.normal(size=(*lead, o)).astype(dtype)


def descend(theta, g, state):
    return sgd(theta, g, state, lr=LR)


def one(theta, x, y, state=None, **option):
    return update(descend, theta, {} if state is None else state, x, y, lr=LR, **option)


def close(got, should_be):
    for name, leaf in should_be.items():
        np.testing.assert_allclose(got[name], leaf, rtol=1e-13, atol=1e-15)


def test_without_anything_it_is_the_step_on_the_gradient(rng):
    theta, x, y = draw(rng)
    loss, g = value_and_gradient(theta, x, y)
    got, state, found = one(theta, x, y)
    close(got, {name: theta[name] - LR * g[name] for name in theta})
    assert state == {} and found == loss


def test_to_maximize_is_to_climb_and_its_decay_still_pulls_to_zero(rng):
    theta, x, y = draw(rng)
    _, g = value_and_gradient(theta, x, y)
    got, _, _ = one(theta, x, y, maximize=True, coupled=0.1)
    close(got, {name: theta[name] - LR * (-g[name] + 0.1 * theta[name]) for name in theta})


def test_clipping_comes_before_the_decay(rng):
    theta, x, y = draw(rng)
    _, g = value_and_gradient(theta, x, y)
    got, _, _ = one(theta, x, y, clip="value", most=0.01, coupled=0.1)
    close(got, {n: theta[n] - LR * (np.clip(g[n], -0.01, 0.01) + 0.1 * theta[n]) for n in theta})


@pytest.mark.parametrize(("clip", "added"), [("norm", 0.0), ("norm", 1e-2), ("each", 0.0)])
def test_a_clipped_step_is_as_long_as_its_bound(rng, clip, added):
    theta, x, y = draw(rng)
    _, g = value_and_gradient(theta, x, y)
    got, _, _ = one(theta, x, y, clip=clip, most=0.01, added=added)
    steps = {name: (theta[name] - got[name]) / LR for name in theta}
    parts = [[name] for name in theta] if clip == "each" else [list(theta)]
    for names in parts:
        whole = np.sqrt(sum((g[name] ** 2).sum() for name in names))
        length = np.sqrt(sum((steps[name] ** 2).sum() for name in names))
        np.testing.assert_allclose(length, 0.01 * whole / (whole + added), rtol=1e-12)


def test_the_two_decays_agree_for_plain_descent_and_differ_for_adam(rng):
    theta, x, y = draw(rng)
    close(one(theta, x, y, decay=0.1)[0], one(theta, x, y, coupled=0.1)[0])

    def step(theta, g, state):
        return adam(theta, g, state, lr=LR)

    _, g = value_and_gradient(theta, x, y)
    apart = update(step, theta, adam_start(theta), x, y, lr=LR, decay=0.1)[0]
    close(apart, adamw(theta, g, adam_start(theta), lr=LR, decay=0.1)[0])
    coupled = update(step, theta, adam_start(theta), x, y, lr=LR, coupled=0.1)[0]
    assert np.abs(coupled["W"] - apart["W"]).max() > 1e-3


def test_matrices_alone_decay(rng):
    theta, x, y = draw(rng)
    got, plain = one(theta, x, y, decay=0.1, matrices=True)[0], one(theta, x, y)[0]
    close(got, {"W": plain["W"] - LR * 0.1 * theta["W"], "b": plain["b"]})


def test_a_scaled_loss_gives_the_same_step(rng):
    theta, x, y = draw(rng)
    got = one(theta, x, y, scale=1024.0, clip="norm", most=0.01)
    close(got[0], one(theta, x, y, clip="norm", most=0.01)[0])
    assert got[2] == one(theta, x, y)[2]


def test_micro_batches_are_averaged_before_they_are_clipped(rng):
    theta, x, y = draw(rng, micro=3)
    loss, g = accumulate(theta, x, y)
    got, state, found = one(theta, x, y, update_start(theta, micro=3), micro=3, clip="value", most=0.01)
    close(got, {name: theta[name] - LR * np.clip(g[name], -0.01, 0.01) for name in theta})
    assert state == {"calls": 3} and found == loss


@pytest.mark.parametrize("micro", [1, 3])
def test_the_average_begins_with_the_first_weights_and_is_taken_at_every_second(rng, micro):
    theta, x, y = draw(rng, micro=micro)
    option = {"micro": micro, "average": 0.75}
    kept, taken = update_start(theta, **option), update_start(theta, **option)
    free, bound, average = theta, theta, None
    for number in range(1, 5):
        bound, taken, _ = one(bound, x, y, taken, every=2, **option)
        free, kept, _ = one(free, x, y, kept, **option)
        average = free if number == 1 else tree_map(lambda a, p: 0.75 * a + 0.25 * p, average, free)
        close(kept["average"], average)
        assert np.array_equal(bound["W"], taken["average"]["W"]) is (number in (1, 2, 4))
    assert kept["calls"] == 4 * micro


def test_a_dampened_gradient_is_shorter():
    assert dampened({"W": np.array([2.0])}, 0.25)["W"] == 1.5


def test_an_update_keeps_float32_and_its_inputs(rng):
    theta, x, y = draw(rng, micro=3, dtype=np.float32)
    before = tree_map(np.copy, theta)
    option = {"micro": 3, "average": 0.9, "every": 1, "scale": 8.0, "clip": "each", "most": 0.1}
    more = {"maximize": True, "coupled": 0.1, "decay": 0.1}
    moved, state, loss = one(theta, x, y, update_start(theta, **option), **option, **more)
    leaves = [*moved.values(), *flatten(state["average"]).values(), loss]
    assert {leaf.dtype for leaf in leaves} == {np.dtype(np.float32)}
    close(theta, before)
