"""Planted faults of the transposed convolution."""

from gaugeblock import Mutant

LARGER, LARGER_BACK = "transposed.conv_transpose2d", "transposed.conv_transpose2d_vjp"
SPREAD, KERNEL_BACK = "convolution.conv2d_transposed", "convolution.conv2d_kernel_vjp"
CALL = "return conv2d_transposed(x, W, shape, b, **option)"
PLACES = "spread[:, every(up, stride[0], p), every(back, stride[1], q)] = dy"
OVERLAPS = "conv2d_transposed(0 * x + 1, 0 * W + 1, shape, **option) / (W.shape[3] // groups)"
FOURIER = "if (padding, output_padding, dilation, groups) == (0, 0, 1, 1):\n        apart = np.zeros_like(x, shape=(len(x), *shape, x.shape[3]))\n        apart[:, : shape[0] - W.shape[0] + 1 : stride, : shape[1] - W.shape[1] + 1 : stride] = x\n        F, K = np.fft.rfft2(apart, axes=(1, 2)), np.fft.rfft2(W, s=shape, axes=(0, 1))\n        return np.fft.irfft2(np.einsum('npqc,pqoc->npqo', F, K), s=shape, axes=(1, 2)) + b"
NO_ROOM = "inner = enlarged(x.shape[1:3], W.shape[:2], stride, padding, 0, dilation)\n    more = [(0, 0), *((0, wide - own) for wide, own in zip(shape, inner)), (0, 0)]\n    return np.pad(conv2d_transposed(x, W, inner, b, **option), more)"
REPEATED = "for i, j in np.ndindex(stride):\n        spread[:, every(up + i, stride[0], p), every(back + j, stride[1], q)] = dy"
FLAT = "W.reshape(W.shape[0], W.shape[1], W.shape[3], W.shape[2])"

mutants = {
    "conv2d-transpose": (
        Mutant("kernels-turned-around", "formula", SPREAD, "W[::-1, ::-1].reshape", "W.reshape"),
        Mutant("bias-left-out", "formula", LARGER, "shape, b, **option", "shape, 0 * b, **option"),
        Mutant("overlaps-averaged", "formula", LARGER, CALL, f"{CALL} / np.maximum({OVERLAPS}, 1)"),
        Mutant("pixels-repeated-for-zeros-between", "formula", SPREAD, PLACES, REPEATED),
        Mutant("by-fourier-transform", "unstable", LARGER, CALL, f"{FOURIER}\n    {CALL}", regime="bright-pixel"),
        Mutant("kernels-in-bfloat16", "precision", LARGER, "(x, W, shape", "(x, bfloat16(W), shape"),
        Mutant("images-in-tf32", "precision", LARGER, "(x, W, shape", "(tf32(x), W, shape"),
        Mutant("result-in-float32", "dtype", LARGER, CALL, "return float32(conv2d_transposed(x, W, shape, b, **option))"),
        Mutant("kernels-promote", "dtype", LARGER, "(x, W, shape", "(x, W.astype(np.float64), shape"),
        Mutant("gradient-by-turned-kernels", "gradient", LARGER_BACK, "conv2d(dy, W,", "conv2d(dy, W[::-1, ::-1],"),
        Mutant("gradient-of-turned-kernels", "gradient", KERNEL_BACK, "0, 1).reshape(W.shape)", "0, 1).reshape(W.shape)[::-1, ::-1]"),
        Mutant("bias-of-the-batch-mean", "gradient", LARGER_BACK, "dy.sum(axis=(0, 1, 2))", "dy.sum(axis=(1, 2)).mean(axis=0)"),
        Mutant("last-row-left-out", "mask", SPREAD, PLACES, PLACES.replace(" p),", " p - 1),") + "[:, :-1]"),
        Mutant("rows-apart-as-the-columns", "mask", SPREAD, "every(up, stride[0], p)", "every(up, stride[1], p)", option="output-padded"),
        Mutant("output-padding-of-zeros", "mask", LARGER, CALL, NO_ROOM, option="output-padded"),
        Mutant("odd-pixel-cut-at-the-top", "mask", "convolution.margins", "(before, total - before)", "(total - before, before)", option="same"),
        Mutant("same-cuts-more-than-there-is", "mask", "convolution.margins", "max(steps * s + reach - n, 0)", "abs(steps * s + reach - n)", option="gaps"),
        Mutant("not-dilated", "mask", "convolution.windows", ":: dilation[0], :: dilation[1]", ": size[0], : size[1]", option="dilated"),
        Mutant("gradient-of-the-last-windows", "mask", LARGER_BACK, "dx[:, : x.shape[1], : x.shape[2]]", "dx[:, -x.shape[1] :, -x.shape[2] :]", option="dilated-padded"),
        Mutant("images-padded-at-the-top", "mask", LARGER_BACK, "[(0, wide - own)", "[(wide - own, 0)", option="dilated-padded"),
        Mutant("groups-interleaved", "layout", SPREAD, "groups, o // groups), 4, 2)", "o // groups, groups), 3, 2)", option="grouped"),
        Mutant("kernels-of-the-other-direction", "layout", LARGER, "(x, W, shape", f"(x, np.swapaxes({FLAT}, 2, 3), shape"),
        Mutant("channels-reversed", "layout", LARGER, "(x, W, shape", "(x[..., ::-1], W, shape"),
        Mutant("one-weight-off-by-a-thousandth", "local", LARGER, "(x, W, shape", "(x, W * (1 + 0.001 * (np.arange(W.size) == 0).reshape(W.shape)).astype(W.dtype), shape"),
        Mutant("shift-of-ones-where-none-is", "formula", "transposed.conv_transpose2d", "x, W, shape, b, **option", "x, W, shape, 0 * W[0, 0, :, 0] + 1 if b is None else b, **option", option="no-shift"),
    ),
}  # fmt: skip
