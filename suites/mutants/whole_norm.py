"""Planted faults of norms of whole numbers."""

from gaugeblock import Mutant

NORM, BACK, FLOATS = "whole_norm.whole_norm", "whole_norm.whole_norm_vjp", "whole_norm._floats"

mutants = {
    "whole-norm": (
        Mutant("result-cut-to-whole-numbers", "dtype", NORM, "layer_norm(x, gamma, beta, eps=EPS)", "np.trunc(layer_norm(x, gamma, beta, eps=EPS))"),
        Mutant("another-epsilon", "formula", NORM, "layer_norm(x, gamma, beta, eps=EPS)", "layer_norm(x, gamma, 0 * gamma, eps=1e-3) + beta"),
        Mutant("one-group", "formula", NORM, "groups=2", "groups=1", option="groups"),
        Mutant("centred", "formula", NORM, "rms_norm(x, gamma, eps=EPS)", "layer_norm(x, gamma, eps=EPS)", option="rms"),
        Mutant("scale-detached", "gradient", BACK, "name: g for", "name: 0 * g for"),
        Mutant("numbers-halved-and-cut", "dtype", FLOATS, "= x", "= x // 2 * 2"),
    ),
}  # fmt: skip
