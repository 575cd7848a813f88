"""Planted faults of RMSprop."""

from gaugeblock import Mutant
from suites.mutants.sgd_momentum import decayed, surrounded

RMS, ROOT = "adaptive.rmsprop", "adaptive._over_root"
LINE, SQUARES = "linear.linear_vjp", "loss.mean_squared_error_vjp"
POWER, MEAN, STEP = "rho * v + (1 - rho) * (g * g)", "rho * m + (1 - rho) * g", "p - lr * d"
BUFFER, OUTSIDE = 'momentum * b + scale * d, state["b"]', "(np.sqrt(v) + eps)"
SLOPES = "lambda g, v: _over_root(g, v, eps, root), g, power"
CENTRED = 'if corrected else moved["m"]'

shared = (
    Mutant("epsilon-inside-the-root", "formula", ROOT, "if root", "if True"),
    Mutant("epsilon-outside-the-root", "formula", ROOT, "if root", "if False", option="root"),
    Mutant("epsilon-left-out", "formula", ROOT, OUTSIDE, "np.sqrt(v)"),
    Mutant("root-left-out", "formula", ROOT, OUTSIDE, "(v + eps)"),
    Mutant("half-the-squared-error", "gradient", SQUARES, "(2 * (p - y))", "(p - y)"),
    Mutant("last-row-left-out", "mask", LINE, "x.reshape(-1, d).T @ rows", "x.reshape(-1, d)[:-1].T @ rows[:-1]"),
    Mutant("root-in-bfloat16", "precision", ROOT, OUTSIDE, "(bfloat16(np.sqrt(v)) + eps)"),
    Mutant("root-in-float32", "precision", ROOT, OUTSIDE, "float32(np.sqrt(v) + eps)"),
    Mutant("one-step-off-by-a-thousandth", "local", ROOT, "    return", "    g = g * (1 + 0.001 * (np.arange(g.size) == 0).reshape(g.shape)).astype(g.dtype)\n    return"),
)  # fmt: skip

mutants = {
    "rmsprop": (
        *shared,
        Mutant("weights-of-the-mean-exchanged", "formula", RMS, POWER, "(1 - rho) * v + rho * (g * g)"),
        Mutant("sum-for-the-mean", "formula", RMS, POWER, "v + g * g"),
        Mutant("gradients-not-squared", "formula", RMS, "(g * g)", "abs(g)"),
        Mutant("first-steps-corrected", "formula", RMS, SLOPES, "lambda g, v: _over_root(g, v / (1 - rho), eps, root), g, power"),
        Mutant("centered-unasked", "formula", RMS, "lambda v, m: v - m * m,", "lambda v, m: v,", option="centered"),
        Mutant("mean-not-squared", "formula", RMS, "v - m * m", "v - abs(m)", option="centered"),
        Mutant("steps-by-the-centred-gradient", "formula", RMS, SLOPES, 'lambda g, v, m: _over_root(g - m, v, eps, root), g, power, moved["m"]', option="centered"),
        Mutant("dampened", "formula", RMS, BUFFER, 'momentum * b + (1 - momentum) * scale * d, state["b"]', option="momentum"),
        Mutant("buffer-of-the-gradients", "formula", RMS, BUFFER + ", d)", BUFFER + ", g)", option="momentum"),
        Mutant("looks-ahead-unasked", "formula", RMS, "if nesterov:", "if True:", option="momentum"),
        Mutant("rate-inside-and-outside", "formula", RMS, '"inside": -1.0', '"inside": -lr', option="momentum-inside"),
        Mutant("update-of-the-other-sign", "formula", RMS, '"update": -lr}', '"update": lr}', option="momentum-update"),
        Mutant("power-in-float32", "precision", RMS, POWER, f"float32({POWER})"),
        Mutant("decay-in-float32", "precision", RMS, POWER, "float(np.float32(rho)) * v + float(np.float32(1 - rho)) * (g * g)"),
        Mutant("mean-in-bfloat16", "precision", RMS, MEAN, f"bfloat16({MEAN})", option="centered"),
        Mutant("steps-by-the-old-power", "state", RMS, '{"v": v}, v\n', '{"v": v}, state["v"]\n', option="first-one"),
        Mutant("power-not-kept", "state", RMS, 'moved, power = {"v": v}, v', 'moved, power = {"v": state["v"]}, v'),
        Mutant("centered-by-the-old-mean", "state", RMS, CENTRED, CENTRED.replace('moved["m"]', 'state["m"]'), option="centered"),
        Mutant("steps-by-the-old-buffer", "state", RMS, 'theta, taken)', 'theta, state["b"])', option="momentum"),
        Mutant("power-of-all-weights-together", "layout", RMS, "    moved, power", "    v = tree_map(lambda v: 0 * v + v.mean(), v)\n    moved, power"),
        Mutant("power-of-the-next-output", "layout", RMS, SLOPES, "lambda g, v: _over_root(g, np.roll(v, 1, axis=-1), eps, root), g, power"),
        Mutant("looks-not-ahead", "formula", RMS, "if nesterov:", "if False:", option="update-centered-nesterov"),
        Mutant("looks-ahead-from-the-old-buffer", "state", RMS, 'moved["b"], d)\n    step', 'state["b"], d)\n    step', option="update-centered-nesterov"),
        Mutant("not-corrected", "formula", RMS, 'c = 1 - rho ** moved["t"]', "c = 1.0", option="update-corrected-nesterov"),
        Mutant("corrected-by-the-count-before", "state", RMS, 'rho ** moved["t"]', 'rho ** max(state["t"], 1)', option="update-corrected-nesterov"),
        Mutant("mean-not-corrected", "formula", RMS, 'tree_map(lambda m: m / c, moved["m"]) if corrected else moved["m"]', 'moved["m"]', option="update-corrected-centered"),
        *decayed("maximize-coupled"),
        *surrounded("root-value", "root-each", "root-norm"),
        Mutant("rate-promotes", "dtype", RMS, STEP, "p - np.float64(lr) * d"),
    ),
}  # fmt: skip
