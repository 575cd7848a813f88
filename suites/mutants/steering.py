"""Planted faults of the steering network."""

from gaugeblock import Mutant

WALK, BACK, WHOLE = "steering._forward", "steering.steering_vjp", "steering.steering"

mutants = {
    "steering": (
        Mutant("not-centred", "formula", WALK, "x / HALF - 1", "x / HALF"),
        Mutant("scaled-by-255", "formula", WALK, "x / HALF - 1", "x / 255 - 1"),
        Mutant("last-layer-with-relu", "formula", WHOLE, "s = _forward(x, convolutions, dense)[-1]", "s = relu(_forward(x, convolutions, dense)[-1])"),
        Mutant("dense-relu-missing", "formula", WALK, "g = relu(a)", "g = a"),
        Mutant("convolution-relu-missing", "formula", WALK, "h = relu(a)", "h = a"),
        Mutant("half-the-squared-error", "formula", WHOLE, "mean_squared_error(s, command)", "mean_squared_error(s, command) / 2"),
        Mutant("kernels-flipped", "formula", "convolution.conv2d", "_columns(W,", "_columns(W[::-1, ::-1],"),
        Mutant("rows-turned", "layout", WALK, "g = flatten(h)", "g = flatten(h[:, :, ::-1])"),
        Mutant("channels-first", "layout", "cnn.flatten", "x.reshape(len(x), -1)", "np.moveaxis(x, 3, 1).reshape(len(x), -1)"),
        Mutant("colours-in-another-order", "layout", WALK, "x / HALF - 1", "x[..., ::-1] / HALF - 1"),
        Mutant("bottom-rows-left-out", "mask", WALK, "x / HALF - 1", "np.where(np.arange(x.shape[1])[:, None, None] < 60, x, 0) / HALF - 1"),
        Mutant("last-image-left-out", "mask", "convolution.conv2d_kernel_vjp", "np.swapaxes(U, 1, 2) @ V", "np.swapaxes(U[:, : -p * q], 1, 2) @ V[:, : -p * q]"),
        Mutant("activations-in-bfloat16", "precision", WALK, "h = relu(a)", "h = bfloat16(relu(a))"),
        Mutant("images-in-bfloat16", "precision", WALK, "x / HALF - 1", "bfloat16(x / HALF - 1)"),
        Mutant("images-in-float32", "dtype", WALK, "x / HALF - 1", "float32(x / HALF) - 1"),
        Mutant("images-promote", "dtype", WALK, "x / HALF - 1", "x.astype(np.float64) / HALF - 1"),
        Mutant("gate-open", "gradient", BACK, 'conv2d_vjp(relu_vjp(da, a)["x"], h', "conv2d_vjp(da, h"),
        Mutant("dense-gate-open", "gradient", BACK, 'da if a is s else relu_vjp(da, a)["x"]', "da"),
        Mutant("gate-on-the-command", "gradient", BACK, 'da if a is s else relu_vjp(da, a)["x"]', 'relu_vjp(da, a)["x"]'),
        Mutant("images-gradient-not-scaled", "gradient", BACK, "da / HALF", "da"),
        Mutant("command-detached-from-the-loss", "gradient", BACK, 'dy["s"] + mean_squared_error_vjp(dy["loss"], s, command)["p"]', 'dy["s"] + 0 * s'),
        Mutant("kernels-not-turned", "gradient", "convolution.conv2d_transposed", "W[::-1, ::-1].reshape", "W.reshape"),
        Mutant("one-image-off-by-a-thousandth", "local", WALK, "g = flatten(h)", "h[0] *= 1.001\n    g = flatten(h)"),
    ),
}  # fmt: skip
