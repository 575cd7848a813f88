"""A learning rate of one cycle: it rises and falls with cosines.

Built as in suites/step_decay.py. torch's cycle ends a step earlier (`last`), may have lines or three phases,
and moves the momentum against the rate (`momentum`: then it is judged, not the rate).
"""

from gaugeblock import Case
from reference.schedule import one_cycle
from suites.step_decay import COMMON, contender

LAST, AFTER = "ends with its last step", "ends after its last step"
CYCLE = {"lr": 0.1, "steps": 20, "cycle": 20}
UNEVEN = {"lr": 0.1, "steps": 23, "cycle": 23}  # the peak is between two steps

NUMBERS = {"share": 0.45, "divisor": 10.0, "final": 100.0}
LINEAR, PHASES, MOMENTUM = {"linear": True}, {"phases": 3}, {"momentum": (0.85, 0.95)}
OF_TORCH = {
    "last-numbers": UNEVEN | {"last": True} | NUMBERS,
    "last-linear": UNEVEN | {"last": True} | LINEAR,
    "last-phases": UNEVEN | {"last": True} | PHASES,
    "last-linear-phases-numbers": UNEVEN | {"last": True} | LINEAR | PHASES | NUMBERS,
    "last-momentum": UNEVEN | {"last": True} | MOMENTUM,
    "last-momentum-phases": UNEVEN | {"last": True, "momentum": (0.7, 0.9)} | PHASES,
    "last-momentum-linear-numbers": UNEVEN | {"last": True, "momentum": (0.7, 0.9)} | LINEAR | NUMBERS,
}


def in_torch(
    S, optimizer, *, lr, steps, cycle, last, share=0.3, divisor=25.0, final=1e4, linear=False, phases=2,
    momentum=(),
):  # fmt: skip
    moves = {"cycle_momentum": bool(momentum)}
    moves |= {"base_momentum": momentum[0], "max_momentum": momentum[1]} if momentum else {}
    return S.OneCycleLR(
        optimizer,
        lr,
        total_steps=steps,
        pct_start=share,
        anneal_strategy="linear" if linear else "cos",
        div_factor=divisor,
        final_div_factor=final,
        three_phase=phases == 3,
        **moves,
    )


case = Case(
    name="one-cycle",
    title="Learning rate of one cycle",
    reference=one_cycle,
    options={
        "plain": CYCLE,
        "last": CYCLE | {"last": True},
        "uneven": UNEVEN,
        "uneven-last": UNEVEN | {"last": True},
        "numbers": UNEVEN | NUMBERS,
        **OF_TORCH,
    },
    rare=("numbers", *OF_TORCH),
    contenders=(
        contender(
            "torch.optim.lr_scheduler.OneCycleLR",
            in_torch,
            plain=LAST,
            uneven=LAST,
            numbers=LAST,
        ),
        contender(
            "optax.schedules.cosine_onecycle_schedule",
            lambda S, *, lr, steps, cycle, share=0.3, divisor=25.0, final=1e4: S.cosine_onecycle_schedule(
                steps, lr, share, divisor, final
            ),
            last=AFTER,
            uneven_last=AFTER,
            **dict.fromkeys(OF_TORCH, AFTER),
        ),
    ),
    **COMMON,
)
