"""Planted faults of the multi-layer perceptron."""

from gaugeblock import Mutant

FORWARD, BACK, NAMES = "perceptron.perceptron", "perceptron.perceptron_vjp", "perceptron._names"
LINEAR, LINEAR_BACK = "linear.linear", "linear.linear_vjp"
LAYER = "ACTIVATIONS[name][0](linear(x, **layer))"

mutants = {
    "perceptron": (
        Mutant("activation-after-the-last", "formula", NAMES, "[output]", "[hidden]"),
        Mutant("first-layer-without-activation", "formula", NAMES, "[hidden] * (len(layers) - 1)", '["identity"] + [hidden] * (len(layers) - 2)'),
        Mutant("no-biases", "formula", LINEAR, "_design(x) @ np.concatenate([b[None], W])", "x @ W"),
        Mutant("leaks", "formula", "activation.relu", "np.maximum(x, 0)", "np.maximum(x, 0.01 * x)"),
        Mutant("gelu-by-the-tangent", "formula", "activation.gelu", "x * (0.5 * erfc(-x * sqrt(1 / 2)))", "gelu_tanh(x)", option="gelu"),
        Mutant("gelu-constant-cut-short", "formula", "activation.gelu_tanh", "0.044715", "0.0447", option="gelu-tanh"),
        Mutant("softmax-over-the-batch", "formula", "activation.softmax", "e.sum(axis=-1, keepdims=True)", "e.sum(axis=0, keepdims=True)", option="tanh"),
        Mutant("hidden-in-bfloat16", "precision", FORWARD, LAYER, f"bfloat16({LAYER})"),
        Mutant("hidden-in-float32", "dtype", FORWARD, LAYER, f"float32({LAYER})"),
        Mutant("hidden-promotes", "dtype", FORWARD, LAYER, f"{LAYER}.astype(np.float64)"),
        Mutant("gradient-where-relu-is-off", "gradient", "activation.relu_vjp", "np.where(x > 0, dy, 0)", "dy"),
        Mutant("gradient-at-zero", "gradient", "activation.relu_vjp", "x > 0", "x >= 0"),
        Mutant("slope-at-the-activated", "gradient", BACK, "[1](dy, z)", "[1](dy, ACTIVATIONS[name][0](z))", option="sigmoid"),
        Mutant("row-sum-dropped", "gradient", "activation.softmax_vjp", "np.where(near, some, dy - (dy * y).sum(axis=-1, keepdims=True))", "dy", option="tanh"),
        Mutant("lower-layers-detached", "gradient", BACK, 'dy = g.pop("x")', 'dy = 0 * g.pop("x")'),
        Mutant("biases-of-the-batch-mean", "gradient", LINEAR_BACK, "np.sum(rows, axis=0)", "np.mean(rows, axis=0)"),
        Mutant("last-example-left-out", "mask", LINEAR_BACK, "x.reshape(-1, d).T @ rows", "x.reshape(-1, d)[:-1].T @ rows[:-1]"),
        Mutant("weights-stored-transposed", "layout", LINEAR, "[b[None], W]", "[b[None], W.T.reshape(W.shape)]"),
    ),
}  # fmt: skip
