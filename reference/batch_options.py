"""Batch, group and instance normalisation with a mask, renormalised, or with running statistics.

Formula
    μ = 1/m Σ x,  σ² = 1/m Σ (x − μ)²    over the m elements that are seen: of a channel in all examples, or
    of a group of channels in one example
    masked_batch, masked_groups    y = γ (x − μ) / √(σ² + ε) + β
    renormed_batch    y = γ (r (x − μ) / s + d) + β,  s = √(σ² + ε)
        r = s / t within [r_min, r_max],  d = (μ − known_mean) / t within [−d_max, d_max]
        t = max(known_deviation, √ε);  r and d are constants of the gradient
    instance_statistics    y of one example and channel; in inference that of the running statistics
    running ← (1 − α) running + α new:  of instances the mean over the examples of μ, and of σ² m/(m − 1)
Shapes
    x : (b, h, w, c)    images, channels last
    seen : (b, h, w, c)    boolean, any shape that broadcasts; all if not given
    mean : (c,)    the running mean; variance, deviation, known_mean and known_deviation alike
    gamma : (c,)    scales; 1 if not given
    beta : (c,)    shifts; 0 if not given
    y : (b, h, w, c)
Source
    Ioffe and Szegedy 2015, algorithms 1 and 2. arXiv:1502.03167
    Ioffe 2017, Batch renormalization, algorithm 1. arXiv:1702.03275
    Wu and He 2018, eqs. (1) to (7). arXiv:1803.08494. Ulyanov et al. 2016. arXiv:1607.08022
Choices
    What is left out of the statistics is normalised by them all the same.
    The running variance of a batch is biased (Keras, Flax). `momentum` is α, and `pace` that of the known
    statistics, from which r and d are computed; Keras's are 1 − α. The paper has one pair of statistics,
    Keras a slower one for inference, whose variance is deviation² − ε, at least 0.
    ε is inside the root, and so a part of s and of the deviations. t is at least √ε, as in Keras.
    Conditioning of instance-statistics/*/gradient.gamma, renormed-batch/unknown/*/forward.known_mean up to 6:
    both are sums over all places of all examples, in any order.
    Conditioning of renormed-batch/unknown/*/forward.y up to 60: within their bounds r and d leave
    (x − known_mean) / t, in which μ cancels; the paper's form is written out, because bounds change r and d.
"""

import math

import numpy as np

from reference.batch_norm import batch_norm_inference, batch_norm_inference_vjp
from reference.normalization import affine, affine_vjp

BATCH, GROUP, INSTANCE = (0, 1, 2), (1, 2, 4), (1, 2)  # axes; of groups those of (b, h, w, g, c/g)


def masked_batch(x, mean, variance, seen, gamma=None, beta=None, *, momentum=0.1, eps=1e-5):
    """{"y", "mean", "variance"}."""
    mu, square, _ = _moments(x, seen, BATCH)
    return {
        "y": affine((x - mu) / np.sqrt(square + eps), gamma, beta),
        "mean": _moved(mean, mu, momentum),
        "variance": _moved(variance, square, momentum),
    }


def masked_batch_vjp(dy, x, mean, variance, seen, gamma=None, beta=None, *, momentum=0.1, eps=1e-5):
    """The running statistics are not differentiated."""
    n, s, m = _standard(x, seen, BATCH, eps)
    dn, grads = affine_vjp(dy, n, gamma, beta)
    return {"x": _standard_vjp(dn, n, s, m, seen, BATCH)} | grads


def masked_groups(x, seen, gamma=None, beta=None, *, groups, eps=1e-5):
    n = _standard(_split(x, groups), _split_mask(seen, x, groups), GROUP, eps)[0]
    return affine(n.reshape(x.shape), gamma, beta)


def masked_groups_vjp(dy, x, seen, gamma=None, beta=None, *, groups, eps=1e-5):
    seen = _split_mask(seen, x, groups)
    n, s, m = _standard(_split(x, groups), seen, GROUP, eps)
    dn, grads = affine_vjp(dy, n.reshape(x.shape), gamma, beta)
    dx = _standard_vjp(_split(dn, groups), n, s, m, seen, GROUP)
    return {"x": dx.reshape(x.shape)} | grads


def renormed_batch(
    x, mean, deviation, known_mean, known_deviation, seen=None, gamma=None, beta=None, *, momentum=0.1,
    pace=0.1, least=0.0, most=math.inf, bound=math.inf, eps=1e-5,
):  # fmt: skip
    """{"y", "mean", "variance", "deviation", "known_mean", "known_deviation"}."""
    mu, square, _ = _moments(x, seen, BATCH)
    s = np.sqrt(square + eps)
    r, d = _corrections(mu, s, known_mean, known_deviation, least, most, bound, eps)
    moved = _moved(deviation, s, momentum)
    return {
        "y": affine(r * ((x - mu) / s) + d, gamma, beta),
        "mean": _moved(mean, mu, momentum),
        "variance": np.maximum(moved * moved - eps, 0),
        "deviation": moved,
        "known_mean": _moved(known_mean, mu, pace),
        "known_deviation": _moved(known_deviation, s, pace),
    }


def renormed_batch_vjp(
    dy, x, mean, deviation, known_mean, known_deviation, seen=None, gamma=None, beta=None, *, momentum=0.1,
    pace=0.1, least=0.0, most=math.inf, bound=math.inf, eps=1e-5,
):  # fmt: skip
    """r and d are constants; μ and s depend on every example that is seen."""
    n, s, m = _standard(x, seen, BATCH, eps)
    mu = _moments(x, seen, BATCH)[0]
    r, d = _corrections(mu, s, known_mean, known_deviation, least, most, bound, eps)
    dn, grads = affine_vjp(dy, r * n + d, gamma, beta)
    return {"x": _standard_vjp(dn * r, n, s, m, seen, BATCH)} | grads


def instance_statistics(x, mean, variance, gamma=None, beta=None, *, training, momentum=0.1, eps=1e-5):
    """{"y", "mean", "variance"} in training, and y alone in inference."""
    if not training:
        return {"y": batch_norm_inference(x, mean, variance, gamma, beta, eps=eps)}
    mu, square, m = _moments(x, None, INSTANCE)
    unbiased = square * (m / (m - 1))
    return {
        "y": affine((x - mu) / np.sqrt(square + eps), gamma, beta),
        "mean": _moved(mean, mu.mean(axis=0), momentum),
        "variance": _moved(variance, unbiased.mean(axis=0), momentum),
    }


def instance_statistics_vjp(dy, x, mean, variance, gamma=None, beta=None, *, training, eps=1e-5):
    if not training:
        return batch_norm_inference_vjp(dy, x, mean, variance, gamma, beta, eps=eps)
    n, s, m = _standard(x, None, INSTANCE, eps)
    dn, grads = affine_vjp(dy, n, gamma, beta)
    return {"x": _standard_vjp(dn, n, s, m, None, INSTANCE)} | grads


def _moments(x, seen, axes):
    """μ, σ² and the number of what is seen."""
    if seen is None:
        m = math.prod(x.shape[axis] for axis in axes)
    else:
        count = np.broadcast_to(seen, x.shape).sum(axis=axes, keepdims=True)
        m = count.astype(np.min_scalar_type(int(count.max())))  # which does not promote float32
    mu = _share(_seen(x, seen).sum(axis=axes, keepdims=True), m)
    c = x - mu
    return mu, _share(_seen(c * c, seen).sum(axis=axes, keepdims=True), m), m


def _share(total, m):
    """A mean, in the dtype of the sum: a large number of float16 would make it float32."""
    return (total / m).astype(total.dtype)


def _standard(x, seen, axes, eps):
    """n = (x − μ) / s, s and m."""
    mu, square, m = _moments(x, seen, axes)
    s = np.sqrt(square + eps)
    return (x - mu) / s, s, m


def _standard_vjp(dn, n, s, m, seen, axes):
    """n = c / s with c = x − μ: dc = dn / s, ds = −Σ dn n / s, and each c that is seen adds ds n / m."""
    ds = -(dn * n / s).sum(axis=axes, keepdims=True)
    dc = dn / s + _seen(_share(ds, m) * n, seen)
    return dc - _seen(np.broadcast_to(_share(dc.sum(axis=axes, keepdims=True), m), dc.shape), seen)


def _corrections(mu, s, known_mean, known_deviation, least, most, bound, eps):
    t = np.maximum(known_deviation, math.sqrt(eps))
    r, d = s / t, (mu - known_mean) / t
    return np.minimum(np.maximum(r, least), most), np.minimum(np.maximum(d, -bound), bound)


def _moved(old, new, momentum):
    return (1 - momentum) * old + momentum * new.reshape(old.shape)


def _seen(x, seen):
    return x if seen is None else np.where(seen, x, 0)


def _split(x, groups):
    groups = groups or x.shape[-1]
    return x.reshape(*x.shape[:-1], groups, x.shape[-1] // groups)


def _split_mask(seen, x, groups):
    return _split(np.broadcast_to(seen, x.shape), groups)
