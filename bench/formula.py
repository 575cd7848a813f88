"""The reference of a case on one set of inputs: its outputs, and the gradients if it has them."""

from collections.abc import Mapping
from typing import Any

from bench.backends.numpy import named
from bench.case import Case, Option, known
from bench.tree import Tree


def values(
    case: Case, option: Option, weights: Tree, data: Mapping[str, Any], cotangents: Mapping[str, Any]
) -> dict[str, Tree]:
    """``{"forward": outputs, "gradient": by input}`` from the reference and its gradient, if it has one."""
    assert case.reference is not None
    found = {"forward": named(case.reference(**data, **weights, **known(case.reference, option)))}
    if case.gradient is None:
        return found
    cotangent = cotangents["y"] if set(cotangents) == {"y"} else cotangents
    return found | {"gradient": case.gradient(cotangent, **data, **weights, **known(case.gradient, option))}
