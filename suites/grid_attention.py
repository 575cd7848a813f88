"""Multi-head attention over some axes of a grid: reference/grid_attention.py against Keras's and Flax's.

Keras attends over all axes between the first and the last, or over those that it is told; Flax over the last
but one. torch takes sequences only. See suites/multi_head_attention.py for these.
"""

import numpy as np

from gaugeblock import Case, Contender, Option, Refusal
from reference.grid_attention import grid_heads, grid_heads_vjp
from suites.layers.attention import draw_heads, flax_heads

SIZES = {
    "small": {"batch": 2, "rows": 3, "columns": 5, "heads": 2, "width": 4},
    "one-row": {"batch": 3, "rows": 1, "columns": 6, "heads": 2, "width": 4},
    "square": {"batch": 2, "rows": 4, "columns": 4, "heads": 3, "width": 5},
    "large": {"batch": 2, "rows": 12, "columns": 16, "heads": 8, "width": 32},
}
OPTIONS: dict[str, Option] = {
    "all": {},
    "along-rows": {"axes": (2,)},
    "along-columns": {"axes": (1,)},
    "both": {"axes": (1, 2), "told": True},
    "along-rows-masked": {"axes": (2,), "masked": True},
    "along-columns-masked": {"axes": (1,), "masked": True},
    "along-rows-causal": {"axes": (2,), "causal": True},
    "along-columns-causal": {"axes": (1,), "causal": True},
}


def inputs(rng, *, batch, rows, columns, heads, width, axes=(1, 2), masked=False, **option):
    c = heads * width
    data = {"x": rng.normal(size=(batch, rows, columns, c))}
    if masked:
        n = (rows, columns)[axes[0] - 1]
        data["mask"] = (rng.uniform(size=(n, n)) < 0.6) | np.eye(n, dtype=bool)
    return {"heads": draw_heads(rng, c, heads, width)}, data


def in_keras(weights, *, axes=None, causal=False, **option):
    import keras

    W = weights["heads"]
    c, h, d = W["W_Q"].shape
    layer = keras.layers.MultiHeadAttention(h, d, attention_axes=axes)
    layer.build((None, None, None, c), (None, None, None, c))
    params = [W[f"{kind}_{name}"] for name in "QKVO" for kind in "Wb"]

    def run(params, x, mask=None):
        # of a mask the last two axes are those of the scores; those before it are broadcast
        how = {"use_causal_mask": True} if causal else {}
        how |= {} if mask is None else {"attention_mask": mask[None, None]}
        return {"y": layer.stateless_call(params, [], x, x, **how)[0]}

    return params, run


def in_flax(weights, *, axes=(1, 2), causal=False, **option):
    import flax.linen
    import jax.numpy as jnp

    W = weights["heads"]
    layer = flax.linen.MultiHeadDotProductAttention(W["W_Q"].shape[1])

    def run(params, x, mask=None):
        x = jnp.swapaxes(x, 1, 2) if axes == (1,) else x
        if causal:
            mask = flax.linen.make_causal_mask(x[..., 0])
        y = layer.apply({"params": params}, x, mask=mask)
        return {"y": jnp.swapaxes(y, 1, 2) if axes == (1,) else y}

    return flax_heads(W), run


def flops(*, batch, rows, columns, heads, width, axes=(1, 2), **_):
    n = {(1,): rows, (2,): columns}.get(axes, rows * columns)
    return 2 * batch * rows * columns * (4 * (heads * width) ** 2 + 2 * n * heads * width)


case = Case(
    name="grid-heads",
    title="Multi-head attention over axes of a grid",
    reference=grid_heads,
    gradient=grid_heads_vjp,
    inputs=inputs,
    sizes=SIZES,
    options=OPTIONS,
    minor=True,
    contenders=(
        Contender(
            "tensorflow",
            "keras.layers.MultiHeadAttention",
            in_keras,
            # its causal mask has the length of the columns
            refuses=[Refusal("along-rows-causal/*", "Softmax.call")],
        ),
        Contender(
            "jax",
            "flax.linen.MultiHeadDotProductAttention",
            in_flax,
            dict.fromkeys(("all", "both"), "attends over one axis"),
        ),
    ),
    items=lambda *, batch, rows, columns, **_: batch * rows * columns,
    unit="places",
    flops=flops,
)
