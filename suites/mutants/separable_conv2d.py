"""Planted faults of the separable convolution."""

from gaugeblock import Mutant
from suites.mutants.depthwise_conv2d import FOURIER

BOTH, BOTH_BACK = "separable.separable_conv2d", "separable.separable_conv2d_vjp"
DEEP, DEEP_BACK, GROUPED = (
    "separable.depthwise_conv2d",
    "separable.depthwise_conv2d_vjp",
    "separable._grouped",
)
POINT = "conv2d(z, P[None, None], b)"
LATE = "depthwise_conv2d(x, D, stride=1, padding=padding, dilation=dilation)[:, :: stride, :: stride]"

mutants = {
    "separable-conv2d": (
        Mutant("depthwise-kernels-flipped", "formula", DEEP, "_grouped(W)", "_grouped(W[::-1, ::-1])"),
        Mutant("rectified-between-the-steps", "formula", BOTH, POINT, "conv2d(np.maximum(z, 0), P[None, None], b)"),
        Mutant("bias-left-out", "formula", BOTH, POINT, "conv2d(z, P[None, None], 0 * b)"),
        Mutant("pixel-itself-added", "formula", BOTH, POINT, "conv2d(z + x[:, : z.shape[1], : z.shape[2]], P[None, None], b)"),
        Mutant("by-fourier-transform", "unstable", DEEP, "    return conv2d", f"    {FOURIER}\n    return conv2d", regime="bright-pixel"),
        Mutant("between-in-bfloat16", "precision", BOTH, POINT, "conv2d(bfloat16(z), P[None, None], b)"),
        Mutant("pointwise-kernels-in-tf32", "precision", BOTH, POINT, "conv2d(z, tf32(P)[None, None], b)"),
        Mutant("between-in-float32", "dtype", BOTH, POINT, "conv2d(float32(z), P[None, None], b)"),
        Mutant("pointwise-kernels-promote", "dtype", BOTH, POINT, "conv2d(z, P[None, None].astype(np.float64), b)"),
        Mutant("gradient-by-flipped-kernels", "gradient", DEEP_BACK, "_grouped(W)", "_grouped(W[::-1, ::-1])"),
        Mutant("depthwise-kernels-detached", "gradient", BOTH_BACK, '"D": deep["W"]', '"D": 0 * deep["W"]'),
        Mutant("pointwise-gradient-of-the-rectified", "gradient", BOTH_BACK, "conv2d_vjp(dy, depthwise_conv2d(x, D, **option), P", "conv2d_vjp(dy, np.maximum(depthwise_conv2d(x, D, **option), 0), P"),
        Mutant("bias-of-the-batch-mean", "gradient", BOTH_BACK, '"b": point["b"]', '"b": point["b"] / len(x)'),
        Mutant("stride-after-the-margin", "mask", BOTH, "depthwise_conv2d(x, D, stride=stride, padding=padding, dilation=dilation)", LATE, option="same"),
        Mutant("odd-zero-at-the-top", "mask", "convolution.margins", "(before, total - before)", "(total - before, before)", option="same"),
        Mutant("margin-of-the-edge", "mask", "convolution.windows", "constant_values=fill", 'mode="edge"', option="padded"),
        Mutant("not-dilated", "mask", "convolution.windows", ":: dilation[0], :: dilation[1]", ": size[0], : size[1]", option="dilated"),
        Mutant("last-image-left-out", "mask", BOTH_BACK, '"P": point["W"][0, 0]', '"P": conv2d_vjp(dy[:-1], depthwise_conv2d(x, D, **option)[:-1], P[None, None])["W"][0, 0]'),
        Mutant("channels-interleaved", "layout", GROUPED, "W.reshape", "np.swapaxes(W, 2, 3).reshape", option="multiplied"),
        Mutant("pointwise-kernels-read-by-columns", "layout", BOTH, POINT, "conv2d(z, P.reshape(P.shape[::-1]).T[None, None], b)"),
        Mutant("between-reversed", "layout", BOTH, POINT, "conv2d(z[..., ::-1], P[None, None], b)"),
        Mutant("one-weight-off-by-a-thousandth", "local", BOTH, POINT, "conv2d(z, P[None, None] * (1 + 0.001 * (np.arange(P.size) == 0).reshape(P.shape)).astype(P.dtype), b)"),
        Mutant("shift-of-ones-where-none-is", "formula", "separable.separable_conv2d", "P[None, None], b)", "P[None, None], 0 * P[0] + 1 if b is None else b)", option="no-shift"),
    ),
}  # fmt: skip
