"""The closed form of linear regression: [b; W] = (XᵀX)⁻¹Xᵀy with X = [1 x].

The contenders solve the normal equations as in the textbook, or call a least-squares solver: QR in torch, an
SVD in JAX, Cholesky in TensorFlow. Their limit is what the problem's conditioning forces, which QR keeps.
XᵀX squares it: its own solve and Cholesky are outside where features are nearly collinear. An SVD has larger
rounding errors on well-conditioned data (NumPy's too), and so have gradients through a pseudo-inverse, an SVD
or a Cholesky factor. These are known departures. torch's drivers (--full) solve by QR with pivots and by SVD,
TensorFlow by an orthogonal decomposition; a cutoff below every singular value changes nothing.
"""

from gaugeblock import Case, Contender, Refusal
from reference.linear import normal_equations, normal_equations_vjp
from suites.least_squares import SAMPLES
from suites.linear_regression import REGIMES, draw

COLLINEAR = {"collinear": "two features that differ by a thousandth: cond(X) is some thousands"}


def inputs(rng, *, rows, features, regime="typical", **option):
    x, y = draw(rng, rows=rows, features=features, regime=regime)
    if regime == "collinear":
        x[:, 1] = x[:, 0] + x[:, 1] / 1000
    return {}, {"x": x, "y": y}


def in_torch(weights, **option):
    import torch

    def run(params, x, y):
        X = torch.cat([torch.ones_like(x[:, :1]), x], 1)
        B = torch.linalg.solve(X.mT @ X, X.mT @ y)
        return {"W": B[1:], "b": B[0]}

    return {}, run


def in_torch_lstsq(weights, *, driver=None, cutoff=None, **option):
    import torch

    def run(params, x, y):
        X = torch.cat([torch.ones_like(x[:, :1]), x], 1)
        B = torch.linalg.lstsq(X, y, cutoff, driver=driver).solution
        return {"W": B[1:], "b": B[0]}

    return {}, run


def in_tensorflow(weights, **option):
    import tensorflow as tf

    def run(params, x, y):
        X = tf.concat([tf.ones_like(x[:, :1]), x], 1)
        B = tf.linalg.solve(tf.matmul(X, X, transpose_a=True), tf.matmul(X, y, transpose_a=True))
        return {"W": B[1:], "b": B[0]}

    return {}, run


def in_tensorflow_lstsq(weights, *, fast=True, **option):
    import tensorflow as tf

    def run(params, x, y):
        X = tf.concat([tf.ones_like(x[:, :1]), x], 1)
        B = tf.linalg.lstsq(X, y, fast=fast)
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


def in_jax_lstsq(weights, *, cutoff=None, **option):
    import jax
    import jax.numpy as jnp

    def run(params, x, y):
        X = jnp.concatenate([jnp.ones_like(x[:, :1]), x], 1)
        B = jax.numpy.linalg.lstsq(X, y, cutoff)[0]
        return {"W": B[1:], "b": B[0]}

    return {}, run


SQUARE = {
    "million": "differentiated, it makes a matrix of rows × rows, 4 TB here "
    "(torchgen/packaged/autograd/derivatives.yaml:1057, linalg_lstsq_backward)"
}
OF_ORTHOGONAL = [
    Refusal("orthogonal/*/gradient", "Gradient not defined for fast=False"),
    Refusal("orthogonal/xla/*", "unsupported operations"),
]
SINGULAR = "does not have full rank"
OF_DRIVERS = [
    Refusal("*", "INTERNAL ASSERT FAILED", regime="one-nan"),  # an argument of LAPACK that is NaN
    *(Refusal(f"{name}/*", SINGULAR, regime="one-infinity") for name in ("gels", "gelsd", "gelss", "cutoff")),
]
DRIVERS = {name: {"driver": name} for name in ("gels", "gelsy", "gelsd", "gelss")}
OPTIONS = {
    "plain": {},
    **DRIVERS,
    "cutoff": {"cutoff": 1e-10, "driver": "gelsd"},
    "orthogonal": {"fast": False},
}


def only(*own):
    """The options that another solver has, each with the reason."""
    return {name: "has no such argument" for name in OPTIONS if name not in ("plain", *own)}


case = Case(
    name="normal-equations",
    vast=("million",),
    title="Closed form of linear regression",
    reference=normal_equations,
    gradient=normal_equations_vjp,
    inputs=inputs,
    sizes=SAMPLES,
    options=OPTIONS,
    regimes=REGIMES | COLLINEAR,
    rare=("diabetes", "collinear", *only()),
    contenders=(
        Contender("torch", "torch.linalg.solve", in_torch, only()),
        Contender(
            "torch",
            "torch.linalg.lstsq",
            in_torch_lstsq,
            SQUARE | only(*DRIVERS, "cutoff"),
            refuses=OF_DRIVERS,
        ),
        Contender("tensorflow", "tensorflow.linalg.solve", in_tensorflow, only()),
        Contender(
            "tensorflow",
            "tensorflow.linalg.lstsq",
            in_tensorflow_lstsq,
            only("orthogonal"),
            refuses=OF_ORTHOGONAL,
        ),
        Contender("jax", "jax.numpy.linalg.solve", in_jax, only()),
        Contender("jax", "jax.numpy.linalg.lstsq", in_jax_lstsq, only("cutoff")),
    ),
    items=lambda *, rows, **_: rows,
    unit="rows",
    flops=lambda *, rows, features, **_: 2 * rows * (features + 1) ** 2 + 2 * rows * (features + 1),
)
