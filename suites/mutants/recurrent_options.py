"""Planted faults of recurrent layers with further arguments."""

from gaugeblock import Mutant

RUN, ORDER = "recurrent_options._run", "recurrent_options._ordered"
LAYER, BACK = "recurrent_options.recurrent", "recurrent_options.recurrent_vjp"

every = (
    Mutant("mask-left-out", "mask", RUN, "if seen is not None:", "if False:"),
    Mutant("state-goes-on-where-left-out", "state", RUN, "np.where(now, one, other)", "one"),
    Mutant("result-before-is-zero", "mask", RUN, "outputs[-1] if outputs and not zero", "outputs[-1] if False"),
    Mutant("zeros-are-the-result-before", "mask", RUN, "if outputs and not zero", "if outputs", option="mask-zeros"),
    Mutant("read-forwards", "layout", ORDER, "if back else", "if False else", option="backwards"),
    Mutant("first-for-the-last", "layout", LAYER, "outputs[-1]", "outputs[0]", option="mask-last"),
    Mutant("state-in-bfloat16", "precision", RUN, "        out = new[0]", "        new = bfloat16(new)\n        out = new[0]"),
    Mutant("result-repeated-detached", "gradient", BACK, "np.where(now, 0, dout)", "0 * dout"),
)  # fmt: skip
mutants = {
    "recurrent-simple": (
        *every,
        Mutant("left-out-passes-nothing", "gradient", BACK, "np.where(now, 0, d) for d in dstate", "0 * d for d in dstate", option="mask"),
        Mutant("residual-left-out", "formula", "recurrent_options._simple", 'if functions.get("residual") else', "if False else", option="residual"),
        Mutant("residual-detached", "gradient", "recurrent_options._simple_vjp", 'before + dz if functions.get("residual") else', "before if True else", option="residual"),
        Mutant("activation-ignored", "formula", "recurrent_options._simple", "_functions(functions)[0]", "_functions({})[0]", option="activations"),
    ),
    "recurrent-lstm": (
        *every,
        Mutant("left-out-passes-nothing", "gradient", BACK, "np.where(now, 0, d) for d in dstate", "0 * d for d in dstate", option="mask"),
        Mutant("projection-transposed", "layout", "recurrent_options._lstm", "h @ P", "h @ P[::-1]", option="projection"),
        Mutant("projection-detached", "gradient", "recurrent_options._lstm_vjp", "dh @ P.T", "0 * (dh @ P.T)", option="projection"),
        Mutant("gates-ignored", "formula", "recurrent_options._lstm", "gate(o) * act", "_functions({})[2](o) * act", option="gates"),
        Mutant("activation-of-the-cell-ignored", "formula", "recurrent_options._lstm", "* act(after)", "* np.tanh(after)", option="activations"),
    ),
    "recurrent-gru": (
        *every,
        Mutant("left-out-passes-nothing", "gradient", BACK, "np.where(now, 0, d) for d in dstate", "0 * d for d in dstate", option="mask"),
        Mutant("gates-ignored", "formula", "recurrent_options._gru", "n + gate(r + u_r)", "n + _functions({})[2](r + u_r)", option="gates"),
        Mutant("shift-outside-the-reset", "formula", "recurrent_options._gru", "gate(r + u_r) * (u_n + c)", "gate(r + u_r) * u_n + c"),
        Mutant("shift-detached", "gradient", "recurrent_options._gru_vjp", "dq.sum(axis=0)", "0 * dq.sum(axis=0)"),
    ),
}  # fmt: skip
