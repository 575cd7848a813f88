"""Planted faults of the activations."""

from gaugeblock import Mutant

GIVEN = "(x):\n"  # what follows it happens to the input first
GELU, GELU_BACK = "activation.gelu", "activation.gelu_vjp"
TANH, TANH_BACK = "activation.gelu_tanh", "activation.gelu_tanh_vjp"


def reading(function):
    """How any of them may misread its input."""
    where = f"activation.{function}"
    return (
        Mutant("input-in-bfloat16", "precision", where, GIVEN, f"{GIVEN}    x = bfloat16(x)\n"),
        Mutant("input-in-float32", "dtype", where, GIVEN, f"{GIVEN}    x = float32(x)\n"),
        Mutant("promoted", "dtype", where, GIVEN, f"{GIVEN}    x = x.astype(np.float64)\n"),
        Mutant("rows-read-as-columns", "layout", where, GIVEN, f"{GIVEN}    x = x.T.reshape(x.shape)\n"),
        Mutant("rest-of-a-row-left-out", "mask", where, GIVEN, f"{GIVEN}    x = np.where(np.arange(x.shape[-1]) < x.shape[-1] // 4 * 4, x, 0)\n"),
    )  # fmt: skip


mutants = {
    "sigmoid": (
        *reading("sigmoid"),
        Mutant("sign-of-the-exponent", "formula", "activation.sigmoid", "expit(x)", "expit(-x)"),
        Mutant("hard", "formula", "activation.sigmoid", "expit(x)", "np.clip(x / 6 + 0.5, 0, 1)"),
        Mutant("probabilities-kept-off-the-ends", "formula", "activation.sigmoid", "expit(x)", "np.clip(expit(x), 1e-7, 1 - 1e-7)"),
        Mutant("quotient-of-exponentials", "unstable", "activation.sigmoid", "expit(x)", "np.exp(x) / (1 + np.exp(x))", regime="overflow"),
        Mutant("half-of-one-plus-tanh", "unstable", "activation.sigmoid", "expit(x)", "0.5 * (1 + np.tanh(0.5 * x))"),
        Mutant("gradient-without-one-minus-s", "gradient", "activation.sigmoid_vjp", " * expit(-x)", ""),
        Mutant("gradient-of-the-input", "gradient", "activation.sigmoid_vjp", "expit(x) * expit(-x)", "x * (1 - x)"),
        Mutant("gradient-saturates-at-eight", "gradient", "activation.sigmoid_vjp", "    return", "    x = np.clip(x, -8, 8)\n    return"),
        Mutant("gradient-cancels-near-one", "unstable", "activation.sigmoid_vjp", "expit(-x)", "(1 - expit(x))"),
    ),
    "tanh": (
        *reading("tanh"),
        Mutant("hard", "formula", "activation.tanh", "np.tanh(x)", "np.clip(x, -1, 1)"),
        Mutant("scaled-as-lecun-has-it", "formula", "activation.tanh", "np.tanh(x)", "1.7159 * np.tanh(2 / 3 * x)"),
        Mutant("rational-approximation", "formula", "activation.tanh", "np.tanh(x)", "np.clip(x * (27 + x * x) / (27 + 9 * x * x), -1, 1)"),
        Mutant("quotient-of-exponentials", "unstable", "activation.tanh", "np.tanh(x)", "(np.exp(x) - np.exp(-x)) / (np.exp(x) + np.exp(-x))", regime="overflow"),
        Mutant("through-a-sigmoid", "unstable", "activation.tanh", "np.tanh(x)", "2 * expit(2 * x) - 1"),
        Mutant("gradient-not-squared", "gradient", "activation.tanh_vjp", "4 * q / (1 + q) ** 2", "1 - np.tanh(x)"),
        Mutant("gradient-of-the-input", "gradient", "activation.tanh_vjp", "4 * q / (1 + q) ** 2", "1 - x * x"),
        Mutant("gradient-off-by-a-millionth", "gradient", "activation.tanh_vjp", "(1 + q) ** 2", "(1 + q) ** 2 + 1e-6"),
        Mutant("gradient-cancels-near-one", "unstable", "activation.tanh_vjp", "4 * q / (1 + q) ** 2", "1 - np.tanh(x) ** 2"),
    ),
    "relu": (
        *reading("relu"),
        Mutant("leaky", "formula", "activation.relu", "np.maximum(x, 0)", "np.maximum(x, 0.01 * x)"),
        Mutant("cut-at-six", "formula", "activation.relu", "np.maximum(x, 0)", "np.clip(x, 0, 6)"),
        Mutant("softplus", "formula", "activation.relu", "np.maximum(x, 0)", "np.logaddexp(x, 0)"),
        Mutant("gradient-leaks", "gradient", "activation.relu_vjp", "np.where(x > 0, dy, 0)", "np.where(x > 0, dy, 0.01 * dy)"),
        Mutant("gradient-passes-below", "gradient", "activation.relu_vjp", "np.where(x > 0, dy, 0)", "dy"),
        Mutant("gate-of-the-cotangent", "gradient", "activation.relu_vjp", "np.where(x > 0, dy, 0)", "np.where(dy > 0, dy, 0)"),
        Mutant("gate-at-a-hundredth", "gradient", "activation.relu_vjp", "x > 0,", "x > 0.01,"),
        Mutant("gate-of-the-row-before", "mask", "activation.relu_vjp", "x > 0,", "np.roll(x, 1, axis=0) > 0,"),
    ),
    "gelu": (
        *reading("gelu"),
        Mutant("tanh-form", "formula", GELU, "0.5 * erfc(-x * sqrt(1 / 2))", "expit(2 * sqrt(2 / pi) * (x + 0.044715 * (x * x * x)))"),
        Mutant("sigmoid-form", "formula", GELU, "0.5 * erfc(-x * sqrt(1 / 2))", "expit(1.702 * x)"),
        Mutant("no-root-of-two", "formula", GELU, "-x * sqrt(1 / 2)", "-x"),
        Mutant("one-plus-erf", "unstable", GELU, "erfc(-x * sqrt(1 / 2))", "(2 - erfc(x * sqrt(1 / 2)))"),
        Mutant("constant-of-six-digits", "formula", GELU, "sqrt(1 / 2)", "0.707107"),
        Mutant("constant-through-float32", "precision", GELU, "sqrt(1 / 2)", "float(np.float32(sqrt(1 / 2)))"),
        Mutant("density-dropped", "gradient", GELU_BACK, "(Phi + x * phi)", "Phi"),
        Mutant("density-not-times-x", "gradient", GELU_BACK, "x * phi", "phi"),
        Mutant("density-without-its-half", "gradient", GELU_BACK, "-(t * t)", "-(2 * t * t)"),
    ),
    "gelu-tanh": (
        *reading("gelu_tanh"),
        Mutant("erf-form", "formula", TANH, "expit(2 * sqrt(2 / pi) * (x + 0.044715 * (x * x * x)))", "0.5 * erfc(-x * sqrt(1 / 2))"),
        Mutant("one-plus-tanh", "unstable", TANH, "expit(2 * sqrt(2 / pi) * (x + 0.044715 * (x * x * x)))", "0.5 * (1 + np.tanh(sqrt(2 / pi) * (x + 0.044715 * (x * x * x))))"),
        Mutant("coefficient-of-three-digits", "formula", TANH, "0.044715", "0.0447"),
        Mutant("coefficient-through-float32", "precision", TANH, "0.044715", "float(np.float32(0.044715))"),
        Mutant("cube-inside-the-coefficient", "formula", TANH, "0.044715 * (x * x * x)", "(0.044715 * x) ** 3"),
        Mutant("slope-without-its-three", "gradient", TANH_BACK, "1 + 3 * 0.044715", "1 + 0.044715"),
        Mutant("slope-of-the-cube-dropped", "gradient", TANH_BACK, "(1 + 3 * 0.044715 * (x * x))", "1"),
        Mutant("inner-part-detached", "gradient", TANH_BACK, "(1 + x * expit(-z) * dz)", "1"),
    ),
}  # fmt: skip
