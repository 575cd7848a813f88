"""Rows of a table by number: reference/rows.py against each framework's lookups and updates.

JAX says what a number out of range gives: a fill, the nearest row, or the number modulo the length. torch may
divide a row's gradient by the number of its uses. Updates in place are added to repeated rows, or set, as
pure functions. See suites/embedding.py for lookups alone.
"""

from gaugeblock import Case, Contender
from reference.rows import add_rows, add_rows_vjp, lookup, lookup_vjp, set_rows, set_rows_vjp

SIZES = {
    "small": {"uses": 29, "rows": 11, "width": 5},
    "one": {"uses": 3, "rows": 1, "width": 1},
    "large": {"uses": 4096, "rows": 512, "width": 64},
}
LOOKUPS = {
    "plain": {},
    "by-frequency": {"by_frequency": True},
    "negative": {"below": True},
    "fill": {"mode": "fill", "beyond": True, "fill": -2.5},
    "fill-negative": {"mode": "fill", "beyond": True, "below": True, "fill": -2.5},
    "clip": {"mode": "clip", "beyond": True, "below": True},
    "wrap": {"mode": "wrap", "beyond": True, "below": True},
}
UPDATES = {"plain": {}, "negative": {"below": True}, "beyond": {"beyond": True}}
ADDITIONS = UPDATES | {"scaled": {"alpha": -0.7}}
REGIMES = {
    "typical": "row numbers at random, many of them twice",
    "repeated": "two rows for all numbers: long sums",
}


def numbers(rng, rows, uses, *, below=False, beyond=False, regime="typical", **option):
    ids = rng.integers(0, min(2, rows) if regime == "repeated" else rows, size=uses)
    ids[1::4] -= rows if below else 0
    if beyond:
        ids[2::4] += rows
        ids[3::4] -= 2 * rows if below else 0
    return ids


def inputs(rng, *, uses, rows, width, **option):
    return {"E": rng.normal(size=(rows, width))}, {"ids": numbers(rng, rows, uses, **option)}


def update_inputs(rng, *, uses, rows, width, **option):
    data = {"x": rng.normal(size=(rows, width)), "ids": numbers(rng, rows, uses, **option)}
    return {}, data | {"new": rng.normal(size=(uses, width))}


def set_inputs(rng, *, uses, rows, width, below=False, beyond=False, **option):
    ids = rng.permutation(rows)[: max(1, min(uses, rows) // 2)]
    ids[1::4] -= rows if below else 0
    ids[2::4] += rows if beyond else 0
    return {}, {"x": rng.normal(size=(rows, width)), "ids": ids, "new": rng.normal(size=(len(ids), width))}


def torch_lookup(weights, *, by_frequency=False, **option):
    import torch

    call = torch.nn.functional.embedding
    how = {"scale_grad_by_freq": by_frequency}
    return dict(weights), lambda params, ids: {"y": call(ids, params["E"], **how)}


def torch_module(weights, *, by_frequency=False, **option):
    import torch

    module = torch.nn.Embedding(*weights["E"].shape, scale_grad_by_freq=by_frequency)
    params = {"weight": weights["E"]}
    return params, lambda params, ids: {"y": torch.func.functional_call(module, params, (ids,))}


def jax_lookup(weights, *, mode=None, fill=None, **option):
    import jax

    how = {"axis": 0, "mode": mode or None, "fill_value": fill}
    return dict(weights), lambda params, ids: {"y": jax.numpy.take(params["E"], ids, **how)}


def torch_update(method):
    def build(weights, **option):
        import torch

        call, how = getattr(torch, method), {name: option[name] for name in ("alpha",) if name in option}
        return {}, lambda params, x, ids, new: {"y": call(x, 0, ids, new, **how)}

    return build


def torch_put(accumulate):
    def build(weights, **option):
        import torch

        call = torch.index_put
        return {}, lambda params, x, ids, new: {"y": call(x, (ids,), new, accumulate=accumulate)}

    return build


def tensorflow_update(name):
    def build(weights, **option):
        import tensorflow as tf

        call = getattr(tf, name)
        return {}, lambda params, x, ids, new: {"y": call(x, ids[:, None], new)}

    return build


def keras_update(weights, **option):
    import keras

    call = keras.ops.scatter_update
    return {}, lambda params, x, ids, new: {"y": call(x, ids[:, None], new)}


def jax_update(name):
    def build(weights, **option):
        import jax

        shapes = jax.lax.ScatterDimensionNumbers((1,), (0,), (0,))
        call = getattr(jax.lax, name)

        def run(params, x, ids, new):
            ids = jax.numpy.where(ids < 0, ids + len(x), ids)  # as x.at[ids] does
            return {"y": call(x, ids[:, None], new, shapes, mode="drop")}

        return {}, run

    return build


def others(options, *own, reason):
    return {name: reason for name in options if name not in own}


RAISES = "raises where a number is out of range"
NEITHER = {"negative": RAISES, "beyond": RAISES}
NO_FACTOR = {"scaled": "has no factor of what is added"}
BEYOND = {"beyond": RAISES}
COMMON = {
    "sizes": SIZES,
    "regimes": REGIMES,
    "minor": True,
    "items": lambda *, uses, **_: uses,
    "unit": "rows",
    "flops": lambda *, uses, width, **_: uses * width,
}
cases = (
    Case(
        name="lookup-options",
        title="Lookups of rows, also out of range",
        reference=lookup,
        gradient=lookup_vjp,
        inputs=inputs,
        options=LOOKUPS,
        looked_up=("E",),
        contenders=(
            Contender(
                "torch",
                "torch.nn.functional.embedding",
                torch_lookup,
                others(LOOKUPS, "plain", "by-frequency", reason=RAISES),
            ),
            Contender(
                "torch",
                "torch.nn.Embedding",
                torch_module,
                others(LOOKUPS, "plain", "by-frequency", reason=RAISES),
            ),
            Contender("jax", "jax.numpy.take", jax_lookup, {"by-frequency": "has no gradient of its own"}),
        ),
        **COMMON,
    ),
    Case(
        name="row-add",
        title="Additions to repeated rows",
        reference=add_rows,
        gradient=add_rows_vjp,
        inputs=update_inputs,
        options=ADDITIONS,
        integers={"plain": 12},
        contenders=(
            Contender("torch", "torch.index_add", torch_update("index_add"), NEITHER),
            Contender("torch", "torch.index_put", torch_put(True), BEYOND | NO_FACTOR),
            Contender(
                "tensorflow",
                "tensorflow.tensor_scatter_nd_add",
                tensorflow_update("tensor_scatter_nd_add"),
                NEITHER | NO_FACTOR,
            ),
            Contender("jax", "jax.lax.scatter_add", jax_update("scatter_add"), NO_FACTOR),
        ),
        **COMMON,
    ),
    Case(
        name="row-set",
        title="Rows that are set",
        reference=set_rows,
        gradient=set_rows_vjp,
        inputs=set_inputs,
        options=UPDATES,
        contenders=(
            Contender("torch", "torch.index_copy", torch_update("index_copy"), NEITHER),
            Contender("torch", "torch.index_put", torch_put(False), BEYOND),
            Contender(
                "tensorflow",
                "tensorflow.tensor_scatter_nd_update",
                tensorflow_update("tensor_scatter_nd_update"),
                NEITHER,
            ),
            Contender("tensorflow", "keras.ops.scatter_update", keras_update, NEITHER),
            Contender("jax", "jax.lax.scatter", jax_update("scatter")),
        ),
        **COMMON | {"regimes": {"typical": "row numbers at random, none of them twice"}},
    ),
)
