"""Planted faults of the convolutional network."""

from gaugeblock import Mutant

LAYERS, BACK = "cnn._layers", "cnn._backward"

backward = (
    Mutant("first-gate-open", "gradient", BACK, 'return relu_vjp(dr1, a1)["x"]', "return dr1"),
    Mutant("dense-gate-open", "gradient", BACK, 'relu_vjp(d4.pop("x"), a3)["x"]', 'd4.pop("x")'),
    Mutant("pool-shares-its-gradient", "gradient", "pooling.max_pool_vjp", "    np.put_along_axis(du, first, dy[:, :, :, None], axis=3)", "    du[...] = dy[:, :, :, None] / u.shape[3]"),
    Mutant("kernels-not-turned", "gradient", "convolution.conv2d_transposed", "W[::-1, ::-1].reshape", "W.reshape"),
    Mutant("last-image-left-out", "mask", "convolution.conv2d_kernel_vjp", "np.swapaxes(U, 1, 2) @ V", "np.swapaxes(U[:, : -p * q], 1, 2) @ V[:, : -p * q]"),
    Mutant("channels-first-in-the-gradient", "layout", "cnn.flatten_vjp", "dy.reshape(x.shape)", "np.moveaxis(dy.reshape(len(x), x.shape[3], *x.shape[1:3]), 1, 3)"),
)  # fmt: skip

mutants = {
    "cnn": (
        *backward,
        Mutant("second-relu-missing", "formula", LAYERS, "r2 = relu(a2)", "r2 = a2"),
        Mutant("logits-for-probabilities", "formula", "cnn.cnn", "softmax(_layers(x, conv1, conv2, dense1, dense2)[-1])", "_layers(x, conv1, conv2, dense1, dense2)[-1]"),
        Mutant("kernels-flipped", "formula", "convolution.conv2d", "_columns(W,", "_columns(W[::-1, ::-1],"),
        Mutant("pool-takes-the-first", "formula", LAYERS, "h1 = max_pool(r1)", "h1 = r1[:, :-1:2, :-1:2]"),
        Mutant("activations-in-float16", "precision", LAYERS, "r1 = relu(a1)", "r1 = float16(relu(a1))"),
        Mutant("images-in-float32", "dtype", LAYERS, "conv2d(x, **conv1)", "conv2d(float32(x), **conv1)"),
        Mutant("images-promote", "dtype", LAYERS, "conv2d(x, **conv1)", "conv2d(x.astype(np.float64), **conv1)"),
        Mutant("pool-starts-one-late", "mask", LAYERS, "h2 = max_pool(r2)", "h2 = max_pool(r2[:, 1:, 1:])"),
        Mutant("channels-first", "layout", "cnn.flatten", "x.reshape(len(x), -1)", "np.moveaxis(x, 3, 1).reshape(len(x), -1)"),
        Mutant("one-bias-off-by-a-thousandth", "local", LAYERS, "a3 = dense(h2, **dense1)", 'a3 = dense(h2, **dense1)\n    a3[:, 0] += 0.001 * dense1["b"][0]'),
    ),
}  # fmt: skip
