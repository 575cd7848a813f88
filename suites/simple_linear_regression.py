"""Simple linear regression: the line y = β₀ + β₁ x, by each framework's linear layer with one feature."""

import numpy as np

from gaugeblock import Case, Contender
from reference.linear import line, line_vjp
from suites.linear_regression import in_flax, in_keras, in_torch, in_torch_module


def inputs(rng, *, rows, **option):
    beta0, beta1 = rng.standard_normal(2)
    return {"beta0": np.array(beta0), "beta1": np.array(beta1)}, {"x": rng.standard_normal(rows)}


def as_matrix(build):
    """The line as a linear layer with one feature: W = [[β₁]], b = [β₀], one column in and one out."""

    def line_build(weights, **option):
        params, run = build({"W": weights["beta1"].reshape(1, 1), "b": weights["beta0"].reshape(1)})
        return params, lambda params, x: {"y": run(params, x[:, None])["y"][:, 0]}

    return line_build


case = Case(
    name="simple-linear-regression",
    title="Linear regression y = β₀ + β₁ x",
    reference=line,
    gradient=line_vjp,
    inputs=inputs,
    sizes={"small": {"rows": 65}, "million": {"rows": 1_000_000}},
    integers={"plain": 12},
    contenders=(
        Contender("torch", "torch.nn.functional.linear", as_matrix(in_torch)),
        Contender("torch", "torch.nn.Linear", as_matrix(in_torch_module)),
        Contender("tensorflow", "keras.layers.Dense", as_matrix(in_keras)),
        Contender("jax", "flax.linen.Dense", as_matrix(in_flax)),
    ),
    items=lambda *, rows, **_: rows,
    unit="rows",
    flops=lambda *, rows, **_: 2 * rows,
)
