"""Kullback-Leibler divergences of predicted distributions q from targets p.

Formula
    kl_divergence               ℓ = Σ_k p_k (log p_k - z_k),      z = log q,  0 log 0 = 0
    kl_divergence_log_targets   ℓ = Σ_k e^(t_k) (t_k - z_k),      z = log q,  t = log p
    kl_divergence_floored       ℓ = Σ_k p̃_k log(p̃_k / q̃_k),      x̃ = min(max(x, ε), 1)
Shapes
    z : (n, c)    log-probabilities; t has the same shape
    p : (n, c)    probabilities of the targets; q of the predictions
    seen : (n, c)    boolean, False for classes that are left out of the sum; all count if not given
    dy : ()    cotangent of the loss, with the shape of the loss if that is per example or element
Source
    Kullback and Leibler 1951, eq. (2.6).
Choices
    "batch mean" divides Σ ℓ by the n examples, "mean" by all n c elements (torch's default); "each" is the
    loss of each example, "none" that of each element.
    From probabilities, Keras clips predictions and targets to at least ε, so that a target of zero costs
    ε log(ε/q); a prediction outside the bounds gets no gradient, one at a bound does.
    Targets are not differentiated, unless they are logarithms.
    Conditioning of kl-divergence/*/forward.y, kl-divergence-log-targets/*/forward.y,
    kl-divergence-floored/*/forward.y up to 9: a loss is a sum over all elements, in any order.
"""

import numpy as np

from reference.loss import reduced, share


def kl_divergence(z, p, *, reduction="batch mean"):
    return _over_batch(p * (np.log(_or_one(p)) - z), reduction)


def kl_divergence_vjp(dy, z, p, *, reduction="batch mean"):
    return {"z": -_of_batch(dy, z, reduction) * p}


def kl_divergence_log_targets(z, t, seen=None, *, reduction="batch mean"):
    return _over_batch(_seen(np.exp(t) * (t - z), seen), reduction)


def kl_divergence_log_targets_vjp(dy, z, t, seen=None, *, reduction="batch mean"):
    """The product rule: dt = p (t - z) + p."""
    p = np.exp(t)
    dl = _seen(_of_batch(dy, z, reduction), seen)
    return {"z": -dl * p, "t": dl * (p * (t - z) + p)}


def kl_divergence_floored(q, p, *, floor=1e-7, reduction="batch mean"):
    q, p = (np.minimum(np.maximum(x, floor), 1) for x in (q, p))
    return _over_batch(p * np.log(p / q), reduction)


def kl_divergence_floored_vjp(dy, q, p, *, floor=1e-7, reduction="batch mean"):
    """d log(p/q) = -(q/p) (p/q²) dq, where q lies within the bounds."""
    p = np.minimum(np.maximum(p, floor), 1)
    inside = (q >= floor) & (q <= 1)
    return {"q": np.where(inside, -_of_batch(dy, q, reduction) * p / np.maximum(q, floor), 0)}


def _seen(l, seen):
    return l if seen is None else np.where(seen, l, 0)


def _or_one(p):
    """p with zeros replaced by 1, whose logarithm is 0."""
    return np.where(p > 0, p, 1)


def _over_batch(l, reduction):
    """The loss reduced over all elements; the last axis is one example."""
    if reduction in ("batch mean", "each"):
        return reduced(l.sum(axis=-1), "none" if reduction == "each" else "mean")
    return reduced(l, reduction)


def _of_batch(dy, l, reduction):
    """The gradient of `_over_batch`: the part of dy for each element of l."""
    if reduction in ("batch mean", "each"):
        examples = l[..., 0].size
        return share(dy, examples, "none" if reduction == "each" else "mean")[..., None]
    return share(dy, l.size, reduction)
