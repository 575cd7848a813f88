"""Planted faults of the gated recurrent unit."""

from gaugeblock import Mutant

SCAN, SCAN_BACK = "gru._scan", "gru._scan_vjp"
RUN, STACK, BACK, TURN = "recurrent._run", "recurrent.stack", "recurrent.stack_vjp", "recurrent._turn"
GATES, STATE = "a_r, a_z = np.split", "states.append((sigmoid(-a_z) * tanh(a_n) + sigmoid(a_z) * h,))"
NEW, CARRIED = (
    "a_n = a[:, t, 2 * m :] + (r * q if after else q)",
    "dnext = d * sigmoid(a_z) + (dp if after else dp * r)",
)
RESET, SLOPE = "r = sigmoid(a_r)", 'tanh_vjp(d * sigmoid(-a_z), a_n)["x"]'

mutants = {
    "gru": (
        Mutant("gates-in-keras-order", "formula", SCAN, GATES, "a_z, a_r = np.split"),
        Mutant("update-gate-turned", "formula", SCAN, STATE, "states.append((sigmoid(a_z) * tanh(a_n) + sigmoid(-a_z) * h,))"),
        Mutant("reset-before-for-after", "formula", SCAN, "(h if after else r * h)", "(r * h)"),
        Mutant("reset-after-for-before", "formula", SCAN, "r * q if after else q", "r * q", option="reset-before"),
        Mutant("reset-spares-the-inner-bias", "formula", SCAN, f"q = q if c is None else q + c\n        {NEW}", "a_n = a[:, t, 2 * m :] + (0 if c is None else c) + (r * q if after else q)"),
        Mutant("reset-left-out", "formula", SCAN, "r * q if after", "q if after"),
        Mutant("sigmoid-for-tanh", "formula", SCAN, "* tanh(a_n)", "* sigmoid(a_n)"),
        Mutant("hard-sigmoid", "formula", SCAN, RESET, "r = np.clip(a_r / 6 + 0.5, 0, 1)"),
        Mutant("tanh-by-exponentials", "unstable", SCAN, "* tanh(a_n)", "* (lambda e: (e - 1) / (e + 1))(np.exp(2 * a_n))", regime="saturated"),
        Mutant("complement-of-a-saturated-gate", "unstable", SCAN, STATE, "states.append((tanh(a_n) - (tanh(a_n) - h) * sigmoid(a_z),))", regime="saturated"),
        Mutant("gates-by-growing-exponentials", "unstable", SCAN, RESET, "r = (lambda e: e / (1 + e))(np.exp(a_r))", regime="overflowing"),
        Mutant("state-in-bfloat16", "precision", SCAN, STATE, "states.append((bfloat16(sigmoid(-a_z) * tanh(a_n) + sigmoid(a_z) * h),))"),
        Mutant("inputs-in-tf32", "precision", SCAN, "a = x @ W if", "x, W = tf32(x), tf32(W)\n    a = x @ W if"),
        Mutant("gates-in-float32", "precision", SCAN, RESET, "r = float32(sigmoid(a_r))"),
        Mutant("through-the-update-gate-detached", "gradient", SCAN_BACK, "d * (h - tanh(a_n))", "d * h"),
        Mutant("through-the-state-detached", "gradient", SCAN_BACK, CARRIED, "dnext = (dp if after else dp * r)"),
        Mutant("reset-of-the-inner-product-forgotten", "gradient", SCAN_BACK, "dq = dn * r if after else dn", "dq = dn"),
        Mutant("reset-of-the-state-forgotten", "gradient", SCAN_BACK, CARRIED, "dnext = d * sigmoid(a_z) + dp", option="reset-before"),
        Mutant("slope-of-tanh-without-its-square", "gradient", SCAN_BACK, SLOPE, "d * sigmoid(-a_z) * (1 - tanh(a_n))"),
        Mutant("slope-of-tanh-cancels", "unstable", SCAN_BACK, SLOPE, "d * sigmoid(-a_z) * (1 - tanh(a_n) ** 2)", regime="saturated"),
        Mutant("rest-of-a-saturated-gate", "unstable", SCAN, "sigmoid(-a_z)", "(1 - sigmoid(a_z))", regime="saturated"),
        Mutant("inner-bias-outside-the-reset", "gradient", SCAN_BACK, '"c": dq', '"c": dn'),
        Mutant("recurrent-weights-of-the-reset-state", "gradient", SCAN_BACK, "_flat(p).T @ _flat(dq)", "_flat(h).T @ _flat(dq)", option="reset-before"),
        Mutant("state-of-the-start-in-every-step", "state", SCAN, "(h,) = states[t]", "(h,) = states[0]"),
        Mutant("given-state-dropped", "state", RUN, "np.zeros_like(x, shape=(r, len(x), m)) if s is None else s", "0 * s if s is not None else np.zeros_like(x, shape=(r, len(x), m))", option="two-layers-carried-state"),
        Mutant("state-handed-on-is-that-before-the-last", "state", STACK, "(states[-1] for", "(states[-2] for", option="two-layers-carried-state"),
        Mutant("cotangent-of-the-end-dropped", "state", BACK, 'dy["y"], [dy[name[0]] for', 'dy["y"], [0 * dy[name[0]] for', option="two-layers-carried-state"),
        Mutant("last-step-left-out-of-the-shift", "mask", SCAN_BACK, "sums[name].sum(axis=(0, 1))", "sums[name][:, :-1].sum(axis=(0, 1))"),
        Mutant("first-step-without-the-state", "mask", SCAN_BACK, "for t in reversed(range(x.shape[1])):", "for t in reversed(range(x.shape[1])):\n        dnext = dnext * (t > 0)"),
        Mutant("last-step-of-both-directions", "mask", STACK, "y[:, 0, m:]]", "y[:, -1, m:]]", option="reset-before-two-layers"),
        Mutant("second-direction-as-the-first", "layout", TURN, "x[:, ::-1] if k else x", "x", option="reset-before-two-layers"),
        Mutant("directions-exchanged", "layout", RUN, "np.concatenate(sides, axis=-1)", "np.concatenate(sides[::-1], axis=-1)", option="reset-before-two-layers"),
        Mutant("recurrent-gates-interleaved", "layout", SCAN, "    m = len(U)", "    m = len(U)\n    U = U.reshape(m, m, 3).swapaxes(1, 2).reshape(m, 3 * m)"),
        Mutant("state-promotes", "dtype", SCAN, STATE, "states.append((sigmoid(-a_z) * tanh(a_n).astype(np.float64) + sigmoid(a_z) * h,))"),
        Mutant("one-weight-off-by-a-thousandth", "local", SCAN, "    m = len(U)", "    m = len(U)\n    U = U * (1 + 0.001 * (np.arange(U.size) == 0).reshape(U.shape)).astype(U.dtype)"),
    ),
}  # fmt: skip
