"""A learning rate that decays exponentially, built as in suites/step_decay.py."""

from gaugeblock import Case
from reference.schedule import exponential_decay
from suites.step_decay import COMMON, contender

STAIRS = {"lr": 0.1, "gamma": 0.9, "steps": 7, "stairs": 429}  # of 3,000 steps

case = Case(
    name="exponential-decay",
    title="Learning rate with exponential decay",
    reference=exponential_decay,
    options={
        "plain": {"lr": 0.1, "gamma": 0.97},
        "slow": {"lr": 0.1, "gamma": 0.9999},
        "every-ten": {"lr": 0.1, "gamma": 0.5, "steps": 10},
        "stairs": STAIRS,
        "later": {"lr": 0.1, "gamma": 0.97, "begin": 7},
        "floor": {"lr": 0.1, "gamma": 0.9, "floor": 0.03},
        "stairs-later-floor": STAIRS | {"begin": 4, "floor": 0.03},
    },
    rare=("stairs", "later", "floor", "stairs-later-floor"),
    contenders=(
        contender(
            "torch.optim.lr_scheduler.ExponentialLR",
            lambda S, o, *, lr, gamma: S.ExponentialLR(o, gamma),
            every_ten="decays at every step",
            stairs="decays at every step",
            stairs_later_floor="decays at every step",
            later="decays from the first step",
            floor="decays without end",
        ),
        contender(
            "keras.optimizers.schedules.ExponentialDecay",
            lambda S, *, lr, gamma, steps=1, stairs=0: S.ExponentialDecay(lr, steps, gamma, bool(stairs)),
            later="decays from the first step",
            stairs_later_floor="decays from the first step",
            floor="decays without end",
        ),
        contender(
            "optax.schedules.exponential_decay",
            lambda S, *, lr, gamma, steps=1, begin=0, stairs=0, floor=None: S.exponential_decay(
                lr, steps, gamma, begin, bool(stairs), floor
            ),
        ),
    ),
    **COMMON,
)
