"""RMSprop and Adagrad: steps scaled by the history of each weight's own gradient.

Formula
    rmsprop   v ← ρ v + (1 − ρ) g²;  centered: m ← ρ m + (1 − ρ) g, else m = 0
              d = g / (√(v − m²) + ε);  root: d = g / √(v − m² + ε)
              θ ← θ − α d;  with momentum b ← μ b + d;  θ ← θ − α b
              inside: b ← μ b + α d;  θ ← θ − b;  update: b ← μ b − α d;  θ ← θ + b
              nesterov: the step is μ b + d with the new b, each scaled as in b
              corrected: v and m in d are divided by 1 − ρᵗ⁺¹, t the steps taken before
    adagrad   s ← s + g²;  θ ← θ − α_t g / (√s + ε);  root: θ ← θ − α_t g / √(s + ε)
              α_t = α / (1 + λ t), t the steps taken before
Shapes
    theta : tree    weights; g, v, m, b and s have its shapes
    state : tree    {"v"}, with "m" where centered, "b" with momentum, "t" if corrected; adagrad {"s", "t"}
Source
    Hinton 2012, lecture 6e; Graves 2013, eqs. (38) to (41). arXiv:1308.0850
    Duchi, Hazan, Singer 2011, figure 1.
Choices
    ε is outside the root (torch) or inside it (Keras; optax by default): for gradients below √ε, an ε
    outside has little effect, while with ε inside the divisor is √ε.
    The momentum buffer holds unscaled steps (torch), steps (Keras) or updates (optax); the weights
    agree as long as α is constant.
    v starts at 0 or at `initial` (1 in TensorFlow 1); s starts at `initial`, by default 0 in torch and 0.1
    in Keras and optax.
    Conditioning of rmsprop/update-corrected-centered/* up to 1.2e6: after one step the corrected moments are
    g² and g, whose difference v − m² is zero but for rounding.
    Conditioning of rmsprop/*/*, adagrad/*/* up to 7: loss and gradient are sums over the batch, and a sum of
    n terms in any order loses a factor of √(n/6).
"""

import numpy as np

from reference.optimizer import tree_map


def rmsprop_start(theta, *, momentum=0.0, centered=False, initial=0.0, corrected=False):
    names = ("v",) + ("m",) * centered + ("b",) * bool(momentum)
    values = {"v": initial, "m": 0.0, "b": 0.0}
    slots = {name: tree_map(lambda p, x=values[name]: np.full_like(p, x), theta) for name in names}
    return slots | ({"t": 0} if corrected else {})


def rmsprop(
    theta,
    g,
    state,
    *,
    lr=0.01,
    rho=0.99,
    eps=1e-8,
    root=False,
    momentum=0.0,
    centered=False,
    buffer="outside",
    nesterov=False,
    corrected=False,
):
    v = tree_map(lambda v, g: rho * v + (1 - rho) * (g * g), state["v"], g)
    moved, power = {"v": v}, v
    if corrected:
        moved["t"] = state["t"] + 1
        c = 1 - rho ** moved["t"]
        power = tree_map(lambda v: v / c, v)
    if centered:
        moved["m"] = tree_map(lambda m, g: rho * m + (1 - rho) * g, state["m"], g)
        mean = tree_map(lambda m: m / c, moved["m"]) if corrected else moved["m"]
        power = tree_map(lambda v, m: v - m * m, power, mean)
    d = tree_map(lambda g, v: _over_root(g, v, eps, root), g, power)
    if not momentum:
        return tree_map(lambda p, d: p - lr * d, theta, d), moved
    scale = {"outside": 1.0, "inside": lr, "update": -lr}[buffer]
    moved["b"] = taken = tree_map(lambda b, d: momentum * b + scale * d, state["b"], d)
    if nesterov:
        taken = tree_map(lambda b, d: momentum * b + scale * d, moved["b"], d)
    step = {"outside": -lr, "inside": -1.0, "update": 1.0}[buffer]
    return tree_map(lambda p, b: p + step * b, theta, taken), moved


def adagrad_start(theta, *, initial=0.0):
    return {"s": tree_map(lambda p: np.full_like(p, initial), theta), "t": 0}


def adagrad(theta, g, state, *, lr=0.01, eps=1e-10, root=False, decay=0.0):
    s = tree_map(lambda s, g: s + g * g, state["s"], g)
    rate = lr / (1 + state["t"] * decay)
    theta = tree_map(lambda p, g, s: p - rate * _over_root(g, s, eps, root), theta, g, s)
    return theta, {"s": s, "t": state["t"] + 1}


def _over_root(g, v, eps, root):
    return g / np.sqrt(v + eps) if root else g / (np.sqrt(v) + eps)
