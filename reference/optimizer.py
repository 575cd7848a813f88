"""Optimisers: one step on a tree of weights, given the tree of gradients.

Formula
    sgd    v ← μ v + g;  θ ← θ − α v;  Nesterov: θ ← θ − α (g + μ v)
           inside: v ← μ v − α g;  θ ← θ + v;  Nesterov: θ ← θ + μ v − α g
    adam   m ← β₁ m + (1 − β₁) g;  v ← β₂ v + (1 − β₂) g²
           θ ← θ − α m̂ / (√v̂ + ε),  m̂ = m/(1 − β₁ᵗ),  v̂ = v/(1 − β₂ᵗ)
           hat: θ ← θ − α̂ m / (√v + ε̂),  α̂ = α √(1 − β₂ᵗ)/(1 − β₁ᵗ)
    adamw  θ ← θ − α λ θ, then adam
Shapes
    theta : tree    weights; g, m and v have the same shapes
    state : tree    {"v"} with momentum, {} without; adam {"m", "v", "t"}; t counts the steps taken
Source
    Polyak 1964; Sutskever et al. 2013, eqs. (1) to (4). Kingma and Ba 2014, algorithm 1, and section 2 for ε̂.
    arXiv:1412.6980. Loshchilov and Hutter 2017, algorithm 2. arXiv:1711.05101
Choices
    The learning rate is outside the momentum buffer (torch, optax); inside=True is Sutskever's form
    (Keras). The weights agree as long as α is constant, the buffers differ by the factor −α.
    No dampening; the first buffer is the first gradient. ε is added to the bias-corrected root
    (torch, optax); hat=True adds ε̂ to the uncorrected root (Keras), so that ε̂ acts as ε/√(1 − β₂ᵗ).
    adamw decays by α λ θ, before the step and independent of the gradient.
    α, μ, β, ε, λ and the powers of β are Python floats; they are not rounded to the dtype of the arrays.
    Conditioning of adam/*/*, adamw/*/*, sgd-momentum/*/* up to 7: loss and gradient are sums over the batch,
    and a sum of n terms in any order loses a factor of √(n/6).
"""

import math

import numpy as np


def sgd_start(theta, *, momentum=0.0):
    return {"v": tree_map(np.zeros_like, theta)} if momentum else {}


def sgd(theta, g, state, *, lr=0.01, momentum=0.0, nesterov=False, inside=False):
    """Gradient descent, with momentum or Nesterov's if μ ≠ 0."""
    if not momentum:
        return tree_map(lambda p, g: p - lr * g, theta, g), {}
    scale = -lr if inside else 1.0
    v = tree_map(lambda v, g: momentum * v + scale * g, state["v"], g)
    d = tree_map(lambda v, g: momentum * v + scale * g, v, g) if nesterov else v
    return tree_map(lambda p, d: p + d if inside else p - lr * d, theta, d), {"v": v}


def adam_start(theta):
    return {"m": tree_map(np.zeros_like, theta), "v": tree_map(np.zeros_like, theta), "t": 0}


def adam(theta, g, state, *, lr=0.001, beta1=0.9, beta2=0.999, eps=1e-8, hat=False):
    t = state["t"] + 1
    m = tree_map(lambda m, g: beta1 * m + (1 - beta1) * g, state["m"], g)
    v = tree_map(lambda v, g: beta2 * v + (1 - beta2) * (g * g), state["v"], g)
    c1, c2 = 1 - beta1**t, 1 - beta2**t
    if hat:
        rate = lr * math.sqrt(c2) / c1
        theta = tree_map(lambda p, m, v: p - rate * m / (np.sqrt(v) + eps), theta, m, v)
    else:
        theta = tree_map(lambda p, m, v: p - lr * (m / c1) / (np.sqrt(v / c2) + eps), theta, m, v)
    return theta, {"m": m, "v": v, "t": t}


def adamw(theta, g, state, *, lr=0.001, beta1=0.9, beta2=0.999, eps=1e-8, decay=0.01, hat=False):
    """Adam with decoupled weight decay: λ never enters the moments."""
    theta = tree_map(lambda p: p - (lr * decay) * p, theta)
    return adam(theta, g, state, lr=lr, beta1=beta1, beta2=beta2, eps=eps, hat=hat)


def tree_map(f, *trees):
    """f applied to the leaves of trees with the same structure."""
    first = trees[0]
    if isinstance(first, dict):
        return {name: tree_map(f, *(tree[name] for tree in trees)) for name in first}
    if isinstance(first, list | tuple):
        return [tree_map(f, *leaves) for leaves in zip(*trees, strict=True)]
    return f(*trees)
