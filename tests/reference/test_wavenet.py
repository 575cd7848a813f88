"""WaveNet: layer by layer from the paper's words, finite differences, steps, and nothing from the future."""

import numpy as np
import pytest

from bench.tree import tree_map
from reference.wavenet import distributions, wavenet, wavenet_vjp
from reference.wavenet_generation import wavenet_generation
from suites.wavenet import draw
from tests.differences import check_dtype, check_vjp

SIZE = {"classes": 7, "stacks": 2, "depth": 3, "residual": 3, "gate": 4, "skip": 5, "end": 6}


def given(kernel=2, bias=True, t=11):
    rng = np.random.default_rng(8)
    codes = rng.integers(0, 7, size=(2, t + 1))
    return rng, draw(rng, kernel=kernel, bias=bias, **SIZE), {"codes": codes[:, :-1], "targets": codes[:, 1:]}


def by_steps(codes, front, stacks, end):
    """The distribution after the last of some codes of one sequence, from windows of one step each."""
    k, a, _ = front.shape

    def convolved(rows, W, b, dilation, t):
        taps = [(t - (k - 1 - j) * dilation, W[j]) for j in range(k)]
        return b + sum(rows[at] @ w for at, w in taps if at >= 0)

    rows = [convolved(np.eye(a)[codes], front, 0, 1, t) for t in range(len(codes))]
    s = 0
    for stack in stacks:
        for level, layer in enumerate(stack):
            z = [
                np.tanh(convolved(rows, *layer["filter"].values(), 2**level, t))
                / (1 + np.exp(-convolved(rows, *layer["gate"].values(), 2**level, t)))
                for t in range(len(rows))
            ]
            s = s + z[-1] @ layer["skip"]["W"] + layer["skip"]["b"]
            rows = [
                h + each @ layer["residual"]["W"] + layer["residual"]["b"]
                for h, each in zip(rows, z, strict=True)
            ]
    a = np.maximum(s, 0) @ end[0]["W"] + end[0]["b"]
    e = np.exp(np.maximum(a, 0) @ end[1]["W"] + end[1]["b"])
    return e / e.sum()


@pytest.mark.parametrize("kernel", [2, 3])
def test_each_distribution_is_that_of_the_codes_so_far(kernel):
    _, weights, data = given(kernel)
    found = wavenet(**data, **weights)
    for n, codes in enumerate(data["codes"]):
        want = np.array([by_steps(codes[: t + 1], **weights) for t in range(len(codes))])
        np.testing.assert_allclose(found["p"][n], want, rtol=1e-11)
    chosen = np.take_along_axis(found["p"], data["targets"][..., None], axis=-1)
    np.testing.assert_allclose(found["loss"], -np.log(chosen).mean(), rtol=1e-12)


@pytest.mark.parametrize(("kernel", "bias"), [(2, True), (2, False), (3, True)])
def test_the_gradient_is_that_of_finite_differences(kernel, bias):
    rng, weights, data = given(kernel, bias)
    check_vjp(wavenet, wavenet_vjp, weights | data, rng=rng, samples=8)
    check_dtype(wavenet, wavenet_vjp, weights | data)


@pytest.mark.parametrize("t", [1, 2, 6])
def test_each_tap_of_the_first_kernel_has_its_gradient_in_short_sequences_too(t):
    rng, weights, data = given(kernel=3, t=t)
    rest = {name: weights[name] for name in ("stacks", "end")}

    def of_front(dy, front):
        return {"front": wavenet_vjp(dy, front=front, **data, **rest)["front"]}

    check_vjp(
        lambda front: wavenet(front=front, **data, **rest),
        of_front,
        {"front": weights["front"]},
        rng=rng,
        samples=63,
    )


@pytest.mark.parametrize("free", [0, 1, 5])
def test_free_steps_take_the_most_probable_code_before(free):
    _, weights, data = given()
    found = wavenet_generation(data["codes"], **weights, free=free)
    codes = data["codes"].copy()
    for step in range(11 - free, 11):
        p = distributions(codes[:, :step], **weights)
        codes[:, step] = p[:, -1].argmax(axis=-1)
    assert np.array_equal(found["p"], distributions(codes, **weights))
    assert np.array_equal(found["k"], found["p"].argmax(axis=-1))
    other = np.where(np.arange(11) < 11 - free, data["codes"], 0)  # which free steps do not read
    assert np.array_equal(wavenet_generation(other, **weights, free=free)["k"], found["k"])


def test_generation_keeps_float32():
    _, weights, data = given()
    weights = tree_map(lambda leaf: leaf.astype(np.float32), weights)
    found = wavenet_generation(data["codes"], **weights, free=2)
    assert {each.dtype for each in found.values()} == {np.dtype("float32")}
