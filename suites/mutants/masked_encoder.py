"""Planted faults of a Transformer's encoder under masks."""

from gaugeblock import Mutant
from suites.mutants.transformer_encoder_layer import BACK, WALK

ATTEND, FEED = "masked_encoder._attention", "masked_encoder._feed_forward"
WHOLE, WHOLE_BACK = "masked_encoder.masked_encoder", "masked_encoder.masked_encoder_vjp"
FORWARD = 'multi_head_attention(x, W["heads"], None, mask, bias)'

mutants = {
    "masked-encoder": (
        Mutant("not-zero-is-masked", "mask", ATTEND, FORWARD, 'multi_head_attention(x, W["heads"], None, bias == 0)'),
        Mutant("added-mask-left-out", "mask", ATTEND, FORWARD, 'multi_head_attention(x, W["heads"], None, mask)'),
        Mutant("boolean-mask-left-out", "mask", ATTEND, FORWARD, 'multi_head_attention(x, W["heads"], None, None, bias)', option="boolean"),
        Mutant("boolean-mask-the-other-way", "mask", ATTEND, FORWARD, 'multi_head_attention(x, W["heads"], None, ~mask | np.eye(mask.shape[-1], dtype=bool))', option="boolean"),
        Mutant("keys-by-the-first-sequence", "layout", ATTEND, FORWARD, 'multi_head_attention(x, W["heads"], None, None, bias[:1])', option="keys-additive"),
        Mutant("mask-turned", "layout", ATTEND, FORWARD, 'multi_head_attention(x, W["heads"], None, mask, bias.T)'),
        Mutant("one-of-two-masks", "mask", ATTEND, FORWARD, 'multi_head_attention(x, W["heads"], None, mask)', option="keys-and-additive"),
        Mutant("infinity-of-a-thousand", "mask", ATTEND, FORWARD, 'multi_head_attention(x, W["heads"], None, None, np.maximum(bias, -9))', option="minus-infinity"),
        Mutant("mask-not-in-the-gradient", "gradient", ATTEND, "None, mask, bias)\n        return", "None, mask)\n        return"),
        Mutant("norm-first-ignored", "formula", WALK, "if norm_first else", "if False else", option="additive-pre-norm"),
        Mutant("relu-for-gelu", "formula", WHOLE, "mask, bias, activation)", 'mask, bias, "relu")', option="boolean-gelu"),
        Mutant("usual-epsilon", "formula", WHOLE, "norm_first, eps)", "norm_first, 1e-5)", option="epsilon"),
        Mutant("shift-of-ones", "formula", FEED, 'W.get(f"b{i}")', 'W.get(f"b{i}", np.ones_like(W[f"W{i}"][0]))', option="no-shifts"),
        Mutant("hidden-in-bfloat16", "precision", FEED, "linear(act(linear(x, *first)), *second), vjp", "linear(bfloat16(act(linear(x, *first))), *second), vjp"),
        Mutant("activation-without-a-slope", "gradient", FEED, 'act_vjp(back.pop("x"), h)["x"]', 'back.pop("x")'),
        Mutant("residual-detached", "gradient", BACK, "dy = dsum + dx", "dy = dx"),
        Mutant("usual-epsilon-backwards", "gradient", WHOLE_BACK, "norm_first, eps)", "norm_first, 1e-5)", option="epsilon"),
    ),
}  # fmt: skip
