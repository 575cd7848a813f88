"""Planted faults of the whole Transformer."""

from gaugeblock import Mutant
from suites.mutants.transformer_encoder_layer import layer

DECODER, ATTEND = "transformer._decoder", "transformer._attention"
BACK, WHOLE = "transformer.transformer_vjp", "transformer.transformer"

mutants = {
    "transformer": (
        *layer,
        Mutant("target-sees-its-future", "mask", DECODER, "None, None, True)", "None, None, False)"),
        Mutant("cross-attention-before-self", "formula", DECODER, 'return [_attention(W, "heads", None, None, True), crossed,', 'return [crossed, _attention(W, "heads", None, None, True),'),
        Mutant("source-mask-not-passed-on", "mask", DECODER, "z, mask, False", "z, None, False", option="padding-mask"),
        Mutant("last-decoder-layer-sends-nothing-back", "gradient", BACK, "reduce(add, dz)", "reduce(add, dz[:-1])"),
        Mutant("encoded-source-in-bfloat16", "precision", WHOLE, "    parts = [", "    z = bfloat16(z)\n    parts = ["),
    ),
}  # fmt: skip
