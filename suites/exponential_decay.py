"""A learning rate that decays exponentially, built as in suites/step_decay.py."""

from gaugeblock import Case
from reference.schedule import exponential_decay
from suites.step_decay import COMMON, contender

case = Case(
    name="exponential-decay",
    title="Learning rate with exponential decay",
    reference=exponential_decay,
    options={
        "plain": {"lr": 0.1, "gamma": 0.97},
        "slow": {"lr": 0.1, "gamma": 0.9999},
        "every-ten": {"lr": 0.1, "gamma": 0.5, "steps": 10},
    },
    contenders=(
        contender(
            "torch.optim.lr_scheduler.ExponentialLR",
            lambda S, o, *, lr, gamma: S.ExponentialLR(o, gamma),
            every_ten="decays at every step",
        ),
        contender(
            "keras.optimizers.schedules.ExponentialDecay",
            lambda S, *, lr, gamma, steps=1: S.ExponentialDecay(lr, steps, gamma),
        ),
        contender(
            "optax.schedules.exponential_decay",
            lambda S, *, lr, gamma, steps=1: S.exponential_decay(lr, steps, gamma),
        ),
    ),
    **COMMON,
)
