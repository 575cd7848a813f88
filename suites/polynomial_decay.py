"""A learning rate that changes with a power of the remaining steps, built as in suites/step_decay.py."""

from gaugeblock import Case
from reference.schedule import polynomial_decay
from suites.step_decay import COMMON, contender

case = Case(
    name="polynomial-decay",
    title="Learning rate with polynomial decay",
    reference=polynomial_decay,
    options={
        "linear": {"lr": 0.1, "end": 0.0, "steps": 20},
        "square": {"lr": 0.1, "end": 0.0, "steps": 20, "power": 2.0},
        "root": {"lr": 0.1, "end": 0.0, "steps": 4000, "power": 0.5},
        "root-to-zero": {"lr": 0.1, "end": 0.0, "steps": 20, "power": 0.5},
        "to-a-tenth": {"lr": 0.1, "end": 0.01, "steps": 20},
        "warm-up": {"lr": 0.001, "end": 0.1, "steps": 10},
        "later-square": {"lr": 0.1, "end": 0.01, "steps": 20, "power": 2.0, "begin": 3},
        "cycles": {"lr": 0.1, "end": 0.01, "steps": 10, "cycles": 300},
        "cycles-square": {"lr": 0.1, "end": 0.01, "steps": 7, "power": 2.0, "cycles": 429},
    },
    rare=("later-square", "cycles", "cycles-square"),
    contenders=(
        contender(
            "torch.optim.lr_scheduler.PolynomialLR",
            lambda S, o, *, lr, end, steps, power=1.0: S.PolynomialLR(o, steps, power),
            to_a_tenth="ends at zero",
            warm_up="ends at zero",
            later_square="ends at zero",
            cycles="ends at zero",
            cycles_square="ends at zero",
        ),
        contender(
            "torch.optim.lr_scheduler.LinearLR",
            lambda S, o, *, lr, end, steps: S.LinearLR(o, 1.0, end / lr, steps),
            square="is linear",
            root="is linear",
            root_to_zero="is linear",
            later_square="is linear",
            cycles="has one cycle",
            cycles_square="is linear",
            warm_up="starts at no more than the rate of the optimiser",
        ),
        contender(
            "keras.optimizers.schedules.PolynomialDecay",
            lambda S, *, lr, end, steps, power=1.0, cycles=1: S.PolynomialDecay(
                lr, steps, end, power, cycles > 1
            ),
            later_square="decays from the first step",
        ),
        contender(
            "optax.schedules.polynomial_schedule",
            lambda S, *, lr, end, steps, power=1.0, begin=0: S.polynomial_schedule(
                lr, end, power, steps, begin
            ),
            cycles="has one cycle",
            cycles_square="has one cycle",
        ),
    ),
    **COMMON,
)
