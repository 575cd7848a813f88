"""Kullback-Leibler divergence of floored probabilities: reference/divergence.py against Keras's own loss.

Keras takes probabilities and clips predictions and targets from below. torch and optax take logarithms,
which is another formula: see suites/divergence.py. Keras returns the loss of each example, or with
sum_over_batch_size the mean over the examples.
"""

import numpy as np

from gaugeblock import Case
from reference.divergence import kl_divergence_floored, kl_divergence_floored_vjp
from suites.divergence import COMMON, OPTIONS, REGIMES, draw
from suites.mean_squared_error import contender


def inputs(rng, *, batch, classes, regime="typical", **option):
    z, p = draw(rng, batch, classes, regime)
    return {}, {"q": np.exp(z), "p": p}


def in_keras(keras, *, reduction="batch mean"):
    names = {"batch mean": "sum_over_batch_size", "each": "none", "sum": "sum"}
    loss = keras.losses.KLDivergence(reduction=names[reduction])
    return lambda q, p: loss(p, q)


case = Case(
    name="kl-divergence-floored",
    title="Kullback-Leibler divergence of floored probabilities",
    reference=kl_divergence_floored,
    gradient=kl_divergence_floored_vjp,
    inputs=inputs,
    options={name: OPTIONS[name] for name in ("batch-mean", "sum", "each")},
    regimes=REGIMES,
    fixed=("p",),
    contenders=(contender("keras.losses.KLDivergence", in_keras),),
    **COMMON,
)
