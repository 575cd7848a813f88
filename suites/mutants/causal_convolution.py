"""Planted faults of the causal convolution of sequences."""

from gaugeblock import Mutant
from suites.mutants.conv2d import COLUMNS, CONV, KERNEL_BACK, ROWS, WINDOWS

CAUSAL, CAUSAL_BACK, BEFORE, IMAGES = (
    f"causal.{name}" for name in ("causal_convolution", "causal_convolution_vjp", "before", "_images")
)
ZEROS = "((0, 0), (before(W, dilation), 0), (0, 0))"

mutants = {
    "causal-convolution": (
        Mutant("sees-its-future", "mask", IMAGES, ZEROS, "((0, 0), (0, before(W, dilation)), (0, 0))"),
        Mutant("centred", "mask", IMAGES, ZEROS, "((0, 0), ((before(W, dilation) + 1) // 2, before(W, dilation) // 2), (0, 0))", option="dilated"),
        Mutant("its-own-step-not-seen", "mask", CAUSAL, "conv2d(_images(x, W, dilation)", "conv2d(np.roll(_images(x, W, dilation), 1, axis=1)"),
        Mutant("repeats-the-first-step", "mask", IMAGES, f"np.pad(x, {ZEROS})", f'np.pad(x, {ZEROS}, mode="edge")'),
        Mutant("not-dilated", "mask", WINDOWS, ":: dilation[0], :: dilation[1]", ": size[0], : size[1]", option="dilated"),
        Mutant("kernels-flipped", "formula", CAUSAL, "W[:, None]", "W[::-1, None]"),
        Mutant("bias-twice", "formula", ROWS, "rows[..., k:] = 1.0", "rows[..., k:] = 2.0"),
        Mutant("last-tap-left-out", "formula", CAUSAL, "W[:, None]", "(W * (np.arange(len(W)) < len(W) - 1)[:, None, None])[:, None]"),
        Mutant("stride-one-step-late", "mask", CAUSAL, "conv2d(_images(x, W, dilation)", "conv2d(np.roll(_images(x, W, dilation), -(stride - 1), axis=1)", option="strided"),
        Mutant("groups-interleaved", "layout", ROWS, "groups, c // groups), 5, 0)", "c // groups, groups), 6, 0)", option="grouped"),
        Mutant("kernels-of-groups-interleaved", "layout", COLUMNS, "groups, o // groups), 1, 0)", "o // groups, groups), 2, 0)", option="grouped"),
        Mutant("channels-reversed", "layout", IMAGES, "np.pad(x,", "np.pad(x[..., ::-1],"),
        Mutant("gradient-of-the-zeros", "gradient", CAUSAL_BACK, 'd["x"][:, before(W, dilation) :, 0]', 'd["x"][:, : x.shape[1], 0]'),
        Mutant("gradient-of-turned-taps", "gradient", CAUSAL_BACK, 'd["W"][:, 0]', 'd["W"][::-1, 0]'),
        Mutant("kernels-not-turned", "gradient", "convolution.conv2d_transposed", "W[::-1, ::-1].reshape", "W.reshape"),
        Mutant("last-step-left-out", "gradient", KERNEL_BACK, "np.swapaxes(U, 1, 2) @ V", "np.swapaxes(U[:, :-1], 1, 2) @ V[:, :-1]"),
        Mutant("windows-in-bfloat16", "precision", CONV, "U @ columns", "bfloat16(U) @ columns"),
        Mutant("sequences-in-float32", "dtype", IMAGES, "np.pad(x,", "np.pad(float32(x),"),
        Mutant("kernels-promote", "dtype", CAUSAL, "W[:, None]", "W[:, None].astype(np.float64)"),
        Mutant("one-weight-off-by-a-thousandth", "local", CAUSAL, "W[:, None]", "(W * (1 + 0.001 * (np.arange(W.size) == 0).reshape(W.shape)).astype(W.dtype))[:, None]"),
    ),
}  # fmt: skip
