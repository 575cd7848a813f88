"""Planted faults of the convolution of images."""

from gaugeblock import Mutant

CONV, ROWS, COLUMNS = "convolution.conv2d", "convolution._rows", "convolution._columns"
WINDOWS, MARGINS = "convolution.windows", "convolution.margins"
BACK, KERNEL_BACK = "convolution.conv2d_transposed", "convolution.conv2d_kernel_vjp"
CROP = "top : top + h + up, left : left + w + back"

mutants = {
    "conv2d": (
        Mutant("kernels-flipped", "formula", CONV, "_columns(W,", "_columns(W[::-1, ::-1],"),
        Mutant("bias-twice", "formula", ROWS, "rows[..., k:] = 1.0", "rows[..., k:] = 2.0"),
        Mutant("by-fourier-transform", "unstable", CONV, "    return np", "    if (stride, padding, dilation, groups) == (1, 0, 1, 1):\n        F, K = np.fft.rfft2(x, axes=(1, 2)), np.fft.rfft2(W, s=x.shape[1:3], axes=(0, 1))\n        y = np.fft.irfft2(np.einsum('nhwc,hwco->nhwo', F, K.conj()), s=x.shape[1:3], axes=(1, 2))\n        y = np.ascontiguousarray(y[:, : geometry[1], : geometry[2]])\n        return y if b is None else y + b\n    return np"),
        Mutant("windows-in-bfloat16", "precision", CONV, "U @ columns", "bfloat16(U) @ columns"),
        Mutant("result-in-float32", "dtype", CONV, "return np.moveaxis(U @ columns, 0, 1)", "return np.moveaxis(float32(U @ columns), 0, 1)"),
        Mutant("kernels-promote", "dtype", CONV, "_columns(W, groups)", "_columns(W, groups).astype(np.float64)"),
        Mutant("kernels-not-turned", "gradient", BACK, "W[::-1, ::-1].reshape", "W.reshape"),
        Mutant("bias-of-the-batch-mean", "gradient", KERNEL_BACK, "dy.sum(axis=(0, 1, 2))", "dy.sum(axis=(1, 2)).mean(axis=0)"),
        Mutant("last-window-left-out", "mask", KERNEL_BACK, "np.swapaxes(U, 1, 2) @ V", "np.swapaxes(U[:, :-1], 1, 2) @ V[:, :-1]"),
        Mutant("cropped-by-the-other-margin", "mask", BACK, CROP, "bottom : bottom + h + up, left : left + w + back", option="same"),
        Mutant("odd-zero-at-the-top", "mask", MARGINS, "(before, total - before)", "(total - before, before)", option="same"),
        Mutant("same-without-the-stride", "mask", MARGINS, "max(steps * s + reach - n, 0)", "(k - 1) * d", option="same"),
        Mutant("margin-of-the-edge", "mask", WINDOWS, "constant_values=fill", 'mode="edge"', option="padded"),
        Mutant("not-dilated", "mask", WINDOWS, ":: dilation[0], :: dilation[1]", ": size[0], : size[1]", option="dilated"),
        Mutant("groups-interleaved", "layout", ROWS, "groups, c // groups), 5, 0)", "c // groups, groups), 6, 0)", option="grouped"),
        Mutant("kernels-of-groups-interleaved", "layout", COLUMNS, "groups, o // groups), 1, 0)", "o // groups, groups), 2, 0)", option="grouped"),
        Mutant("kernels-read-by-columns", "layout", CONV, "_columns(W,", "_columns(np.swapaxes(W.reshape(W.shape[1], W.shape[0], *W.shape[2:]), 0, 1),"),
        Mutant("channels-reversed", "layout", CONV, "_rows(x,", "_rows(x[..., ::-1],"),
        Mutant("one-weight-off-by-a-thousandth", "local", CONV, "_columns(W,", "_columns(W * (1 + 0.001 * (np.arange(W.size) == 0).reshape(W.shape)).astype(W.dtype),"),
    ),
}  # fmt: skip
