"""Planted faults of the Transformer's encoder, a stack of layers."""

from gaugeblock import Mutant
from suites.mutants.transformer_encoder_layer import layer

UP = "transformer._up"

mutants = {
    "transformer-encoder": (
        *layer,
        Mutant("last-norm-left-out", "formula", UP, 'if "norm" in W else', "if False else"),
        Mutant("first-layer-twice", "formula", UP, "_walk(steps[-1], layer,", '_walk(steps[-1], W["layers"][0],'),
    ),
}  # fmt: skip
