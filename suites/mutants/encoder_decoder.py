"""Planted faults of the Transformer with further arguments."""

from gaugeblock import Mutant
from suites.mutants.transformer_encoder_layer import BACK, WALK

PARTS, ATTEND, FEED = "encoder_decoder._parts", "encoder_decoder._attention", "masked_encoder._feed_forward"
WHOLE, WHOLE_BACK = "encoder_decoder.encoder_decoder", "encoder_decoder.encoder_decoder_vjp"
OF_SOURCE = 'W["encoder"], mask_source, bias_source, **option'

mutants = {
    "encoder-decoder": (
        Mutant("target-keys-left-out", "mask", PARTS, "None, mask_target, None", "None, None, None"),
        Mutant("target-keys-of-the-first-sequence", "layout", PARTS, "None, mask_target, None", "None, mask_target[:1], None"),
        Mutant("source-keys-hidden-in-the-memory", "mask", WHOLE, "mask_target, mask_memory, bias_memory", "mask_target, mask_source, bias_memory", option="source-keys"),
        Mutant("masked-places-of-zeros", "mask", WHOLE, "    parts =", "    z = np.where(mask_source[:, 0, 0, :, None], z, 0)\n    parts =", option="source-keys"),
        Mutant("source-pairs-left-out", "mask", WHOLE, OF_SOURCE, 'W["encoder"], None, bias_source, **option', option="source-pairs"),
        Mutant("source-mask-turned", "layout", WHOLE, OF_SOURCE, 'W["encoder"], mask_source.T, bias_source, **option', option="source-pairs"),
        Mutant("added-to-source-hides", "mask", WHOLE, OF_SOURCE, 'W["encoder"], bias_source == 0, None, **option', option="source-added"),
        Mutant("memory-pairs-left-out", "mask", PARTS, "z, mask_memory, bias", "z, None, bias", option="memory-pairs"),
        Mutant("added-to-memory-left-out", "mask", PARTS, "bias_memory, False", "None, False", option="memory-added"),
        Mutant("added-to-memory-not-in-the-gradient", "gradient", ATTEND, "z, mask, bias, causal=causal)\n        return", "z, mask, causal=causal)\n        return", option="memory-added"),
        Mutant("target-sees-its-future", "mask", PARTS, "mask_target, None, causal", "mask_target, None, False"),
        Mutant("always-causal", "mask", PARTS, "mask_target, None, causal", "mask_target, None, True", option="open"),
        Mutant("relu-for-gelu", "formula", WHOLE, '"activation": activation', '"activation": "relu"', option="gelu"),
        Mutant("usual-epsilon", "formula", WHOLE, "norm_first, eps)", "norm_first, 1e-5)", option="epsilon"),
        Mutant("usual-epsilon-backwards", "gradient", WHOLE_BACK, "norm_first, eps)", "norm_first, 1e-5)", option="epsilon"),
        Mutant("norm-first-ignored", "formula", WALK, "if norm_first else", "if False else", option="pre-norm-no-shifts"),
        Mutant("shift-of-ones", "formula", FEED, 'W.get(f"b{i}")', 'W.get(f"b{i}", np.ones_like(W[f"W{i}"][0]))', option="no-shifts"),
        Mutant("last-decoder-layer-sends-nothing-back", "gradient", WHOLE_BACK, "reduce(add, dz)", "reduce(add, dz[:-1])"),
        Mutant("residual-detached", "gradient", BACK, "dy = dsum + dx", "dy = dx"),
        Mutant("encoded-source-in-bfloat16", "precision", WHOLE, "    parts =", "    z = bfloat16(z)\n    parts ="),
    ),
}  # fmt: skip
