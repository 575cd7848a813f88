"""Planted faults of recurrent layers."""

from bench.mutant import Mutant

RUN, SCAN, SCAN_BACK = "recurrent._run", "recurrent.scan", "recurrent.scan_vjp"
STACK, BACK, TURN = "recurrent.stack", "recurrent.stack_vjp", "recurrent._turn"
STEP, STEP_BACK, GATES = "lstm._step", "lstm._step_vjp", "lstm._gates"

both = (
    Mutant("state-of-the-start-in-every-step", "state", SCAN, "states[t][0] @ U if c is None", "states[0][0] @ U if c is None"),
    Mutant("last-step-of-both-directions", "mask", STACK, "y[:, 0, m:]]", "y[:, -1, m:]]", option="last-both-directions"),
    Mutant("second-direction-as-the-first", "layout", TURN, "x[:, ::-1] if k else x", "x", option="both-directions"),
    Mutant("directions-exchanged", "layout", RUN, "np.concatenate(sides, axis=-1)", "np.concatenate(sides[::-1], axis=-1)", option="both-directions"),
    Mutant("shift-left-out", "formula", SCAN, "x @ W if b is None else x @ W + b", "x @ W"),
    Mutant("through-time-detached", "gradient", SCAN_BACK, "dstate = (dz @ U.T, *rest)", "dstate = (0 * (dz @ U.T), *rest)"),
    Mutant("recurrent-weights-of-the-next-state", "gradient", SCAN_BACK, "states[:-1]]", "states[1:]]"),
    Mutant("last-step-left-out-of-the-shift", "gradient", SCAN_BACK, "{name: flat.sum(axis=0) for", "{name: dz[:, :-1].sum(axis=(0, 1)) for"),
    Mutant("state-in-bfloat16", "precision", SCAN, "step(zs[t], *states[t])", "bfloat16(step(zs[t], *states[t]))"),
)  # fmt: skip
mutants = {
    "rnn": (
        *both,
        Mutant("given-state-dropped", "state", RUN, "np.zeros_like(x, shape=(r, len(x), m)) if s is None else s", "0 * s if s is not None else np.zeros_like(x, shape=(r, len(x), m))", option="relu-carried-state"),
        Mutant("half-the-slope", "gradient", "rnn._step_vjp", '(ACTIVATIONS[activation][1](dh, z)["x"],)', '(0.5 * ACTIVATIONS[activation][1](dh, z)["x"],)'),
    ),
    "lstm": (
        *both,
        Mutant("gates-in-keras-old-order", "formula", GATES, "i, f, g, o = np.split", "f, i, g, o = np.split"),
        Mutant("forget-gate-for-output-gate", "formula", GATES, "sigmoid(i), sigmoid(f), tanh(g), sigmoid(o)", "sigmoid(i), sigmoid(o), tanh(g), sigmoid(f)"),
        Mutant("gates-by-growing-exponentials", "unstable", GATES, "sigmoid(i), sigmoid(f), tanh(g), sigmoid(o)", "*((lambda e: e / (1 + e))(np.exp(z)) for z in (i, f)), tanh(g), sigmoid(o)", regime="overflowing"),
        Mutant("one-added-to-the-forget-gate", "formula", GATES, "sigmoid(f)", "sigmoid(f + 1)"),
        Mutant("output-of-the-bare-cell", "formula", STEP, "o * tanh(c)", "o * c"),
        Mutant("cell-not-carried", "state", STEP, "c = f * c + i * g", "c = i * g"),
        Mutant("cell-detached", "gradient", STEP_BACK, "dc * f  #", "0 * (dc * f)  #"),
        Mutant("slope-of-tanh-without-its-square", "gradient", STEP_BACK, "dh * o * (1 - s * s)", "dh * o * (1 - s)"),
    ),
}  # fmt: skip
