"""Planted faults of the Inception network; those of its modules are in suites/mutants/inception.py."""

from gaugeblock import Mutant

WALK, BACK, LOSS, STEP = (f"inception_network.{name}" for name in ("_forward", "_backward", "_loss", "step"))
POOL, AVERAGE = "u = max_pool(h1, **BETWEEN)", "avg_pool(h1, **AVERAGE)"
SHARED = "SHARE * sparse_cross_entropy"
SIDE = 'dh1 = dh1 + avg_pool_vjp(side.pop("x"), h1, **AVERAGE)["x"]'

shared = (
    Mutant("auxiliary-loss-left-out", "formula", LOSS, SHARED, "0 * sparse_cross_entropy"),
    Mutant("auxiliary-loss-in-full", "formula", LOSS, SHARED, "sparse_cross_entropy"),
    Mutant("loss-of-the-mean-of-both", "formula", LOSS, 'sparse_cross_entropy(f["z"], labels) +', 'sparse_cross_entropy((f["z"] + f["a"]) / 2, labels) +'),
    Mutant("average-for-the-maximum", "formula", WALK, POOL, "u = avg_pool(h1, **BETWEEN)"),
    Mutant("pool-from-the-other-end", "mask", WALK, POOL, "u = max_pool(h1[:, ::-1, ::-1], **BETWEEN)[:, ::-1, ::-1]"),
    Mutant("average-from-the-other-end", "mask", WALK, AVERAGE, "avg_pool(h1[:, ::-1, ::-1], **AVERAGE)"),
    Mutant("auxiliary-relu-missing", "formula", WALK, "linear(relu(b),", "linear(b,"),
    Mutant("auxiliary-columns-first", "layout", "cnn.flatten", "x.reshape(len(x), -1)", "np.swapaxes(x, 1, 2).reshape(len(x), -1)"),
    Mutant("auxiliary-channels-first", "layout", "cnn.flatten", "x.reshape(len(x), -1)", "np.moveaxis(x, 3, 1).reshape(len(x), -1)"),
    Mutant("labels-of-another-image", "layout", LOSS, 'sparse_cross_entropy(f["z"], labels) +', 'sparse_cross_entropy(f["z"], labels[::-1]) +'),
    Mutant("places-not-averaged", "formula", WALK, "np.mean(h2, axis=(1, 2))", "np.sum(h2, axis=(1, 2))"),
    Mutant("last-row-left-out-of-the-mean", "mask", WALK, "np.mean(h2, axis=(1, 2))", "np.mean(h2[:, :-1], axis=(1, 2))"),
    Mutant("head-without-its-bias", "formula", WALK, 'linear(pooled, **head)', 'linear(pooled, head["W"])'),
    Mutant("pooled-in-bfloat16", "precision", WALK, POOL, "u = bfloat16(max_pool(h1, **BETWEEN))"),
    Mutant("pooled-in-float32", "dtype", WALK, POOL, "u = float32(max_pool(h1, **BETWEEN))"),
    Mutant("images-promote", "dtype", WALK, "unit(x, mean[:i]", "unit(x.astype(np.float64), mean[:i]"),
    Mutant("one-channel-off-by-a-thousandth", "local", WALK, "    pooled =", "    h2[..., 0] *= 1.001\n    pooled ="),
    Mutant("auxiliary-classifier-detached", "gradient", BACK, SIDE, 'del side["x"]'),
    Mutant("auxiliary-share-missing-in-the-gradient", "gradient", BACK, 'SHARE * dy["loss"]', 'dy["loss"]'),
    Mutant("auxiliary-gate-open", "gradient", BACK, 'relu_vjp(out.pop("x"), f["b"])["x"]', 'out.pop("x")'),
    Mutant("body-detached-under-the-pool", "gradient", BACK, 'dh1 = max_pool_vjp(g["second"].pop("x"), h1, **BETWEEN)["x"]', 'dh1 = 0 * h1 * g["second"].pop("x").sum()'),
    Mutant("pool-shares-its-gradient", "gradient", "pooling.max_pool_vjp", "    np.put_along_axis(du, first, dy[:, :, :, None], axis=3)", "    du[...] = dy[:, :, :, None] / u.shape[3]"),
    Mutant("places-not-shared-in-the-gradient", "gradient", BACK, "[:, None, None] / (h2.shape[1] * h2.shape[2])", "[:, None, None]"),
)  # fmt: skip

mutants = {
    "inception-network": (
        *shared,
        Mutant("auxiliary-unit-with-running-statistics", "state", WALK, '**auxiliary["unit"])', '**auxiliary["unit"], training=False)'),
        Mutant("batch-normalises-in-inference", "state", "inception.unit", "    if training:\n", "    if True:\n        unbiased, momentum = True, 0.1\n", option="inference"),
        Mutant("statistics-of-the-other-module", "state", WALK, "mean[i:j], variance[i:j]", "mean[j - i :], variance[j - i :]", option="inference"),
        Mutant("gradient-of-training-in-inference", "gradient", "inception.unit_vjp", "batch_norm_vjp if training else batch_norm_inference_vjp", "batch_norm_vjp", option="inference"),
    ),
}  # fmt: skip
