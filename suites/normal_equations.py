"""The closed form of linear regression: [b; W] = (XᵀX)⁻¹Xᵀy with X = [1 x].

The contenders solve the normal equations as in the textbook, or call a least-squares solver: QR in torch, an
SVD in JAX, Cholesky in TensorFlow. Their limit is the rounding error of the normal equations, which grows
with cond(X)². On well-conditioned data an SVD exceeds that (NumPy's too: rms 1.2 to 4.8 over five seeds), and
so do gradients through a pseudo-inverse, an SVD or a Cholesky factor: these are known departures.
"""

from gaugeblock import Case, Contender
from reference.linear import normal_equations, normal_equations_vjp
from suites.least_squares import SAMPLES
from suites.linear_regression import REGIMES, draw


def inputs(rng, *, rows, features, regime="typical"):
    x, y = draw(rng, rows=rows, features=features, regime=regime)
    return {}, {"x": x, "y": y}


def in_torch(weights, **option):
    import torch

    def run(params, x, y):
        X = torch.cat([torch.ones_like(x[:, :1]), x], 1)
        B = torch.linalg.solve(X.mT @ X, X.mT @ y)
        return {"W": B[1:], "b": B[0]}

    return {}, run


def in_torch_lstsq(weights, **option):
    import torch

    def run(params, x, y):
        X = torch.cat([torch.ones_like(x[:, :1]), x], 1)
        B = torch.linalg.lstsq(X, y).solution
        return {"W": B[1:], "b": B[0]}

    return {}, run


def in_tensorflow(weights, **option):
    import tensorflow as tf

    def run(params, x, y):
        X = tf.concat([tf.ones_like(x[:, :1]), x], 1)
        B = tf.linalg.solve(tf.matmul(X, X, transpose_a=True), tf.matmul(X, y, transpose_a=True))
        return {"W": B[1:], "b": B[0]}

    return {}, run


def in_tensorflow_lstsq(weights, **option):
    import tensorflow as tf

    def run(params, x, y):
        X = tf.concat([tf.ones_like(x[:, :1]), x], 1)
        B = tf.linalg.lstsq(X, y)
        return {"W": B[1:], "b": B[0]}

    return {}, run


def in_jax(weights, **option):
    import jax
    import jax.numpy as jnp

    def run(params, x, y):
        X = jnp.concatenate([jnp.ones_like(x[:, :1]), x], 1)
        B = jax.numpy.linalg.solve(X.T @ X, X.T @ y)
        return {"W": B[1:], "b": B[0]}

    return {}, run


def in_jax_lstsq(weights, **option):
    import jax
    import jax.numpy as jnp

    def run(params, x, y):
        X = jnp.concatenate([jnp.ones_like(x[:, :1]), x], 1)
        B = jax.numpy.linalg.lstsq(X, y)[0]
        return {"W": B[1:], "b": B[0]}

    return {}, run


SQUARE = {
    "million": "differentiated, it makes a matrix of rows × rows, 4 TB here "
    "(torchgen/packaged/autograd/derivatives.yaml:1057, linalg_lstsq_backward)"
}

case = Case(
    name="normal-equations",
    vast=("million",),
    title="Closed form of linear regression",
    reference=normal_equations,
    gradient=normal_equations_vjp,
    inputs=inputs,
    sizes=SAMPLES,
    regimes=REGIMES,
    rare=("diabetes",),
    contenders=(
        Contender("torch", "torch.linalg.solve", in_torch),
        Contender("torch", "torch.linalg.lstsq", in_torch_lstsq, SQUARE),
        Contender("tensorflow", "tensorflow.linalg.solve", in_tensorflow),
        Contender("tensorflow", "tensorflow.linalg.lstsq", in_tensorflow_lstsq),
        Contender("jax", "jax.numpy.linalg.solve", in_jax),
        Contender("jax", "jax.numpy.linalg.lstsq", in_jax_lstsq),
    ),
    items=lambda *, rows, **_: rows,
    unit="rows",
    flops=lambda *, rows, features, **_: 2 * rows * (features + 1) ** 2 + 2 * rows * (features + 1),
)
