"""Planted faults of the LSTM model and its training."""

from gaugeblock import Mutant

CELL, CELL_BACK, GATES = "lstm._step", "lstm._step_vjp", "lstm._gates"
STACK, SCAN, SCAN_BACK = "recurrent.stack", "recurrent.scan", "recurrent.scan_vjp"
STEP, ADAM = "lstm_model.step", "optimizer.adam"
STATE = "states.append(step(zs[t], *states[t]))"
POWERS = "1 - beta1**t, 1 - beta2**t"

mutants = {
    "lstm-model": (
        Mutant("input-and-forget-exchanged", "layout", GATES, "i, f, g, o = np.split", "f, i, g, o = np.split"),
        Mutant("output-before-the-candidate", "layout", GATES, "i, f, g, o = np.split", "i, f, o, g = np.split"),
        Mutant("sequence-backwards", "layout", "recurrent._turn", "if k else x", "if not k else x"),
        Mutant("candidate-by-the-sigmoid", "formula", GATES, "tanh(g)", "sigmoid(g)"),
        Mutant("forget-bias-of-one", "formula", GATES, "sigmoid(f)", "sigmoid(f + 1)"),
        Mutant("cell-not-squashed", "formula", CELL, "o * tanh(c)", "o * c"),
        Mutant("forget-and-input-coupled", "formula", CELL, "i * g", "(1 - f) * g"),
        Mutant("never-forgets", "formula", CELL, "f * c", "c"),
        Mutant("bias-dropped", "formula", SCAN, "x @ W if b is None else x @ W + b", "x @ W"),
        Mutant("second-bias-dropped", "formula", SCAN, "states[t][0] @ U if c is None else states[t][0] @ U + c", "states[t][0] @ U", option="adam-two-biases"),
        Mutant("first-step-for-the-last", "mask", STACK, "y[:, -1, :m]", "y[:, 0, :m]"),
        Mutant("state-reset-at-every-step", "state", SCAN, "states[t][0] @ U if", "0 * states[t][0] @ U if"),
        Mutant("states-in-bfloat16", "precision", SCAN, STATE, "states.append(tuple(map(bfloat16, step(zs[t], *states[t]))))"),
        Mutant("states-in-float32", "dtype", SCAN, STATE, "states.append(tuple(map(float32, step(zs[t], *states[t]))))"),
        Mutant("cut-from-the-state-before", "gradient", SCAN_BACK, "(dz @ U.T, *rest)", "(0 * (dz @ U.T), *rest)"),
        Mutant("cut-from-the-cell-before", "gradient", CELL_BACK, "axis=-1), dc * f", "axis=-1), 0 * (dc * f)"),
        Mutant("slope-of-the-squash-left-out", "gradient", CELL_BACK, 'tanh_vjp(dh * o, c_next)["x"]', "dh * o"),
        Mutant("count-one-ahead", "state", ADAM, POWERS, "1 - beta1 ** (t + 1), 1 - beta2 ** (t + 1)"),
        Mutant("loss-after-the-step", "state", STEP, "    return *adam(weights, g, state, lr=lr, eps=eps, hat=hat), loss", "    weights, state = adam(weights, g, state, lr=lr, eps=eps, hat=hat)\n    return weights, state, value_and_gradient(x, y, **weights)[0]"),
    ),
}  # fmt: skip
