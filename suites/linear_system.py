"""Systems of linear equations: reference/systems.py against each framework's solve.

One system or many, from the left, the right (torch), or of the transpose (TensorFlow's adjoint; elsewhere
by a view). See suites/normal_equations.py for systems that a regression makes.
"""

import numpy as np

from gaugeblock import Case, Contender
from reference.systems import solve, solve_vjp

SIZES = {
    "small": {"batch": 3, "n": 6, "k": 4},
    "one": {"batch": 2, "n": 1, "k": 1},
    "large": {"batch": 4, "n": 48, "k": 16},
}
OPTIONS = {
    "plain": {},
    "turned": {"turned": True},
    "right": {"right": True},
    "right-turned": {"right": True, "turned": True},
}


def inputs(rng, *, batch, n, k, right=False, **option):
    A = rng.normal(size=(batch, n, n)) + 3 * np.sqrt(n) * np.eye(n)  # well conditioned, and not symmetric
    return {}, {"A": A, "B": rng.normal(size=(batch, k, n) if right else (batch, n, k))}


def in_torch(weights, *, turned=False, right=False):
    import torch

    return {}, lambda params, A, B: {"y": torch.linalg.solve(A.mT if turned else A, B, left=not right)}


def in_tensorflow(weights, *, turned=False, right=False):
    import tensorflow as tf

    def run(params, A, B):
        if right:
            X = tf.linalg.solve(A, tf.linalg.matrix_transpose(B), adjoint=not turned)
            return {"y": tf.linalg.matrix_transpose(X)}
        return {"y": tf.linalg.solve(A, B, adjoint=turned)}

    return {}, run


def in_jax(weights, *, turned=False, right=False):
    import jax

    def run(params, A, B):
        A = A.mT if turned != right else A
        X = jax.numpy.linalg.solve(A, B.mT if right else B)
        return {"y": X.mT if right else X}

    return {}, run


case = Case(
    name="linear-system",
    title="Systems of linear equations",
    reference=solve,
    gradient=solve_vjp,
    inputs=inputs,
    sizes=SIZES,
    options=OPTIONS,
    minor=True,
    contenders=(
        Contender("torch", "torch.linalg.solve", in_torch),
        Contender("tensorflow", "tensorflow.linalg.solve", in_tensorflow),
        Contender("jax", "jax.numpy.linalg.solve", in_jax),
    ),
    items=lambda *, batch, **_: batch,
    unit="systems",
    flops=lambda *, batch, n, k, **_: batch * (2 * n**3 // 3 + 2 * n * n * k),
)
