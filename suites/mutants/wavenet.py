"""Planted faults of WaveNet on given samples."""

from gaugeblock import Mutant

WALK, BACK, WHOLE, WHOLE_BACK = (
    f"wavenet.{name}" for name in ("_forward", "_layer_vjp", "wavenet", "wavenet_vjp")
)
FRONT, FRONT_BACK, BEFORE = "wavenet._front", "wavenet._front_vjp", "causal._images"
FILTER = 'f = causal_convolution(h, **layer["filter"], dilation=2**level)'
GATED = "z = tanh(f) * sigmoid(g)"
ZEROS = "((0, 0), (before(W, dilation), 0), (0, 0))"

walk = (
    Mutant("not-dilated", "formula", WALK, FILTER, FILTER.replace("2**level", "1")),
    Mutant("dilation-of-the-level", "formula", WALK, FILTER, FILTER.replace("2**level", "(level + 1)")),
    Mutant("dilation-goes-on-in-the-second-stack", "formula", WALK, FILTER, FILTER.replace("2**level", "2 ** len(layers)")),
    Mutant("gate-and-filter-exchanged", "layout", WALK, GATED, "z = sigmoid(f) * tanh(g)"),
    Mutant("gate-left-open", "formula", WALK, GATED, "z = tanh(f)"),
    Mutant("relu-for-the-filter", "formula", WALK, GATED, "z = relu(f) * sigmoid(g)"),
    Mutant("residual-left-out", "formula", WALK, "h = h + linear(", "h = linear("),
    Mutant("skips-of-the-last-layer-alone", "formula", WALK, "s = s + linear(", "s = linear("),
    Mutant("first-relu-missing", "formula", WALK, "linear(relu(s), **end[0])", "linear(s, **end[0])"),
    Mutant("last-relu-missing", "formula", WALK, "linear(relu(a), **end[1])", "linear(a, **end[1])"),
    Mutant("convolutions-see-their-future", "mask", BEFORE, ZEROS, "((0, 0), (0, before(W, dilation)), (0, 0))"),
    Mutant("code-after-seen", "mask", FRONT, "embedding(codes, front[-1])", "embedding(np.roll(codes, -1, axis=1), front[-1])"),
    Mutant("code-before-in-a-circle", "mask", FRONT, "np.pad(embedding(seen, front[-1 - back]), ((0, 0), (zeros, 0), (0, 0)))", "np.roll(embedding(codes, front[-1 - back]), zeros, axis=1)"),
    Mutant("code-before-left-out", "formula", FRONT, "range(1, len(front))", "range(1, 1)"),
    Mutant("taps-exchanged", "layout", FRONT, "h = embedding(codes, front[-1])", "front = front[::-1]\n    h = embedding(codes, front[-1])"),
    Mutant("gates-in-bfloat16", "precision", WALK, GATED, "z = bfloat16(tanh(f) * sigmoid(g))"),
    Mutant("skips-in-float32", "dtype", WALK, 's + linear(z, **layer["skip"])', 's + float32(linear(z, **layer["skip"]))'),
    Mutant("stream-promotes", "dtype", WALK, "h, s, layers = _front(codes, front), 0, []", "h, s, layers = _front(codes, front).astype(np.float64), 0, []"),
    Mutant("one-channel-off-by-a-thousandth", "local", WALK, GATED, f"{GATED}\n            z[..., 0] *= 1.001"),
)  # fmt: skip

mutants = {
    "wavenet": (
        *walk,
        Mutant("targets-of-the-same-step", "mask", WHOLE, "sparse_cross_entropy(u, targets)", "sparse_cross_entropy(u, codes)"),
        Mutant("loss-summed", "formula", WHOLE, "sparse_cross_entropy(u, targets)", 'sparse_cross_entropy(u, targets, reduction="sum")'),
        Mutant("logits-for-probabilities", "formula", WHOLE, "softmax(u)", "u"),
        Mutant("loss-detached", "gradient", WHOLE_BACK, ' + sparse_cross_entropy_vjp(dy["loss"], u, targets)["z"]', ""),
        Mutant("skip-gradient-of-the-last-layer-alone", "gradient", WHOLE_BACK, "dstacks[number].insert(0, found)", "dstacks[number].insert(0, found)\n            ds = 0 * ds"),
        Mutant("gradient-of-another-dilation", "gradient", WHOLE_BACK, "2**level)", "1)"),
        Mutant("residual-detached", "gradient", BACK, 'dh = dh + left.pop("x")', 'dh = left.pop("x")'),
        Mutant("slope-of-the-filter-left-out", "gradient", BACK, 'tanh_vjp(dz * sigmoid(g), f)["x"]', "dz * sigmoid(g)"),
        Mutant("gate-gradient-by-its-value", "gradient", BACK, "sigmoid_vjp(dz * tanh(f), g)", "sigmoid_vjp(dz * f, g)"),
        Mutant("first-tap-without-a-gradient", "gradient", FRONT_BACK, "np.stack(each[::-1])", "np.stack([0 * each[-1], *each[::-1][1:]])"),
    ),
}  # fmt: skip
