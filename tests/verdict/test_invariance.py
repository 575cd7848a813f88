"""What must not change a verdict: the scale of the loss, the order of the batch, padding it, splitting it."""

import numpy as np
import pytest

from bench.coarse import cut
from bench.tolerance.spread import spread
from bench.verdict.compare import compare
from reference.attention import attention, attention_vjp
from reference.linear import linear, linear_vjp
from reference.loss import cross_entropy, cross_entropy_vjp
from reference.normalization import layer_norm, layer_norm_vjp

BATCH = 16


def drawn(*shape, seed=0):
    return np.random.default_rng([seed, *shape]).standard_normal(shape)


# each formula with its weights, its data by example, and a cotangent by example where its output has one
FORMULAS = {
    "linear": (
        linear, linear_vjp, {"W": drawn(5, 4), "b": drawn(4)}, {"x": drawn(BATCH, 5)}, drawn(BATCH, 4),
    ),
    "layer-norm": (
        layer_norm, layer_norm_vjp, {"gamma": drawn(7), "beta": drawn(7, seed=1)}, {"x": drawn(BATCH, 7)},
        drawn(BATCH, 7, seed=1),
    ),
    "attention": (
        attention, attention_vjp, {},
        {name: drawn(BATCH, 1, 6, 4, seed=seed) for seed, name in enumerate("qkv")}, drawn(BATCH, 1, 6, 4),
    ),
    "cross-entropy": (
        cross_entropy, cross_entropy_vjp, {}, {"z": drawn(BATCH, 9), "y": np.eye(9)[np.arange(BATCH) % 9]},
        drawn(1)[0],
    ),
}  # fmt: skip


def single(tree):
    return {name: np.asarray(x, np.float32) for name, x in tree.items()}


def verdict(name, fault, change):
    """The status of a float32 run whose first input goes through `fault`, on inputs that `change` changed."""
    formula, vjp, weights, data, dy = FORMULAS[name]
    data, dy = change(data, dy)
    weights, data, dy = single(weights), single(data), np.float32(dy)

    def both(weights, data, dy):
        back = vjp(dy, **data, **weights)
        return {"y": formula(**data, **weights), **{f"d{path}": g for path, g in back.items()}}

    expected = spread(both, (weights, data, np.asarray(dy)), dtype="float32", seed=5)
    got = both(weights, {**data, **{first: fault(data[first]) for first in list(data)[:1]}}, dy)
    agreement = compare(
        {path: np.asarray(y, np.float32) for path, y in got.items()}, expected, dtype="float32"
    )
    return agreement.status


def scaled(power):
    return lambda data, dy: (data, dy * 2.0**power)


def permuted(data, dy):
    order = np.random.default_rng(3).permutation(BATCH)
    return {name: x[order] for name, x in data.items()}, dy[order] if np.ndim(dy) else dy


def padded(data, dy):
    def more(x):
        return np.concatenate([x, x[:3]])

    return {name: more(x) for name, x in data.items()}, more(dy) if np.ndim(dy) else dy


def half(which):
    part = slice(which * BATCH // 2, (which + 1) * BATCH // 2)
    return lambda data, dy: ({name: x[part] for name, x in data.items()}, dy[part] if np.ndim(dy) else dy)


CHANGES = {
    "the loss times 2^-10": scaled(-10),
    "the loss as it is": scaled(0),
    "the loss times 2^7": scaled(7),
    "another order": permuted,
    "three examples more": padded,
    "the first half": half(0),
    "the second half": half(1),
}
FAULTS = {"agrees": lambda x: x, "disagrees": lambda x: cut(x, 11)}  # none, and TF32


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("status", FAULTS)
@pytest.mark.parametrize("name", FORMULAS)
def test_the_verdict_stays(name, status, change):
    assert verdict(name, FAULTS[status], CHANGES[change]) == status
