"""Optimisers against loops over single numbers, and each convention against the one beside it."""

import math

import numpy as np
import pytest

from bench.tree import flatten, tree_map
from reference.optimizer import adam, adam_start, adamw, sgd, sgd_start


@pytest.fixture
def rng():
    return np.random.default_rng(9)


def tree(rng):
    return {"W": rng.normal(size=(3, 2)), "layers": [{"b": rng.normal(size=2)}, {"b": rng.normal(size=1)}]}


def run(step, state, theta, gradients, **option):
    for g in gradients:
        theta, state = step(theta, g, state, **option)
    return theta, state


def same(a, b, rtol=1e-13):
    assert set(flatten(a)) == set(flatten(b))
    for path, leaf in flatten(a).items():
        np.testing.assert_allclose(leaf, flatten(b)[path], rtol=rtol, atol=1e-15, err_msg=path)


def scalars(theta, gradients, one):
    """`one(theta, gradients)` for each single number of the tree by itself."""
    leaves = {path: leaf.copy() for path, leaf in flatten(theta).items()}
    for path, leaf in leaves.items():
        for place in np.ndindex(leaf.shape):
            leaf[place] = one(leaf[place], [flatten(g)[path][place] for g in gradients])
    return leaves


@pytest.mark.parametrize("nesterov", [False, True])
@pytest.mark.parametrize("inside", [False, True])
def test_momentum_is_the_recurrence_of_each_number_by_itself(rng, nesterov, inside):
    theta, gradients = tree(rng), [tree(rng) for _ in range(5)]

    def one(p, gs, mu=0.9, lr=0.1):
        v = 0.0
        for g in gs:
            v = mu * v + g
            p = p - lr * (g + mu * v if nesterov else v)
        return p

    option = {"momentum": 0.9, "nesterov": nesterov, "inside": inside, "lr": 0.1}
    found, _ = run(sgd, sgd_start(theta, momentum=0.9), theta, gradients, **option)
    same(flatten(found), scalars(theta, gradients, one))


def test_without_momentum_descent_subtracts_the_scaled_gradient_and_keeps_no_state(rng):
    theta, g = tree(rng), tree(rng)
    found, state = sgd(theta, g, sgd_start(theta), lr=0.5)
    same(found, tree_map(lambda leaf: leaf, {"W": theta["W"] - 0.5 * g["W"], "layers": found["layers"]}))
    assert state == {} == sgd_start(theta)


def test_the_two_momentum_buffers_differ_by_the_learning_rate_alone(rng):
    theta, gradients = tree(rng), [tree(rng) for _ in range(4)]
    start = sgd_start(theta, momentum=0.9)
    _, outer = run(sgd, start, theta, gradients, momentum=0.9, lr=0.1)
    _, inner = run(sgd, start, theta, gradients, momentum=0.9, lr=0.1, inside=True)
    same(inner["v"], tree_map(lambda v: -0.1 * v, outer["v"]))


def test_the_momentum_forms_part_when_the_learning_rate_changes():
    """The figures of SEMANTICS.md: lr 1, .1, .1, momentum .9, gradient 1 give -1.461 and -3.000."""
    ends = []
    for inside in (False, True):
        theta = np.zeros(1)
        state = sgd_start(theta, momentum=0.9)
        for lr in (1.0, 0.1, 0.1):
            theta, state = sgd(theta, np.ones(1), state, lr=lr, momentum=0.9, inside=inside)
        ends.append(float(theta[0]))
    assert ends == pytest.approx([-1.461, -3.0])


@pytest.mark.parametrize("hat", [False, True])
def test_adam_is_algorithm_1_of_each_number_by_itself(rng, hat):
    theta, gradients = tree(rng), [tree(rng) for _ in range(6)]

    def one(p, gs, lr=0.05, b1=0.8, b2=0.9, eps=1e-3):
        m = v = 0.0
        for t, g in enumerate(gs, 1):
            m, v = b1 * m + (1 - b1) * g, b2 * v + (1 - b2) * g * g
            if hat:
                p -= lr * math.sqrt(1 - b2**t) / (1 - b1**t) * m / (math.sqrt(v) + eps)
            else:
                p -= lr * (m / (1 - b1**t)) / (math.sqrt(v / (1 - b2**t)) + eps)
        return p

    option = {"lr": 0.05, "beta1": 0.8, "beta2": 0.9, "eps": 1e-3, "hat": hat}
    found, state = run(adam, adam_start(theta), theta, gradients, **option)
    same(flatten(found), scalars(theta, gradients, one))
    assert state["t"] == 6


def test_epsilon_hat_is_epsilon_divided_by_the_bias_correction_of_the_root(rng):
    theta, g = tree(rng), tree(rng)
    hat, _ = adam(theta, g, adam_start(theta), eps=1e-3, hat=True)
    outside, _ = adam(theta, g, adam_start(theta), eps=1e-3 / math.sqrt(1 - 0.999))
    same(hat, outside)


def test_the_first_step_at_a_tiny_gradient_shows_where_epsilon_stands():
    """The figures of SEMANTICS.md: g = 1e-8, eps = 1e-7, lr = .1."""
    theta, g = np.zeros(1), np.full(1, 1e-8)
    outside, _ = adam(theta, g, adam_start(theta), lr=0.1, eps=1e-7)
    hat, _ = adam(theta, g, adam_start(theta), lr=0.1, eps=1e-7, hat=True)
    assert -outside[0] == pytest.approx(0.0090909, rel=1e-4)
    assert -hat[0] == pytest.approx(0.00031523, rel=1e-4)


@pytest.mark.parametrize("hat", [False, True])
def test_decoupled_decay_shrinks_the_weights_and_leaves_the_moments(rng, hat):
    theta, g = tree(rng), tree(rng)
    decayed, state = adamw(theta, g, adam_start(theta), lr=0.1, decay=0.5, hat=hat)
    plain, moments = adam(theta, g, adam_start(theta), lr=0.1, hat=hat)
    same(
        decayed,
        {
            "W": plain["W"] - 0.1 * 0.5 * theta["W"],
            "layers": [
                {"b": a["b"] - 0.05 * b["b"]} for a, b in zip(plain["layers"], theta["layers"], strict=True)
            ],
        },
    )
    same(state, moments)


@pytest.mark.parametrize("step", [adam, adamw])
def test_a_constant_gradient_moves_every_weight_by_the_learning_rate(rng, step):
    theta = {"w": np.zeros(3)}
    option = {"decay": 0.0} if step is adamw else {}
    g = {"w": np.array([1e-3, -2.0, 5.0])}
    found, _ = run(step, adam_start(theta), theta, [g] * 7, lr=0.01, eps=0.0, **option)
    np.testing.assert_allclose(found["w"], [-0.07, 0.07, -0.07], rtol=1e-12)


@pytest.mark.parametrize(
    ("step", "start", "option"),
    [
        (sgd, sgd_start, {}),
        (sgd, sgd_start, {"momentum": 0.9}),
        (sgd, sgd_start, {"momentum": 0.9, "nesterov": True}),
        (sgd, sgd_start, {"momentum": 0.9, "nesterov": True, "inside": True}),
        (adam, adam_start, {}),
        (adam, adam_start, {"hat": True}),
        (adamw, adam_start, {}),
    ],
)
def test_steps_keep_float32_and_their_inputs(rng, step, start, option):
    theta = tree_map(lambda leaf: leaf.astype(np.float32), tree(rng))
    g = tree_map(lambda leaf: leaf.astype(np.float32), tree(rng))
    before = tree_map(np.copy, theta)
    begun = start(theta, momentum=option["momentum"]) if "momentum" in option else start(theta)
    moved, state = step(theta, g, begun, **option)
    leaves = [leaf for leaf in [*flatten(moved).values(), *flatten(state).values()] if hasattr(leaf, "dtype")]
    assert {leaf.dtype for leaf in leaves} == {np.dtype(np.float32)}
    assert all(
        np.array_equal(a, b) for a, b in zip(flatten(theta).values(), flatten(before).values(), strict=True)
    )
