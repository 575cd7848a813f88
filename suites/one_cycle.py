"""A learning rate of one cycle: it rises and falls with cosines.

Built as in suites/step_decay.py. torch's cycle ends a step earlier (`last`).
"""

from gaugeblock import Case
from reference.schedule import one_cycle
from suites.step_decay import COMMON, contender

LAST, AFTER = "ends with its last step", "ends after its last step"
CYCLE = {"lr": 0.1, "steps": 20, "cycle": 20}
UNEVEN = {"lr": 0.1, "steps": 23, "cycle": 23}  # the peak is between two steps

case = Case(
    name="one-cycle",
    title="Learning rate of one cycle",
    reference=one_cycle,
    options={
        "plain": CYCLE,
        "last": CYCLE | {"last": True},
        "uneven": UNEVEN,
        "uneven-last": UNEVEN | {"last": True},
    },
    contenders=(
        contender(
            "torch.optim.lr_scheduler.OneCycleLR",
            lambda S, o, *, lr, steps, cycle, last: S.OneCycleLR(
                o, lr, total_steps=steps, cycle_momentum=False
            ),
            plain=LAST,
            uneven=LAST,
        ),
        contender(
            "optax.schedules.cosine_onecycle_schedule",
            lambda S, *, lr, steps, cycle: S.cosine_onecycle_schedule(steps, lr),
            last=AFTER,
            uneven_last=AFTER,
        ),
    ),
    **COMMON,
)
