"""Learning rates as functions of the number of steps taken before.

Formula
    step_decay          α_t = α γ^(number of milestones m with m ≤ t)
    exponential_decay   α_t = α γ^(t/T);  stairs: α γ^⌊t/T⌋;  floor: no less than ω
    polynomial_decay    α_t = (α − ω) (1 − t/T)^p + ω,               for t ≤ T, then ω
                        cycles: T is its first multiple that is not below t
    cosine_decay        α_t = ω + (α − ω) ((1 + cos(π t/T))/2)^p,    for t ≤ T, then ω
    warm_up_cosine      polynomial_decay from β to α for t < w, then cosine_decay at t − w over T − w
    one_cycle           α_t = cosine from α/d up to α at t = h, down to α/(d f) at t = T
                        phases: down to α/d at t = 2 h, then to α/(d f);  linear: lines for cosines
                        momentum: μ_t from its largest down to its least at h, and up again
    begin: each decay starts at the step b, t − b for t
Shapes
    t : (n,)    numbers of steps, exact in their dtype
Source
    Loshchilov and Hutter 2016, eq. (5). arXiv:1608.03983. Goyal et al. 2017, 2.2 (warm-up). arXiv:1706.02677
    Smith and Topin 2017 (one cycle). arXiv:1708.07120
Choices
    A new rate starts at the step of the milestone; late=True: at the step after it (Keras).
    Beyond T the rate is constant; periodic=True: the cosine rises again (torch). A cycle of a polynomial ends
    at its last step: at t = T the rate is ω, and at T + 1 it is of the second cycle (Keras). Stairs are those
    of step_decay at every T-th step; how many stairs or cycles there are is given.
    One cycle of T steps peaks at h = ⌊ρ T⌋ and ends at T (optax); last=True: its last step, T − 1, is the
    end, and its peak is at ρ T − 1 (torch).
    Forms that do not cancel: (T − t)/T for 1 − t/T, which is zero at T exactly; two squares for 1 ± cos; a
    sum of what is left of the first rate and what there is of the last. α, γ and ω are Python floats, and
    what depends on them alone is not rounded to the dtype of t.
    Conditioning of one-cycle/last*/typical/* up to 6: a rate is a product of three numbers that are rounded.
    Conditioning of cosine-decay/power/*, warm-up-cosine/power/* up to 7: a power multiplies the rounding
    error of its base.
"""

from math import floor, log, pi

import numpy as np


def step_decay(t, *, lr, gamma, milestones, late=False):
    rate = lr * np.ones_like(t)
    for count, m in enumerate(sorted(milestones), 1):
        rate = np.where(t > m if late else t >= m, lr * gamma**count, rate)
    return rate


def exponential_decay(t, *, lr, gamma, steps=1, begin=0, stairs=0, floor=None):
    """γ^(t/T) = e^(t log(γ)/T)."""
    t = _after(t, begin)
    if stairs:
        rate = step_decay(t, lr=lr, gamma=gamma, milestones=[steps * n for n in range(1, stairs + 1)])
    else:
        rate = lr * np.exp(t * (log(gamma) / steps))
    return rate if floor is None else np.maximum(rate, floor)


def polynomial_decay(t, *, lr, end, steps, power=1.0, begin=0, cycles=1):
    """(α − ω) L^p + ω = α L^p + ω (1 − L^p) with L = (T − t)/T; 1 − L = t/T."""
    t = np.minimum(_after(t, begin), cycles * steps)
    span = steps * np.ones_like(t) if cycles > 1 else steps
    for n in range(1, cycles):
        span = np.where(t > n * steps, (n + 1) * steps * np.ones_like(t), span)
    left = ((span - t) / span) ** power
    return lr * left + end * (t / span if power == 1 else 1 - left)


def cosine_decay(t, *, lr, steps, end=0.0, periodic=False, power=1.0):
    t = t if periodic else np.minimum(t, steps)
    if power == 1:
        return _cosine(lr, end, t, 0, steps)
    left = _cosine(1.0, 0.0, t, 0, steps) ** power
    return lr * left + end * (1 - left)


def warm_up_cosine(t, *, lr, steps, warm, begin=0.0, end=0.0, power=1.0):
    rising = polynomial_decay(t, lr=begin, end=lr, steps=warm)
    falling = cosine_decay(np.maximum(t - warm, 0), lr=lr, steps=steps - warm, end=end, power=power)
    return np.where(t < warm, rising, falling)


def one_cycle(
    t, *, lr, steps, share=0.3, divisor=25.0, final=1e4, last=False, linear=False, phases=2, momentum=()
):
    top, end = (share * steps - 1, steps - 1) if last else (floor(share * steps), steps)
    low = lr / divisor
    rates, stops = [low, lr, low / final], [0, top, end]
    if phases == 3:
        rates, stops = [low, lr, low, low / final], [0, top, 2 * top, end]
    if momentum:
        least, most = momentum
        rates = [most, least, most, most][: len(rates)]
    curve, rate = _line if linear else _cosine, None
    for begin, stop, start, until in zip(rates, rates[1:], stops, stops[1:], strict=False):
        piece = curve(begin, stop, np.minimum(np.maximum(t, start), until), start, until)
        rate = piece if rate is None else np.where(t < start, rate, piece)
    return rate


def _after(t, begin):
    return np.maximum(t - begin, 0) if begin else t


def _line(begin, end, t, start, stop):
    """A line from `begin` at the step `start` to `end` at `stop`."""
    return begin * ((stop - t) / (stop - start)) + end * ((t - start) / (stop - start))


def _cosine(begin, end, t, start, stop):
    """A cosine from `begin` at the step `start` to `end` at `stop`.

    With x = (t − start)/(stop − start), (1 + cos πx)/2 = sin²(π(1 − x)/2) and (1 − cos πx)/2 = sin²(πx/2).
    """
    rate = pi / (2 * (stop - start))
    return begin * np.sin(rate * (stop - t)) ** 2 + end * np.sin(rate * (t - start)) ** 2
