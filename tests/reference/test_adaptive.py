"""RMSprop and Adagrad against loops over single numbers, and each convention against the one beside it."""

import math

import numpy as np
import pytest

from bench.tree import flatten, tree_map
from reference.adaptive import adagrad, adagrad_start, rmsprop, rmsprop_start
from tests.reference.test_optimizer import run, same, scalars, tree

BUFFERS = ("outside", "inside", "update")


@pytest.fixture
def rng():
    return np.random.default_rng(11)


@pytest.mark.parametrize("root", [False, True])
@pytest.mark.parametrize("centered", [False, True])
@pytest.mark.parametrize("buffer", BUFFERS)
@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_rmsprop_is_the_recurrence_of_each_number_by_itself(rng, root, centered, buffer, momentum):
    theta, gradients = tree(rng), [tree(rng) for _ in range(5)]

    def one(p, gs, lr=0.1, rho=0.8, eps=1e-2):
        v = m = b = 0.0
        for g in gs:
            v, m = rho * v + (1 - rho) * g**2, rho * m + (1 - rho) * g
            power = v - m**2 if centered else v
            b = momentum * b + g / (math.sqrt(power + eps) if root else math.sqrt(power) + eps)
            p = p - lr * b
        return p

    start = rmsprop_start(theta, momentum=momentum, centered=centered)
    option = {"lr": 0.1, "rho": 0.8, "eps": 1e-2, "root": root, "momentum": momentum, "buffer": buffer}
    found, _ = run(rmsprop, start, theta, gradients, centered=centered, **option)
    same(flatten(found), scalars(theta, gradients, one))


@pytest.mark.parametrize("centered", [False, True])
@pytest.mark.parametrize("buffer", BUFFERS)
def test_the_corrected_averages_and_the_look_ahead_are_those_of_each_number(rng, centered, buffer):
    theta, gradients = tree(rng), [tree(rng) for _ in range(5)]

    def one(p, gs, lr=0.1, rho=0.8, eps=1e-2, mu=0.9):
        v = m = b = 0.0
        for t, g in enumerate(gs, 1):
            v, m = rho * v + (1 - rho) * g**2, rho * m + (1 - rho) * g
            c = 1 - rho**t
            d = g / math.sqrt(v / c - (m / c) ** 2 * centered + eps)
            b = mu * b + d
            p = p - lr * (mu * b + d)
        return p

    start = rmsprop_start(theta, momentum=0.9, centered=centered, corrected=True)
    option = {"lr": 0.1, "rho": 0.8, "eps": 1e-2, "root": True, "momentum": 0.9, "buffer": buffer}
    option |= {"centered": centered, "nesterov": True, "corrected": True}
    found, state = run(rmsprop, start, theta, gradients, **option)
    same(flatten(found), scalars(theta, gradients, one), rtol=1e-12)
    assert state["t"] == 5


def test_the_three_momentum_buffers_differ_by_the_learning_rate_and_the_sign(rng):
    theta, gradients = tree(rng), [tree(rng) for _ in range(4)]
    start = rmsprop_start(theta, momentum=0.9)
    outside, inside, update = (
        run(rmsprop, start, theta, gradients, lr=0.1, momentum=0.9, buffer=buffer)[1]["b"]
        for buffer in BUFFERS
    )
    same(inside, tree_map(lambda b: 0.1 * b, outside))
    same(update, tree_map(lambda b: -0.1 * b, outside))


@pytest.mark.parametrize("root", [False, True])
@pytest.mark.parametrize("decay", [0.0, 0.5])
def test_adagrad_divides_by_the_root_of_the_sum_of_squares(rng, root, decay):
    theta, gradients = tree(rng), [tree(rng) for _ in range(5)]

    def one(p, gs, lr=0.1, eps=1e-2):
        for t, g in enumerate(gs):
            s = 0.1 + sum(g**2 for g in gs[: t + 1])
            p -= lr / (1 + t * decay) * g / (math.sqrt(s + eps) if root else math.sqrt(s) + eps)
        return p

    start = adagrad_start(theta, initial=0.1)
    found, state = run(adagrad, start, theta, gradients, lr=0.1, eps=1e-2, root=root, decay=decay)
    same(flatten(found), scalars(theta, gradients, one))
    assert state["t"] == 5


def test_a_tiny_gradient_shows_where_epsilon_stands():
    theta, g = np.zeros(1), np.full(1, 1e-6)
    outside, _ = rmsprop(theta, g, rmsprop_start(theta), lr=1.0, rho=0.75, eps=1e-8)
    inside, _ = rmsprop(theta, g, rmsprop_start(theta), lr=1.0, rho=0.75, eps=1e-8, root=True)
    assert -outside[0] == pytest.approx(1e-6 / (0.5e-6 + 1e-8))
    assert -inside[0] == pytest.approx(1e-6 / math.sqrt(0.25e-12 + 1e-8))


def test_the_first_averages_are_what_the_start_says(rng):
    theta = tree(rng)
    assert all(np.all(v == 1) for v in flatten(rmsprop_start(theta, initial=1.0)["v"]).values())
    assert set(rmsprop_start(theta, momentum=0.9, centered=True)) == {"v", "m", "b"}
    assert all(np.all(s == 0.1) for s in flatten(adagrad_start(theta, initial=0.1)["s"]).values())


@pytest.mark.parametrize(
    ("step", "start", "option"),
    [
        *((rmsprop, rmsprop_start, {"momentum": 0.9, "centered": True, "buffer": b}) for b in BUFFERS),
        (rmsprop, rmsprop_start, {"root": True}),
        (rmsprop, rmsprop_start, {"momentum": 0.9, "nesterov": True, "corrected": True}),
        (adagrad, adagrad_start, {"decay": 0.1}),
        (adagrad, adagrad_start, {"root": True}),
    ],
)
def test_steps_keep_float32_and_their_inputs(rng, step, start, option):
    theta = tree_map(lambda leaf: leaf.astype(np.float32), tree(rng))
    g = tree_map(lambda leaf: leaf.astype(np.float32), tree(rng))
    before = tree_map(np.copy, theta)
    begun = start(
        theta, **{key: option[key] for key in ("momentum", "centered", "corrected") if key in option}
    )
    moved, state = step(theta, g, begun, **option)
    leaves = [leaf for leaf in [*flatten(moved).values(), *flatten(state).values()] if hasattr(leaf, "dtype")]
    assert {leaf.dtype for leaf in leaves} == {np.dtype(np.float32)}
    same(theta, before, rtol=0)
