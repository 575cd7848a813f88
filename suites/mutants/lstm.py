"""Planted faults of the LSTM."""

from gaugeblock import Mutant
from suites.mutants.rnn import both

STEP, STEP_BACK, GATES = "lstm._step", "lstm._step_vjp", "lstm._gates"
SLOPE = 'tanh_vjp(dh * o, c_next)["x"]'

mutants = {
    "lstm": (
        *both,
        Mutant("gates-in-keras-old-order", "formula", GATES, "i, f, g, o = np.split", "f, i, g, o = np.split"),
        Mutant("forget-gate-for-output-gate", "formula", GATES, "sigmoid(i), sigmoid(f), tanh(g), sigmoid(o)", "sigmoid(i), sigmoid(o), tanh(g), sigmoid(f)"),
        Mutant("gates-by-growing-exponentials", "unstable", GATES, "sigmoid(i), sigmoid(f), tanh(g), sigmoid(o)", "*((lambda e: e / (1 + e))(np.exp(z)) for z in (i, f)), tanh(g), sigmoid(o)", regime="overflowing"),
        Mutant("one-added-to-the-forget-gate", "formula", GATES, "sigmoid(f)", "sigmoid(f + 1)"),
        Mutant("output-of-the-bare-cell", "formula", STEP, "o * tanh(c)", "o * c"),
        Mutant("cell-not-carried", "state", STEP, "c = f * c + i * g", "c = i * g"),
        Mutant("cell-detached", "gradient", STEP_BACK, "dc * f  #", "0 * (dc * f)  #"),
        Mutant("slope-of-tanh-without-its-square", "gradient", STEP_BACK, SLOPE, "dh * o * (1 - tanh(c_next))"),
        Mutant("slope-of-tanh-cancels", "unstable", STEP_BACK, SLOPE, "dh * o * (1 - tanh(c_next) ** 2)", regime="saturated"),
    ),
}  # fmt: skip
