"""A learning rate that decays with a cosine, from the start or after a warm-up.

Built as in suites/step_decay.py. torch's cosine rises again after its end (`periodic`).
"""

from gaugeblock import Case
from reference.schedule import cosine_decay, warm_up_cosine
from suites.step_decay import COMMON, contender


def torch_warm_up(S, optimizer, *, lr, steps, warm, begin=0.0, end=0.0):
    rising = S.LinearLR(optimizer, start_factor=begin / lr, total_iters=warm)
    falling = S.CosineAnnealingLR(optimizer, T_max=steps - warm, eta_min=end)
    return S.SequentialLR(optimizer, [rising, falling], milestones=[warm])


def optax_warm_up(S, *, lr, steps, warm, begin, cycle, end=0.0, power=1.0):
    return S.warmup_cosine_decay_schedule(begin, lr, warm, steps, end, power)


NO_POWER = "has no power of the cosine"
STAYS, RISES = "stays at the end", "rises again beyond the end"
COSINE = {"lr": 0.1, "steps": 20}
WARM = {"lr": 0.1, "steps": 20, "warm": 5, "begin": 0.01}

cases = (
    Case(
        name="cosine-decay",
        title="Learning rate with cosine decay",
        reference=cosine_decay,
        options={
            "plain": COSINE,
            "to-a-tenth": COSINE | {"end": 0.01},
            "long": {"lr": 0.1, "steps": 4000},
            "periodic": COSINE | {"periodic": True},
            "periodic-to-a-tenth": COSINE | {"periodic": True, "end": 0.01},
            "power": COSINE | {"power": 1.7, "end": 0.01},
        },
        rare=("periodic-to-a-tenth", "power"),
        contenders=(
            contender(
                "torch.optim.lr_scheduler.CosineAnnealingLR",
                lambda S, o, *, lr, steps, end=0.0, periodic=False: S.CosineAnnealingLR(o, steps, end),
                plain=RISES,
                to_a_tenth=RISES,
                power=NO_POWER,
            ),
            contender(
                "keras.optimizers.schedules.CosineDecay",
                lambda S, *, lr, steps, end=0.0: S.CosineDecay(lr, steps, end / lr),
                periodic=STAYS,
                periodic_to_a_tenth=STAYS,
                power=NO_POWER,
            ),
            contender(
                "optax.schedules.cosine_decay_schedule",
                lambda S, *, lr, steps, end=0.0, power=1.0: S.cosine_decay_schedule(
                    lr, steps, end / lr, power
                ),
                periodic=STAYS,
                periodic_to_a_tenth=STAYS,
            ),
        ),
        **COMMON,
    ),
    Case(
        name="warm-up-cosine",
        title="Learning rate with linear warm-up and cosine decay",
        reference=warm_up_cosine,
        options={
            "plain": WARM | {"cycle": 21},
            "to-a-tenth": WARM | {"end": 0.01, "cycle": 21},
            "power": WARM | {"end": 0.01, "cycle": 21, "power": 1.7},
        },
        rare=("power",),
        contenders=(
            contender(
                "torch.optim.lr_scheduler.SequentialLR",
                lambda S, o, *, cycle, **option: torch_warm_up(S, o, **option),
                power=NO_POWER,
            ),
            contender(
                "keras.optimizers.schedules.CosineDecay",
                lambda S, *, lr, steps, warm, begin, cycle, end=0.0: S.CosineDecay(
                    begin, steps - warm, end / lr, warmup_target=lr, warmup_steps=warm
                ),
                power=NO_POWER,
            ),
            contender(
                "optax.schedules.warmup_cosine_decay_schedule",
                lambda S, *, lr, steps, warm, begin, cycle, end=0.0, power=1.0: (
                    S.warmup_cosine_decay_schedule(begin, lr, warm, steps, end, power)
                ),
            ),
        ),
        **COMMON,
    ),
)
