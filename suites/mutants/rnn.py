"""Planted faults of the simple recurrent network."""

from gaugeblock import Mutant

RUN, SCAN, SCAN_BACK = "recurrent._run", "recurrent.scan", "recurrent.scan_vjp"
STACK, BACK, TURN = "recurrent.stack", "recurrent.stack_vjp", "recurrent._turn"

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
}  # fmt: skip
