"""AMSGrad and NAdam against loops over single numbers, and each variant against Adam where they agree."""

import math

import numpy as np
import pytest

from bench.tree import flatten, tree_map
from reference.adam_variants import adam_variant, variant_start
from reference.optimizer import adam, adam_start
from tests.reference.test_optimizer import run, same, scalars, tree

NUMBERS = {"lr": 0.05, "beta1": 0.8, "beta2": 0.6, "eps": 1e-3}


@pytest.fixture
def rng():
    return np.random.default_rng(13)


@pytest.mark.parametrize("hat", [False, True])
def test_amsgrad_divides_by_the_largest_second_moment_so_far(rng, hat):
    theta = tree(rng)
    gradients = [tree_map(lambda g, k=k: g / 2**k, tree(rng)) for k in range(5)]  # so that v falls

    def one(p, gs, lr=0.05, b1=0.8, b2=0.6, eps=1e-3):
        m = v = u = 0.0
        for t, g in enumerate(gs, 1):
            m, v = b1 * m + (1 - b1) * g, b2 * v + (1 - b2) * g * g
            u = max(u, v)
            if hat:
                p -= lr * math.sqrt(1 - b2**t) / (1 - b1**t) * m / (math.sqrt(u) + eps)
            else:
                p -= lr * (m / (1 - b1**t)) / (math.sqrt(u / (1 - b2**t)) + eps)
        return p

    start = variant_start(theta, amsgrad=True)
    found, state = run(adam_variant, start, theta, gradients, amsgrad=True, hat=hat, **NUMBERS)
    same(flatten(found), scalars(theta, gradients, one))
    falling = [np.any(v < u) for v, u in zip(*(flatten(state[s]).values() for s in "vu"), strict=True)]
    assert state["t"] == 5 and any(falling)


def test_nesterov_takes_the_first_moment_a_step_ahead(rng):
    theta, gradients = tree(rng), [tree(rng) for _ in range(5)]

    def one(p, gs, lr=0.05, b1=0.8, b2=0.6, eps=1e-3, root=1e-2):
        m = v = 0.0
        for t, g in enumerate(gs, 1):
            m, v = b1 * m + (1 - b1) * g, b2 * v + (1 - b2) * g * g
            ahead = b1 * m / (1 - b1 ** (t + 1)) + (1 - b1) * g / (1 - b1**t)
            p -= lr * ahead / (math.sqrt(v / (1 - b2**t) + root) + eps)
        return p

    start = variant_start(theta)
    found, _ = run(adam_variant, start, theta, gradients, nesterov=True, root=1e-2, **NUMBERS)
    same(flatten(found), scalars(theta, gradients, one))


@pytest.mark.parametrize("hat", [False, True])
def test_without_a_variant_the_step_is_that_of_adam(rng, hat):
    theta, gradients = tree(rng), [tree(rng) for _ in range(4)]
    found, state = run(adam_variant, variant_start(theta), theta, gradients, hat=hat, **NUMBERS)
    right, moments = run(adam, adam_start(theta), theta, gradients, hat=hat, **NUMBERS)
    same(found, right)
    same(state, moments)


@pytest.mark.parametrize(
    "option", [{"amsgrad": True}, {"amsgrad": True, "hat": True}, {"nesterov": True, "root": 1e-3}]
)
def test_steps_keep_float32_and_their_inputs(rng, option):
    theta = tree_map(lambda leaf: leaf.astype(np.float32), tree(rng))
    g = tree_map(lambda leaf: leaf.astype(np.float32), tree(rng))
    before = tree_map(np.copy, theta)
    start = variant_start(theta, amsgrad=option.get("amsgrad", False))
    moved, state = adam_variant(theta, g, start, **option)
    leaves = [leaf for leaf in [*flatten(moved).values(), *flatten(state).values()] if hasattr(leaf, "dtype")]
    assert {leaf.dtype for leaf in leaves} == {np.dtype(np.float32)}
    same(theta, before, rtol=0)
