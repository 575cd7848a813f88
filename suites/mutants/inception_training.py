"""Planted faults of the training of the Inception network."""

from gaugeblock import Mutant
from suites.mutants.inception_network import STEP, shared

G = "    g = {name: g[name] for name in weights}"

mutants = {
    "inception-training": (
        *(each for each in shared if each.kind != "local"),
        Mutant("momentum-left-out", "state", STEP, "momentum=momentum, inside", "momentum=momentum / 2, inside"),
        Mutant("stem-is-not-trained", "state", STEP, G, G + '\n    g["stem"] = {name: 0 * d for name, d in g["stem"].items()}'),
        Mutant("auxiliary-is-not-trained", "state", STEP, G, G + '\n    g["auxiliary"]["out"] = {name: 0 * d for name, d in g["auxiliary"]["out"].items()}'),
        Mutant("rate-of-the-next-step", "formula", STEP, "lr=lr, momentum", "lr=0.9 * lr, momentum"),
        Mutant("gradient-summed-over-the-batch", "gradient", STEP, '"loss": np.ones_like(loss)', '"loss": np.full_like(loss, len(x))'),
    ),
}  # fmt: skip
