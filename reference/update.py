"""What stands around the step of an optimiser, before it and after it.

Formula, in this order
    micro      ḡ = the mean of ∇J over k micro-batches
    scale      g ← ∇(s J) / s
    clip       g ← clip_by_value or clip_by_global_norm (gradient.py)
    maximize   g ← −g
    coupled    g ← g + λ θ
    decay      θ ← θ − α λ θ;  matrices: weight matrices alone
    step       θ ← step(θ, g)
    average    θ̄ ← θ in the first update, then θ̄ ← μ θ̄ + (1 − μ) θ;  every f-th update: θ ← θ̄
    dampened   g ← (1 − τ) g, for the buffer of sgd (optimizer.py)
Shapes
    theta : tree    weights; g and the average have its shapes
    x : (m, d)    a batch; (k, m, d) with micro-batches
    y : (m, o)    its targets; (k, m, o)
    state : tree    that of the step, with "average", and "calls": the batches seen before
Source
    Polyak and Juditsky 1992 (average); Micikevicius et al. 2017, 3.2 (scale), arXiv:1710.03740; Loshchilov
    and Hutter 2017, algorithm 2 (both decays), arXiv:1711.05101; the others as in gradient.py
Choices
    A gradient is clipped after micro-batches are averaged and before weights decay, as the frameworks do.
    With a step α m̂/√v̂, coupled decay is divided by √v̂ too, decay is not.
    The average is of the weights after each update, so that micro-batches do not move it. It begins with
    the first weights, not with zero, and is not corrected.
    A buffer begins with zero, so that its first gradient is dampened too; torch dampens all but the first.
"""

import numpy as np

from reference.descent import value_and_gradient
from reference.gradient import accumulate, clip_by_global_norm, clip_by_value
from reference.optimizer import tree_map

OWN = ("average", "calls")


def update_start(theta, *, micro=1, average=0.0, **_):
    calls = {"calls": 0} if micro > 1 or average else {}
    return calls | ({"average": tree_map(np.zeros_like, theta)} if average else {})


def update(
    step,
    theta,
    state,
    x,
    y,
    *,
    lr,
    micro=1,
    scale=1.0,
    clip="",
    most=1.0,
    added=0.0,
    maximize=False,
    coupled=0.0,
    decay=0.0,
    matrices=False,
    average=0.0,
    every=0,
):
    """One update and the loss before it; ``step(theta, g, state) -> (theta, state)`` is the optimiser."""
    loss, g = (accumulate if micro > 1 else value_and_gradient)(theta, x, y)
    if scale != 1:
        g = tree_map(lambda g: (scale * g) / scale, g)
    g = clipped(g, clip, most, added)
    if maximize:
        g = tree_map(lambda g: -g, g)
    if coupled:
        g = tree_map(lambda g, p: g + coupled * p, g, theta)
    if decay:
        theta = tree_map(lambda p: p if matrices and p.ndim < 2 else p - (lr * decay) * p, theta)
    theta, moved = step(theta, g, {name: part for name, part in state.items() if name not in OWN})
    if "calls" in state:
        moved["calls"] = state["calls"] + micro
    if average:
        first, count = state["calls"] == 0, moved["calls"] // micro
        moved["average"] = theta if first else averaged(theta, state["average"], average)
        theta = moved["average"] if every and count % every == 0 else theta
    return theta, moved, loss


def clipped(g, clip, most, added):
    if clip == "value":
        return clip_by_value(g, most=most)
    return clip_by_global_norm(g, most=most, eps=added, each=clip == "each") if clip else g


def averaged(theta, average, mu):
    return tree_map(lambda a, p: mu * a + (1 - mu) * p, average, theta)


def dampened(g, tau):
    return tree_map(lambda g: (1 - tau) * g, g)
