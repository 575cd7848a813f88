"""Kullback-Leibler divergence: reference/divergence.py against each framework's own loss.

torch and optax take the logarithms of the predictions. Keras takes probabilities and clips them: see
suites/kl_divergence_floored.py. torch's mean divides by all elements; its batchmean is the mean over the
examples, which optax's users write. optax returns the loss of each example, torch the loss of each element.
Only logarithms of targets are differentiated: p log p has no derivative at zero.
"""

import numpy as np

from gaugeblock import Case, require
from reference.divergence import (
    kl_divergence,
    kl_divergence_log_targets,
    kl_divergence_log_targets_vjp,
    kl_divergence_vjp,
)
from suites.mean_squared_error import contender, examples

SIZES = {
    "small": {"batch": 13, "classes": 7},
    "two-classes": {"batch": 31, "classes": 2},
    "one-example": {"batch": 1, "classes": 17},
    "large": {"batch": 1024, "classes": 1000},
}
OPTIONS = {
    "batch-mean": {},
    "mean": {"reduction": "mean"},
    "sum": {"reduction": "sum"},
    "each": {"reduction": "each"},
    "elements": {"reduction": "none"},
}
SOME = {"some": {"masked": True, "reduction": "each"}, "some-batch-mean": {"masked": True}}
REGIMES = {
    "typical": "predictions and targets drawn apart",
    "zeros": "half of the targets are zero, and one row has a single class: p log p has no logarithm there",
    "close": "predictions within a few per cent of the targets: the terms of the sum cancel",
    "peaked": "log-probabilities down to -200: e^z underflows in float32, and Keras floors it",
    "unnormalised": "no distributions: of any sum, beyond the bounds, and one prediction of exactly 1",
}


def draw(rng, batch, classes, regime):
    """Log-probabilities of the predictions, and the targets."""
    p = rng.dirichlet(np.ones(classes), size=(batch,))
    if regime == "unnormalised":
        z = np.log(rng.uniform(0.05, 2, size=p.shape))
        z[0, 0] = 0
        return z, 10 ** rng.uniform(-10, 0.3, size=p.shape)
    z = (40 if regime == "peaked" else 3) * rng.normal(size=p.shape)
    if regime == "close":
        z = np.log(p) + 0.05 * rng.normal(size=p.shape)
    if regime == "zeros":
        p = np.where(np.arange(classes) % 2, 0, p)
        p[0] = np.arange(classes) == 0
        p = p / p.sum(axis=-1, keepdims=True)
    return z - np.log(np.exp(z - z.max()).sum(axis=-1, keepdims=True)) - z.max(), p


def inputs(rng, *, batch, classes, regime="typical", **option):
    z, p = draw(rng, batch, classes, regime)
    return {}, {"z": z, "p": p}


def log_inputs(rng, *, batch, classes, masked=False, regime="typical", **option):
    z, p = draw(rng, batch, classes, regime)
    seen = {"seen": rng.uniform(size=z.shape) < 0.6} if masked else {}
    return {}, {"z": z, "t": np.log(p), **seen}


def torch_kl(torch, *, reduction="batch mean"):
    name = {"batch mean": "batchmean"}.get(reduction, reduction)
    return lambda z, p: torch.nn.functional.kl_div(z, p, reduction=name)


def torch_log_targets(torch, *, reduction="batch mean"):
    name = {"batch mean": "batchmean"}.get(reduction, reduction)
    return lambda z, t: torch.nn.functional.kl_div(z, t, reduction=name, log_target=True)


def optax_reduced(l, reduction):
    return {"each": l, "sum": l.sum(), "batch mean": l.mean()}[reduction]


def optax_kl(optax, *, reduction="batch mean"):
    return lambda z, p: optax_reduced(optax.losses.kl_divergence(z, p), reduction)


def optax_log_targets(optax, *, reduction="batch mean", masked=False):
    call, names = optax.losses.kl_divergence_with_log_targets, ("where",) if masked else ()
    require("optax.losses.kl_divergence_with_log_targets", *names)

    def loss(z, t, **seen):
        return optax_reduced(call(z, t, **dict(zip(names, seen.values(), strict=True))), reduction)

    return loss


ELEMENTS = {"each": "gives the loss of each element, or one number"}
UNMASKED = dict.fromkeys(SOME, "takes no mask of classes")
EXAMPLES = dict.fromkeys(("mean", "elements"), "gives the loss of each example")
COMMON = {
    "sizes": SIZES,
    "rare": ("unnormalised",),
    "minor": True,
    "items": examples,
    "unit": "examples",
    "flops": lambda *, batch, classes, **_: 4 * batch * classes,  # a transcendental counts as one
}
cases = (
    Case(
        name="kl-divergence",
        title="Kullback-Leibler divergence from log-probabilities",
        reference=kl_divergence,
        gradient=kl_divergence_vjp,
        inputs=inputs,
        options=OPTIONS,
        regimes=REGIMES,
        fixed=("p",),
        contenders=(
            contender("torch.nn.functional.kl_div", torch_kl, ELEMENTS),
            contender("optax.losses.kl_divergence", optax_kl, EXAMPLES),
        ),
        **COMMON,
    ),
    Case(
        name="kl-divergence-log-targets",
        title="Kullback-Leibler divergence, targets as logarithms",
        reference=kl_divergence_log_targets,
        gradient=kl_divergence_log_targets_vjp,
        inputs=log_inputs,
        options=OPTIONS | SOME,
        regimes={name: REGIMES[name] for name in ("typical", "close", "peaked", "unnormalised")},
        contenders=(
            contender("torch.nn.functional.kl_div", torch_log_targets, ELEMENTS | UNMASKED),
            contender("optax.losses.kl_divergence_with_log_targets", optax_log_targets, EXAMPLES),
        ),
        **COMMON,
    ),
)
