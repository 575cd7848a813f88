"""Learning rates as functions of the number of steps taken before.

Formula
    step_decay          α_t = α γ^(number of milestones m with m ≤ t)
    exponential_decay   α_t = α γ^(t/T)
    polynomial_decay    α_t = (α − ω) (1 − t/T)^p + ω,               for t ≤ T, then ω
    cosine_decay        α_t = ω + (α − ω) (1 + cos(π t/T))/2,        for t ≤ T, then ω
    warm_up_cosine      polynomial_decay from β to α for t < w, then cosine_decay at t − w over T − w
    one_cycle           α_t = cosine from α/d up to α at t = h, down to α/(d f) at t = T
Shapes
    t : (n,)    numbers of steps, exact in their dtype
Source
    Loshchilov and Hutter 2016, eq. (5). arXiv:1608.03983. Goyal et al. 2017, 2.2 (warm-up). arXiv:1706.02677
    Smith and Topin 2017 (one cycle). arXiv:1708.07120
Choices
    A new rate starts at the step of the milestone; late=True: at the step after it (Keras).
    1 − t/T is clipped at zero: rounding could make it negative, and then a root of it has no value.
    Beyond T the rate is constant; periodic=True: the cosine rises again (torch).
    One cycle of T steps peaks at h = ⌊ρ T⌋ and ends at T (optax); last=True: its last step, T − 1, is the
    end, and its peak is at ρ T − 1 (torch).
"""

from math import floor, pi

import numpy as np


def step_decay(t, *, lr, gamma, milestones, late=False):
    rate = lr * np.ones_like(t)
    for m in milestones:
        rate = np.where(t > m if late else t >= m, gamma * rate, rate)
    return rate


def exponential_decay(t, *, lr, gamma, steps=1):
    return lr * gamma ** (t / steps)


def polynomial_decay(t, *, lr, end, steps, power=1.0):
    left = np.maximum(1 - np.minimum(t, steps) / steps, 0)
    return (lr - end) * left**power + end


def cosine_decay(t, *, lr, steps, end=0.0, periodic=False):
    return _cosine(lr, end, (t if periodic else np.minimum(t, steps)) / steps)


def warm_up_cosine(t, *, lr, steps, warm, begin=0.0, end=0.0):
    rising = polynomial_decay(t, lr=begin, end=lr, steps=warm)
    falling = cosine_decay(np.maximum(t - warm, 0), lr=lr, steps=steps - warm, end=end)
    return np.where(t < warm, rising, falling)


def one_cycle(t, *, lr, steps, share=0.3, divisor=25.0, final=1e4, last=False):
    top, end = (share * steps - 1, steps - 1) if last else (floor(share * steps), steps)
    low = lr / divisor
    rising = _cosine(low, lr, np.minimum(t, top) / top)
    falling = _cosine(lr, low / final, np.minimum(np.maximum(t - top, 0), end - top) / (end - top))
    return np.where(t < top, rising, falling)


def _cosine(begin, end, x):
    """A cosine from `begin` at x = 0 to `end` at x = 1."""
    return end + (begin - end) * (1 + np.cos(pi * x)) / 2
