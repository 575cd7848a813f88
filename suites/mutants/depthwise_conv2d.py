"""Planted faults of the depthwise convolution."""

from gaugeblock import Mutant

DEEP, DEEP_BACK, GROUPED = (
    "separable.depthwise_conv2d",
    "separable.depthwise_conv2d_vjp",
    "separable._grouped",
)
WINDOWS, MARGINS, KERNEL_BACK = "convolution.windows", "convolution.margins", "convolution.conv2d_kernel_vjp"
ROW = "W.reshape(r, s, 1, c * m)"
FOURIER = "if (stride, padding, dilation) == (1, 0, 1):\n        h, w = x.shape[1:3]\n        F, K = np.fft.rfft2(x, axes=(1, 2)), np.fft.rfft2(W, s=(h, w), axes=(0, 1))\n        y = np.fft.irfft2(F[..., None] * K.conj(), s=(h, w), axes=(1, 2))\n        y = y[:, : h - W.shape[0] + 1, : w - W.shape[1] + 1]\n        y = y.reshape(*y.shape[:3], -1)\n        return y if b is None else y + b"

mutants = {
    "depthwise-conv2d": (
        Mutant("kernels-flipped", "formula", DEEP, "_grouped(W)", "_grouped(W[::-1, ::-1])"),
        Mutant("bias-left-out", "formula", DEEP, "_grouped(W), b", "_grouped(W), 0 * b"),
        Mutant("one-kernel-for-all-channels", "formula", DEEP, "_grouped(W)", "_grouped(np.broadcast_to(W[:, :, :1], W.shape))"),
        Mutant("by-fourier-transform", "unstable", DEEP, "    return conv2d", f"    {FOURIER}\n    return conv2d", regime="bright-pixel"),
        Mutant("kernels-in-bfloat16", "precision", DEEP, "_grouped(W)", "_grouped(bfloat16(W))"),
        Mutant("images-in-tf32", "precision", DEEP, "    return conv2d(x,", "    return conv2d(tf32(x),"),
        Mutant("images-in-float32", "dtype", DEEP, "    return conv2d(x,", "    return conv2d(float32(x),"),
        Mutant("kernels-promote", "dtype", DEEP, "_grouped(W)", "_grouped(W).astype(np.float64)"),
        Mutant("gradient-by-flipped-kernels", "gradient", DEEP_BACK, "_grouped(W)", "_grouped(W[::-1, ::-1])"),
        Mutant("bias-of-the-batch-mean", "gradient", KERNEL_BACK, "dy.sum(axis=(0, 1, 2))", "dy.sum(axis=(1, 2)).mean(axis=0)"),
        Mutant("kernels-of-the-channel-before", "gradient", DEEP_BACK, 'grads["W"].reshape(W.shape)', 'np.roll(grads["W"].reshape(W.shape), 1, axis=2)'),
        Mutant("last-window-left-out", "mask", KERNEL_BACK, "np.swapaxes(U, 1, 2) @ V", "np.swapaxes(U[:, :-1], 1, 2) @ V[:, :-1]"),
        Mutant("odd-zero-at-the-top", "mask", MARGINS, "(before, total - before)", "(total - before, before)", option="same"),
        Mutant("same-without-the-stride", "mask", MARGINS, "max(steps * s + reach - n, 0)", "(k - 1) * d", option="same"),
        Mutant("margin-of-the-edge", "mask", WINDOWS, "constant_values=fill", 'mode="edge"', option="padded"),
        Mutant("not-dilated", "mask", WINDOWS, ":: dilation[0], :: dilation[1]", ": size[0], : size[1]", option="dilated"),
        Mutant("rows-dilated-for-columns", "mask", WINDOWS, "pair(stride), pair(dilation)", "pair(stride), pair(dilation)[::-1]", option="dilated"),
        Mutant("channels-interleaved", "layout", GROUPED, ROW, "np.swapaxes(W, 2, 3).reshape(r, s, 1, c * m)", option="multiplied"),
        Mutant("gradient-interleaved", "layout", DEEP_BACK, 'grads["W"].reshape(W.shape)', 'np.swapaxes(grads["W"].reshape(*W.shape[:2], *W.shape[:1:-1]), 2, 3)', option="multiplied"),
        Mutant("images-of-the-channel-before", "layout", DEEP, "    return conv2d(x,", "    return conv2d(np.roll(x, 1, axis=3),"),
        Mutant("one-weight-off-by-a-thousandth", "local", GROUPED, ROW, f"{ROW} * (1 + 0.001 * (np.arange(W.size) == 0).reshape(r, s, 1, c * m)).astype(W.dtype)"),
        Mutant("shift-of-ones-where-none-is", "formula", "separable.depthwise_conv2d", "_grouped(W), b,", "_grouped(W), 0 * W[0, 0].ravel() + 1 if b is None else b,", option="no-shift"),
    ),
}  # fmt: skip
