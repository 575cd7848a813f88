"""Planted faults of a layer of the Transformer's encoder."""

from gaugeblock import Mutant

WALK, BACK = "transformer._walk", "transformer._back"
FEED, NORM = "transformer._feed_forward", "normalization.layer_norm"

layer = (
    Mutant("norm-first-ignored", "formula", WALK, "if norm_first else", "if False else", option="pre-norm"),
    Mutant("residual-dropped", "formula", WALK, "layer_norm(x + f(x), **norm, eps=eps)", "layer_norm(f(x), **norm, eps=eps)"),
    Mutant("epsilon-of-keras", "formula", WALK, "layer_norm(x + f(x), **norm, eps=eps)", "layer_norm(x + f(x), **norm, eps=100 * eps)"),
    Mutant("one-norm-for-all", "layout", WALK, 'W[f"norm{i}"]', 'W["norm1"]'),
    Mutant("second-shift-left-out", "formula", FEED, 'W["W2"], W["b2"]), vjp', 'W["W2"], 0 * W["b2"]), vjp'),
    Mutant("hidden-in-bfloat16", "precision", FEED, "linear(act(linear(x,", "linear((lambda h: bfloat16(act(h)))(linear(x,"),
    Mutant("activation-without-a-slope", "gradient", FEED, 'act_vjp(second["x"], h)["x"]', 'second["x"]'),
    Mutant("residual-detached", "gradient", BACK, "dy = dsum + dx", "dy = dx"),
)  # fmt: skip
mutants = {
    "transformer-encoder-layer": (
        *layer,
        Mutant("every-token-sees-all", "mask", "transformer._encoder", "mask, causal)", "mask, False)", option="causal"),
        Mutant("padding-seen", "mask", "transformer._encoder", "None, mask, causal", "None, None, causal", option="padding-mask"),
    ),
}  # fmt: skip
