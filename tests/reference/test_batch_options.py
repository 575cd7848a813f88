"""Norms of images with further arguments: finite differences, the norms without them, and by loops."""

import numpy as np
import pytest

from reference.batch_norm import batch_norm
from reference.batch_options import (
    instance_statistics,
    instance_statistics_vjp,
    masked_batch,
    masked_batch_vjp,
    masked_groups,
    masked_groups_vjp,
    renormed_batch,
    renormed_batch_vjp,
)
from reference.group_norm import group_norm
from suites import batch_options as page
from suites import running_norms as running
from tests.differences import check_vjp

STATE = ("mean", "variance", "deviation", "known_mean", "known_deviation")
OF_INPUTS = ("scale", "shift", "each", "masked", "known")


def drawn(draw, option, seed=1):
    weights, data = draw(np.random.default_rng(seed), **page.SIZES["small"], **option)
    return weights | data, {key: value for key, value in option.items() if key not in OF_INPUTS}


def only_y(f):
    """y alone: running statistics are not differentiated, and r and d are constants of the gradient."""

    def run(**given):
        found = f(**given)
        return found["y"] if isinstance(found, dict) else found

    return run


@pytest.mark.parametrize(
    ("f", "f_vjp", "draw", "options"),
    [
        (masked_batch, masked_batch_vjp, page.inputs, page.SOME),
        (masked_groups, masked_groups_vjp, page.group_inputs, page.GROUPS | page.INSTANCES),
        (instance_statistics, instance_statistics_vjp, running.tracked_inputs, running.TRACKED),
    ],
)
def test_the_gradient_is_that_of_finite_differences(f, f_vjp, draw, options):
    for option in options.values():
        given, how = drawn(draw, option)
        back = {key: value for key, value in how.items() if key != "momentum"}

        def pull(dy, back=back, **given):
            return f_vjp(dy, **{k: v for k, v in given.items() if k != "momentum"})

        check_vjp(only_y(f), pull, given, fixed=STATE, options=how, rng=np.random.default_rng(2), rtol=1e-8)


@pytest.mark.parametrize("option", running.RENORMED.values(), ids=running.RENORMED)
def test_the_gradient_of_a_renormed_batch_is_that_of_held_corrections(option):
    given, how = drawn(running.renorm_inputs, option)
    x, eps = given["x"], how.get("eps", 1e-5)
    mu, s = moments(x, given.get("seen"), eps)
    t = np.maximum(given["known_deviation"], eps**0.5)
    r = np.clip(s / t, how.get("least", 0), how.get("most", np.inf))
    d = np.clip((mu - given["known_mean"]) / t, -how.get("bound", np.inf), how.get("bound", np.inf))

    def held(x, gamma=1, beta=0, **rest):
        mu, s = moments(x, rest.get("seen"), eps)
        return gamma * (r * (x - mu) / s + d) + beta

    def pull(dy, **given):
        return renormed_batch_vjp(dy, **given, **how)

    np.testing.assert_allclose(renormed_batch(**given, **how)["y"], held(**given), rtol=1e-11, atol=1e-12)
    # r and d are held in the dtype of the test, the inputs are wider: both sides use their own
    check_vjp(held, pull, given, fixed=STATE, rng=np.random.default_rng(2), rtol=1e-8)


def moments(x, seen, eps):
    seen = np.broadcast_to(True if seen is None else seen, x.shape)
    count = seen.sum(axis=(0, 1, 2))
    mu = (x * seen).sum(axis=(0, 1, 2)) / count
    return mu, np.sqrt((((x - mu) * seen) ** 2).sum(axis=(0, 1, 2)) / count + eps)


def test_with_everything_seen_it_is_the_norm_without_a_mask():
    given, how = drawn(page.inputs, {})
    given["seen"] |= True
    want = batch_norm(
        given["x"], given["mean"], given["variance"], given["gamma"], given["beta"], unbiased=False
    )
    for name, got in masked_batch(**given, **how).items():
        np.testing.assert_allclose(got, want[name], rtol=1e-12, atol=1e-13)
    for groups in (None, 1, 2):
        x, gamma, beta = (given[name] for name in ("x", "gamma", "beta"))
        got = masked_groups(x, given["seen"], gamma, beta, groups=groups)
        np.testing.assert_allclose(got, group_norm(x, gamma, beta, groups=groups), rtol=1e-11, atol=1e-13)


def test_a_batch_of_known_statistics_of_its_own_is_not_changed():
    given, how = drawn(running.renorm_inputs, {})
    mu, s = moments(given["x"], None, 1e-5)
    own = renormed_batch(**given | {"known_mean": mu, "known_deviation": s}, **how)["y"]
    plain = given["gamma"] * (given["x"] - mu) / s + given["beta"]
    np.testing.assert_allclose(own, plain, rtol=1e-11, atol=1e-12)


def test_running_statistics_of_instances_are_means_over_the_examples():
    given, how = drawn(running.tracked_inputs, running.TRACKED["momentum"])
    found = instance_statistics(**given, **how)
    flat = given["x"].reshape(len(given["x"]), -1, given["x"].shape[-1])
    np.testing.assert_allclose(found["mean"], 0.7 * given["mean"] + 0.3 * flat.mean(axis=1).mean(axis=0))
    variance = flat.var(axis=1, ddof=1).mean(axis=0)
    np.testing.assert_allclose(found["variance"], 0.7 * given["variance"] + 0.3 * variance)
    want = group_norm(given["x"], given["gamma"], given["beta"], eps=1e-3)
    np.testing.assert_allclose(found["y"], want, rtol=1e-11, atol=1e-13)
