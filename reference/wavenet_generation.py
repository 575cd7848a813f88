"""Generation by WaveNet: each step takes one more code, and gives the distribution of the next and a choice.

Formula
    pᵢ = wavenet(c₁ … cᵢ), the distribution at the last step
    kᵢ = the first of the most probable codes
    cᵢ₊₁ = kᵢ in the last `free` steps, and as given before; the first is always given
Shapes
    codes : (n, t)    the codes that are given; those of the last `free` steps are not read
    W : tree    front, stacks and end as in wavenet.py
    p : (n, t, a)
    k : (n, t)    whole numbers, in the dtype of p
Source
    van den Oord et al. 2016, section 2.1. arXiv:1609.03499
    Le Paine et al. 2016 (states that are kept from step to step give the same). arXiv:1611.09482
Choices
    Every step is the full pass over all codes so far: what is kept from step to step is the contenders' own.
    The most probable code is taken, not a random one.
"""

import numpy as np

from reference.wavenet import distributions


def wavenet_generation(codes, front, stacks, end, *, free=0):
    for step in range(max(codes.shape[1] - free, 1), codes.shape[1]):
        chosen = distributions(codes[:, :step], front, stacks, end)[:, -1].argmax(axis=-1)  # (n,)
        codes = np.concatenate([codes[:, :step], chosen[:, None], codes[:, step + 1 :]], axis=1)
    p = distributions(codes, front, stacks, end)
    numbers = np.zeros_like(p, shape=(1, 1, p.shape[-1]))
    numbers[...] = np.arange(p.shape[-1])
    k = np.take_along_axis(numbers, p.argmax(axis=-1, keepdims=True), axis=-1)[..., 0]
    return {"p": p, "k": k}
