"""Products of matrices, example by example: reference/products.py against each framework's functions.

Either side may be turned, have a leading axis of its own, or be shared by all examples, as users write it
with matmul, einsum or bmm. tf.linalg.matmul turns by its arguments, the others by a view. See
suites/linear_regression.py for one matrix and many rows.
"""

import importlib
from functools import partial

from gaugeblock import Case, Contender, Option
from reference.products import product, product_vjp

SIZES = {
    "small": {"batch": 3, "n": 5, "k": 7, "m": 4},
    "one": {"batch": 2, "n": 1, "k": 1, "m": 1},
    "blocks": {"batch": 2, "n": 33, "k": 130, "m": 17},
    "large": {"batch": 16, "n": 128, "k": 64, "m": 128},
}
OPTIONS: dict[str, Option] = {
    "plain": {},
    "left-shared": {"left": ()},
    "right-shared": {"right": ()},
    "left-turned": {"turned": "A"},
    "right-turned": {"turned": "B"},
    "both-turned": {"turned": "AB"},
    "left-shared-turned": {"left": (), "turned": "A"},
    "right-shared-turned": {"right": (), "turned": "B"},
    "two-batch-axes": {"left": (2, 1), "right": (1, 3)},
    "two-batch-axes-turned": {"left": (2, 1), "right": (3,), "turned": "B"},
    "one-of-many": {"left": (1,)},
    "added": {"added": "all"},
    "added-row": {"added": "row", "turned": "B"},
    "factors": {"added": "all", "alpha": -0.7, "beta": 1.3},
    "factors-row": {"added": "row", "turned": "A", "alpha": 2.2, "beta": -0.3},
    "factor-zero": {"added": "all", "alpha": 0.7, "beta": 0.0},
}


def inputs(rng, *, batch, n, k, m, left=None, right=None, turned="", added="", **option):
    """`left` and `right` are the leading axes, (batch,) if None."""
    left, right = ((batch,) if each is None else each for each in (left, right))
    data = {
        "A": rng.normal(size=(*left, *((k, n) if "A" in turned else (n, k)))),
        "B": rng.normal(size=(*right, *((m, k) if "B" in turned else (k, m)))),
    }
    if added:
        data["C"] = rng.normal(size=(1, 1, m) if added == "row" else (batch, n, m))
    return {}, data


def viewed(api, transpose, plus=False):
    """A build for a function of two arrays, which are turned before it."""

    def build(weights, *, turned="", alpha=1, beta=1, **option):
        call = attribute(api)
        factors = {} if alpha == beta == 1 else {"alpha": alpha, "beta": beta}

        def run(params, A, B, C=None):
            A, B = (transpose(X) if name in turned else X for name, X in (("A", A), ("B", B)))
            if plus:
                return {"y": call(C, A, B, **factors)}
            return {"y": call(A, B) if C is None else call(A, B) + C}

        return {}, run

    return build


def summed(api, weights, *, left=None, right=None, turned="", **option):
    """A build for einsum, whose letters say what is turned, and which axes are there."""
    sides = [
        letters(leading) + (pair[::-1] if name in turned else pair)
        for name, leading, pair in (("A", left, "nk"), ("B", right, "km"))
    ]
    names = max((side[:-2] for side in sides), key=len)
    call, equation = attribute(api), f"{','.join(sides)}->{names}nm"

    def run(params, A, B, C=None):
        return {"y": call(equation, A, B) if C is None else call(equation, A, B) + C}

    return {}, run


def letters(leading):
    """The letters of the leading axes, of which the last of two is y."""
    return "x" if leading is None else "xy"[2 - len(leading) :] if leading else ""


def attribute(api):
    package, *path = api.split(".")
    found = importlib.import_module(package)
    for name in path:
        found = getattr(found, name)
    return found


def in_tensorflow(weights, *, turned="", adjoint=False, **option):
    import tensorflow as tf

    word = "adjoint" if adjoint else "transpose"
    how = {f"{word}_{name}": name.upper() in turned for name in "ab"}

    def run(params, A, B, C=None):
        y = tf.linalg.matmul(A, B, **how)
        return {"y": y if C is None else y + C}

    return {}, run


def swapped(X):
    return X.swapaxes(-1, -2)


def keras_swapped(X):
    import keras

    return keras.ops.swapaxes(X, -1, -2)


SHARED = [name for name, how in OPTIONS.items() if "left" in how or "right" in how]
ONE_AXIS = dict.fromkeys(SHARED, "takes one leading axis, of one length")
NO_PLUS = {name: "adds a third array" for name, how in OPTIONS.items() if "added" not in how}
ONES = dict.fromkeys(
    [
        name
        for name in SHARED
        if 1 in (*(OPTIONS[name].get("left") or ()), *(OPTIONS[name].get("right") or ()))
    ],
    "an axis of length 1 is written without its letter",
)

FACTORS = {
    name: "has no factors of the product and what is added" for name, how in OPTIONS.items() if "beta" in how
}
ONES |= FACTORS

case = Case(
    name="batched-product",
    title="Products of matrices, example by example",
    reference=product,
    gradient=product_vjp,
    inputs=inputs,
    sizes=SIZES,
    options=OPTIONS,
    minor=True,
    integers={"plain": 6, "right-shared": 6, "both-turned": 6},
    contenders=(
        Contender("torch", "torch.matmul", viewed("torch.matmul", swapped), FACTORS),
        Contender("torch", "torch.bmm", viewed("torch.bmm", swapped), ONE_AXIS | FACTORS),
        Contender("torch", "torch.baddbmm", viewed("torch.baddbmm", swapped, plus=True), ONE_AXIS | NO_PLUS),
        Contender("torch", "torch.einsum", partial(summed, "torch.einsum"), ONES),
        Contender("tensorflow", "tensorflow.linalg.matmul", in_tensorflow, FACTORS),
        Contender(
            "tensorflow",
            "tensorflow.linalg.matmul",
            partial(in_tensorflow, adjoint=True),
            FACTORS,
            variant="adjoint",
        ),
        Contender("tensorflow", "tensorflow.einsum", partial(summed, "tensorflow.einsum"), ONES),
        Contender("tensorflow", "keras.ops.matmul", viewed("keras.ops.matmul", keras_swapped), FACTORS),
        Contender("tensorflow", "keras.ops.einsum", partial(summed, "keras.ops.einsum"), ONES),
        Contender("jax", "jax.numpy.matmul", viewed("jax.numpy.matmul", swapped), FACTORS),
        Contender("jax", "jax.numpy.einsum", partial(summed, "jax.numpy.einsum"), ONES),
    ),
    items=lambda *, batch, **_: batch,
    unit="examples",
    flops=lambda *, batch, n, k, m, **_: 2 * batch * n * k * m,
)
