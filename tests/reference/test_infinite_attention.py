"""Attention of infinite queries: NaN where softmax as written gives it, and nowhere else."""

import numpy as np
import pytest

from reference.infinite_attention import infinite_attention
from suites.infinite_attention import OPTIONS, SIZES, inputs


@pytest.mark.parametrize("option", OPTIONS.values(), ids=str)
def test_it_is_what_the_formula_gives_as_written(option):
    data = inputs(np.random.default_rng(1), **SIZES["small"], **option)[1]
    q, k, v = (data[name] for name in "qkv")
    with np.errstate(invalid="ignore"):
        q = q * np.sqrt(data.get("square", 1))
    causal = option.get("causal", False)
    with np.errstate(invalid="ignore"):
        S = np.einsum("bhtd,bhsd->bhts", q, k) / q.shape[-1] ** 0.5 + data.get("bias", 0)
        S = np.where(data.get("mask", True), S, -np.inf)
        S = np.where(np.tri(S.shape[-2], S.shape[-1], dtype=bool), S, -np.inf) if causal else S
        e = np.exp(S - S.max(axis=-1, keepdims=True))
        want = (e / e.sum(axis=-1, keepdims=True)) @ v
    got = infinite_attention(**data, causal=causal)
    np.testing.assert_allclose(got, want, rtol=1e-12, atol=1e-13)
    assert np.isnan(got[0, 0, got.shape[2] // 2]).all() and np.isnan(got).sum() == v.shape[-1]
