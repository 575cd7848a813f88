"""Planted faults of the normalisation of images with masks."""

from gaugeblock import Mutant

MOMENTS, STANDARD, BACK = (f"batch_options.{name}" for name in ("_moments", "_standard", "_standard_vjp"))
BATCH, GROUPS, SPLIT = (f"batch_options.{name}" for name in ("masked_batch", "masked_groups", "_split_mask"))
MOVED = "batch_options._moved"

shared = (
    Mutant("epsilon-outside-the-root", "formula", STANDARD, "np.sqrt(square + eps)", "(np.sqrt(square) + eps)"),
    Mutant("mean-detached", "gradient", BACK, "dc - _seen(", "dc - 0 * _seen("),
    Mutant("variance-detached", "gradient", BACK, "_share(ds, m) * n", "0 * _share(ds, m) * n"),
)  # fmt: skip
masked = (
    Mutant("mask-left-out", "mask", MOMENTS, "mu = _share(_seen(x, seen)", "mu = _share(_seen(x, None)"),
    Mutant("divided-by-all", "mask", MOMENTS, "np.broadcast_to(seen, x.shape)", "np.broadcast_to(seen | True, x.shape)"),
    Mutant("what-is-left-out-is-squared", "mask", MOMENTS, "_seen(c * c, seen)", "(c * c)"),
    Mutant("left-out-has-a-part-of-the-mean", "gradient", BACK, "m), dc.shape), seen)", "m), dc.shape), None)"),
    Mutant("left-out-has-a-part-of-the-variance", "gradient", BACK, "_seen(_share(ds, m) * n, seen)", "(_share(ds, m) * n)"),
    Mutant("squares-in-bfloat16", "precision", MOMENTS, "_seen(c * c, seen)", "_seen(bfloat16(c * c), seen)"),
)  # fmt: skip
of_y = "affine((x - mu) / np.sqrt(square + eps), gamma, beta)"
mutants = {
    "masked-batch": (
        *shared[1:],
        *masked,
        Mutant("epsilon-outside-the-root", "formula", BATCH, "np.sqrt(square + eps)", "(np.sqrt(square) + eps)"),
        Mutant("left-out-is-zero", "mask", BATCH, of_y, f"_seen({of_y}, seen)"),
        Mutant("unbiased", "formula", MOMENTS, "axes, keepdims=True), m), m", "axes, keepdims=True), m - 1), m"),
        Mutant("a-trifle-in-the-number", "formula", MOMENTS, "axes, keepdims=True), m)\n", "axes, keepdims=True), m + 1e-7)\n"),
        Mutant("momentum-of-the-old-value", "state", MOVED, "(1 - momentum) * old + momentum * new.reshape", "momentum * old + (1 - momentum) * new.reshape"),
    ),
    "masked-groups": (
        *shared,
        *masked,
        Mutant("mask-of-the-first-channels", "layout", SPLIT, "_split(np.broadcast_to(seen, x.shape), groups)", "_split(np.broadcast_to(seen, x.shape)[..., ::-1], groups)"),
        Mutant("left-out-is-zero", "mask", GROUPS, "affine(n.reshape(x.shape), gamma, beta)", "_seen(affine(n.reshape(x.shape), gamma, beta), seen)"),
    ),
}  # fmt: skip
