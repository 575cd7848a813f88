"""Variants of Adam: the largest second moment (AMSGrad), a look ahead (NAdam), an ε inside the root.

Formula
    m, v, m̂, v̂ as in optimizer.py
    amsgrad    u ← max(u, v);  θ ← θ − α m̂ / (√û + ε),  û = u/(1 − β₂ᵗ)
               hat: θ ← θ − α̂ m / (√u + ε̂)
    nesterov   m̂ = β₁ m/(1 − β₁ᵗ⁺¹) + (1 − β₁) g/(1 − β₁ᵗ)
    root       θ ← θ − α m̂ / (√(v̂ + ε̄) + ε)
Shapes
    theta : tree    weights; g, m, v and u have its shapes
    state : tree    {"m", "v", "t"}, with "u" for amsgrad; t counts the steps taken
Source
    Reddi, Kale, Kumar 2018, algorithm 2. arXiv:1904.09237
    Dozat 2016, Incorporating Nesterov momentum into Adam, algorithm 2.
Choices
    u is the largest v, before its bias is corrected (torch, Keras); the paper corrects nothing.
    nesterov: v̂ is that of Adam (optax); Dozat multiplies it by β₂. β₁ is constant.
    Conditioning of adam/*/*, adamw/*/* up to 7: loss and gradient are sums over the batch, and a sum of n
    terms in any order loses a factor of √(n/6).
"""

import math

import numpy as np

from reference.optimizer import adam, adam_start, tree_map


def variant_start(theta, *, amsgrad=False):
    return adam_start(theta) | ({"u": tree_map(np.zeros_like, theta)} if amsgrad else {})


def adam_variant(
    theta,
    g,
    state,
    *,
    lr=0.001,
    beta1=0.9,
    beta2=0.999,
    eps=1e-8,
    root=0.0,
    hat=False,
    amsgrad=False,
    nesterov=False,
):
    """One step with the moments of Adam."""
    _, moved = adam(theta, g, state, beta1=beta1, beta2=beta2)
    m, v, t = moved["m"], moved["v"], moved["t"]
    c1, c2 = 1 - beta1**t, 1 - beta2**t
    if amsgrad:
        v = moved["u"] = tree_map(np.maximum, state["u"], v)
    if hat:
        rate = lr * math.sqrt(c2) / c1
        return tree_map(lambda p, m, v: p - rate * m / (np.sqrt(v) + eps), theta, m, v), moved
    if nesterov:
        ahead = beta1 / (1 - beta1 ** (t + 1))
        m = tree_map(lambda m, g: ahead * m + (1 - beta1) / c1 * g, m, g)
    else:
        m = tree_map(lambda m: m / c1, m)
    d = tree_map(lambda m, v: m / (np.sqrt(v / c2 + root) + eps), m, v)
    return tree_map(lambda p, d: p - lr * d, theta, d), moved
