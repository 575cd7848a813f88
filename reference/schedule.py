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
    Beyond T the rate is constant; periodic=True: the cosine rises again (torch).
    One cycle of T steps peaks at h = ⌊ρ T⌋ and ends at T (optax); last=True: its last step, T − 1, is the
    end, and its peak is at ρ T − 1 (torch).
    Forms that do not cancel: (T − t)/T for 1 − t/T, which is zero at T exactly; two squares for 1 ± cos; a
    sum of what is left of the first rate and what there is of the last. α, γ and ω are Python floats, and
    what depends on them alone is not rounded to the dtype of t.
    Conditioning of one-cycle/last/typical/* up to 6: a rate is a product of three numbers that are rounded.
"""

from math import floor, log, pi

import numpy as np


def step_decay(t, *, lr, gamma, milestones, late=False):
    rate = lr * np.ones_like(t)
    for count, m in enumerate(sorted(milestones), 1):
        rate = np.where(t > m if late else t >= m, lr * gamma**count, rate)
    return rate


def exponential_decay(t, *, lr, gamma, steps=1):
    """γ^(t/T) = e^(t log(γ)/T)."""
    return lr * np.exp(t * (log(gamma) / steps))


def polynomial_decay(t, *, lr, end, steps, power=1.0):
    """(α − ω) L^p + ω = α L^p + ω (1 − L^p) with L = (T − t)/T; 1 − L = t/T."""
    t = np.minimum(t, steps)
    left = ((steps - t) / steps) ** power
    return lr * left + end * (t / steps if power == 1 else 1 - left)


def cosine_decay(t, *, lr, steps, end=0.0, periodic=False):
    return _cosine(lr, end, t if periodic else np.minimum(t, steps), 0, steps)


def warm_up_cosine(t, *, lr, steps, warm, begin=0.0, end=0.0):
    rising = polynomial_decay(t, lr=begin, end=lr, steps=warm)
    falling = cosine_decay(np.maximum(t - warm, 0), lr=lr, steps=steps - warm, end=end)
    return np.where(t < warm, rising, falling)


def one_cycle(t, *, lr, steps, share=0.3, divisor=25.0, final=1e4, last=False):
    top, end = (share * steps - 1, steps - 1) if last else (floor(share * steps), steps)
    low = lr / divisor
    rising = _cosine(low, lr, np.minimum(t, top), 0, top)
    falling = _cosine(lr, low / final, np.minimum(np.maximum(t, top), end), top, end)
    return np.where(t < top, rising, falling)


def _cosine(begin, end, t, start, stop):
    """A cosine from `begin` at the step `start` to `end` at `stop`.

    With x = (t − start)/(stop − start), (1 + cos πx)/2 = sin²(π(1 − x)/2) and (1 − cos πx)/2 = sin²(πx/2).
    """
    rate = pi / (2 * (stop - start))
    return begin * np.sin(rate * (stop - t)) ** 2 + end * np.sin(rate * (t - start)) ** 2
