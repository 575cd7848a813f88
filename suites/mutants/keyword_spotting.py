"""Planted faults of keyword spotting."""

from gaugeblock import Mutant

WALK, BLOCK_BACK, FEATURES, WHOLE, BACK = (
    f"keyword_spotting.{name}"
    for name in ("_forward", "_block_vjp", "features", "keyword_spotting", "keyword_spotting_vjp")
)
DEEP = 'depthwise_conv2d(h, layer["D"], **SAME)'
MEAN = "np.mean(h, axis=(1, 2))"

mutants = {
    "keyword-spotting": (
        Mutant("no-window", "formula", FEATURES, "spectrogram(x, window", "spectrogram(x, np.ones_like(window)"),
        Mutant("amplitude-for-power", "formula", FEATURES, '["power"]', '["power"] ** 0.5'),
        Mutant("cepstrum-left-out", "formula", FEATURES, "cepstrum(y, keep=keep)", "y[..., :keep]"),
        Mutant("relu-missing", "formula", WALK, "return relu(a)", "return a"),
        Mutant("last-layer-twice", "formula", WALK, f"block(h, {DEEP}, g, b)", f"block(h, {DEEP}, g, b) * 2"),
        Mutant("scales-of-the-other-half", "layout", WALK, '(g, k), (b, d) = layer["gamma"], layer["beta"]', '(k, g), (d, b) = layer["gamma"], layer["beta"]'),
        Mutant("statistics-of-the-first-block", "layout", WALK, "at = next(count)", "at = 0 * next(count)"),
        Mutant("frames-in-a-circle", "mask", WALK, DEEP, DEEP.replace("(h,", "(np.roll(h, 1, axis=1),")),
        Mutant("largest-for-the-mean", "formula", WALK, MEAN, "np.max(h, axis=(1, 2))"),
        Mutant("last-place-left-out", "mask", WALK, MEAN, "np.mean(h[:, :-1], axis=(1, 2))"),
        Mutant("logits-for-probabilities", "formula", WHOLE, "softmax(z)", "z"),
        Mutant("loss-summed", "formula", WHOLE, "sparse_cross_entropy(z, labels)", 'sparse_cross_entropy(z, labels, reduction="sum")'),
        Mutant("features-in-bfloat16", "precision", FEATURES, "cepstrum(y, keep=keep)", "bfloat16(cepstrum(y, keep=keep))"),
        Mutant("sound-in-float32", "dtype", FEATURES, "spectrogram(x, window", "spectrogram(float32(x), window"),
        Mutant("sound-promotes", "dtype", FEATURES, "spectrogram(x, window", "spectrogram(x.astype(np.float64), window"),
        Mutant("relu-open-in-the-gradient", "gradient", BLOCK_BACK, 'relu_vjp(dh, a)["x"]', "dh"),
        Mutant("mean-not-divided-in-the-gradient", "gradient", BACK, "(h.shape[1] * h.shape[2])", "h.shape[1]"),
        Mutant("loss-detached", "gradient", BACK, ' + sparse_cross_entropy_vjp(dy["loss"], z, labels)["z"]', ""),
        Mutant("logarithm-detached", "gradient", BACK, "log_mel_vjp(dlog, power, bands)", 'log_mel_vjp(dlog * (power @ bands + 1e-6), power, bands)'),
        Mutant("one-shift-off-by-a-thousandth", "local", WALK, "return relu(a)", "a[..., :1] *= 1.001\n        return relu(a)"),
    ),
}  # fmt: skip
