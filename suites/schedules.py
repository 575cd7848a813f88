"""Learning-rate schedules: the rates themselves, at each number of steps that an optimiser may have taken.

torch's schedulers change a rate in Python's own floats, most of them from the one before; Keras and optax
compute it from the step, in the dtype of their tensors. Their optimisers cast it to the dtype of the
weights, as is done here. Keras cuts the rate a step later than the others (`late`), torch's cosine rises
again beyond its end (`periodic`), and its one cycle ends a step earlier (`last`).
"""

import numpy as np

from bench.case import Case, Contender, Limit
from reference import schedule

SIZES = {
    "small": {"count": 24},
    "one": {"count": 1},
    "epochs": {"count": 300},
    "steps": {"count": 3000},
}


def inputs(rng, *, count, cycle=None, **option):
    """Numbers of steps; a cycle cannot be asked for what is beyond it."""
    return {}, {"t": np.arange(float(rates(count, cycle)))}


def rates(count, cycle=None, **_):
    return min(count, cycle or count)


def in_torch(prepare):
    def build(weights, *, lr, **option):
        import torch

        def run(params, t):
            optimizer = torch.optim.SGD([torch.zeros(1)], lr=lr)
            scheduler = prepare(torch.optim.lr_scheduler, optimizer, lr=lr, **option)
            rates = []
            for _ in range(len(t)):
                rates += scheduler.get_last_lr()
                optimizer.step()
                scheduler.step()
            return {"y": torch.tensor(rates, dtype=t.dtype)}

        return {}, run

    return build


def in_keras(prepare):
    def build(weights, **option):
        import keras
        import tensorflow as tf

        rate = prepare(keras.optimizers.schedules, **option)

        def run(params, t):
            steps = tf.cast(t, tf.int64)  # as optimisers count
            return {
                "y": tf.map_fn(lambda step: tf.cast(rate(step), t.dtype), steps, fn_output_signature=t.dtype)
            }

        return {}, run

    return build


def in_optax(prepare):
    def build(weights, **option):
        import jax
        import optax

        rate = prepare(optax.schedules, **option)
        return {}, lambda params, t: {"y": jax.vmap(rate)(t.astype("int32")).astype(t.dtype)}

    return build


def contender(api, prepare, **without):
    """`prepare(module, …, **option)` makes the schedule, or torch's scheduler of an optimiser."""
    name = api.partition(".")[0]
    build = {"torch": in_torch, "keras": in_keras, "optax": in_optax}[name](prepare)
    modes = {"torch": ("eager",), "keras": ("function",), "optax": None}[name]
    backend = {"keras": "tensorflow", "optax": "jax"}.get(name, name)
    reasons = {option.replace("_", "-"): reason for option, reason in without.items()}
    return Contender(backend, api, build, reasons, modes)


def torch_warm_up(S, optimizer, *, lr, steps, warm, begin=0.0, end=0.0):
    rising = S.LinearLR(optimizer, start_factor=begin / lr, total_iters=warm)
    falling = S.CosineAnnealingLR(optimizer, T_max=steps - warm, eta_min=end)
    return S.SequentialLR(optimizer, [rising, falling], milestones=[warm])


def keras_piecewise(S, *, lr, gamma, milestones, late=True):
    values = [lr * gamma**k for k in range(len(milestones) + 1)]
    return S.PiecewiseConstantDecay(list(milestones), values)


# XLA contracts 1 - t (1/T) to one rounding, which leaves less than zero at t = T
NO_ROOT = "is NaN at its end under jit, where 1 - t/T lies below zero by a rounding and has no root"
AT_ONCE, LATE = "cuts the rate at the milestone", "cuts the rate after the milestone"
LAST, AFTER = "ends with its last step", "ends after its last step"
STAYS, RISES = "stays at the end", "rises again beyond the end"
COMMON = {
    "inputs": inputs,
    "sizes": SIZES,
    "fixed": ("t",),
    "minor": True,
    "items": rates,
    "unit": "rates",
    "flops": lambda **size: 4 * rates(**size),
}
STEP = {"lr": 0.1, "gamma": 0.1, "milestones": (6, 11, 18)}
COSINE = {"lr": 0.1, "steps": 20}
WARM = {"lr": 0.1, "steps": 20, "warm": 5, "begin": 0.01}
CYCLE = {"lr": 0.1, "steps": 20, "cycle": 20}
UNEVEN = {"lr": 0.1, "steps": 23, "cycle": 23}  # its peak lies between two steps

KERAS = "keras/src/optimizers/schedules/learning_rate_schedule.py:164 (3.15.1)"
OPTAX = "optax/schedules/_schedule.py:142, 315 and 476 (0.2.8)"


def in_float32(backend, z, **cells):
    """Rates in float32 where the weights are float64."""
    versions, reason, source = {
        "tensorflow": (">=2.21,<2.22", "Keras makes float32 tensors of the schedule's Python numbers", KERAS),
        "jax": (">=0.10,<0.11", "optax divides an int32 count, which gives float32 with x64 on too", OPTAX),
    }[backend]
    return Limit(backend, versions, reason, source, z, cells | {"dtype": "float64"})


def from_the_last(contender, z, **cells):
    reason = "each rate is computed from the last one, so that roundings add up with the steps"
    source = "torch/optim/lr_scheduler.py:1064, 1309 and 1449 (2.13.0)"
    where = cells | {"contender": f"torch.optim.lr_scheduler.{contender}", "dtype": "float64"}
    return Limit("torch", "==2.13.*", reason, source, z, where)


BOTH = ("tensorflow", "jax")
MANY = ("epochs", "steps")
cases = (
    Case(
        name="step-decay",
        title="Learning rate cut at milestones",
        reference=schedule.step_decay,
        options={"plain": STEP, "late": STEP | {"late": True}},
        contenders=(
            contender(
                "torch.optim.lr_scheduler.MultiStepLR",
                lambda S, o, *, lr, gamma, milestones: S.MultiStepLR(o, milestones, gamma),
                late=AT_ONCE,
            ),
            contender("keras.optimizers.schedules.PiecewiseConstantDecay", keras_piecewise, plain=LATE),
            contender(
                "optax.schedules.piecewise_constant_schedule",
                lambda S, *, lr, gamma, milestones: S.piecewise_constant_schedule(
                    lr, dict.fromkeys(milestones, gamma)
                ),
                late=AT_ONCE,
            ),
        ),
        limits=(in_float32("tensorflow", (5e7, 5e8)),),
        **COMMON,
    ),
    Case(
        name="exponential-decay",
        title="Learning rate with exponential decay",
        reference=schedule.exponential_decay,
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
        limits=(
            from_the_last("ExponentialLR", (1, 10), size=MANY),
            *(in_float32(backend, z) for backend in BOTH for z in ((3e7, 3e8), (1e9, 1e10))),
            *(in_float32(backend, (1e10, 1e11), option="slow", size="epochs") for backend in BOTH),
            *(in_float32(backend, (1e11, 1e12), option="slow", size="steps") for backend in BOTH),
        ),
        **COMMON,
    ),
    Case(
        name="polynomial-decay",
        title="Learning rate with polynomial decay",
        reference=schedule.polynomial_decay,
        options={
            "linear": {"lr": 0.1, "end": 0.0, "steps": 20},
            "square": {"lr": 0.1, "end": 0.0, "steps": 20, "power": 2.0},
            "root": {"lr": 0.1, "end": 0.0, "steps": 4000, "power": 0.5},
            "root-to-zero": {"lr": 0.1, "end": 0.0, "steps": 20, "power": 0.5},
            "to-a-tenth": {"lr": 0.1, "end": 0.01, "steps": 20},
            "warm-up": {"lr": 0.001, "end": 0.1, "steps": 10},
        },
        contenders=(
            contender(
                "torch.optim.lr_scheduler.PolynomialLR",
                lambda S, o, *, lr, end, steps, power=1.0: S.PolynomialLR(o, steps, power),
                to_a_tenth="ends at zero",
                warm_up="ends at zero",
            ),
            contender(
                "torch.optim.lr_scheduler.LinearLR",
                lambda S, o, *, lr, end, steps: S.LinearLR(o, 1.0, end / lr, steps),
                square="is linear",
                root="is linear",
                root_to_zero="is linear",
                warm_up="starts at no more than the rate of the optimiser",
            ),
            contender(
                "keras.optimizers.schedules.PolynomialDecay",
                lambda S, *, lr, end, steps, power=1.0: S.PolynomialDecay(lr, steps, end, power),
            ),
            contender(
                "optax.schedules.polynomial_schedule",
                lambda S, *, lr, end, steps, power=1.0: S.polynomial_schedule(lr, end, power, steps),
                root_to_zero=NO_ROOT,
            ),
        ),
        limits=(
            from_the_last("PolynomialLR", (3, 30), option="root", size=("small", *MANY)),
            *(in_float32(backend, z) for backend in BOTH for z in ((1e7, 1e8), (1e8, 1e9))),
            # the limit at zero, where the root is steep, outweighs the others
            *(in_float32("tensorflow", z, option="root-to-zero") for z in ((4, 40), (40, 400))),
        ),
        **COMMON,
    ),
    Case(
        name="cosine-decay",
        title="Learning rate with cosine decay",
        reference=schedule.cosine_decay,
        options={
            "plain": COSINE,
            "to-a-tenth": COSINE | {"end": 0.01},
            "long": {"lr": 0.1, "steps": 4000},
            "periodic": COSINE | {"periodic": True},
        },
        contenders=(
            contender(
                "torch.optim.lr_scheduler.CosineAnnealingLR",
                lambda S, o, *, lr, steps, end=0.0, periodic=False: S.CosineAnnealingLR(o, steps, end),
                plain=RISES,
                to_a_tenth=RISES,
            ),
            contender(
                "keras.optimizers.schedules.CosineDecay",
                lambda S, *, lr, steps, end=0.0: S.CosineDecay(lr, steps, end / lr),
                periodic=STAYS,
            ),
            contender(
                "optax.schedules.cosine_decay_schedule",
                lambda S, *, lr, steps, end=0.0: S.cosine_decay_schedule(lr, steps, end / lr),
                periodic=STAYS,
            ),
        ),
        limits=(
            from_the_last("CosineAnnealingLR", (3, 30), size=MANY),
            *(in_float32("tensorflow", z) for z in ((3e7, 3e8), (3e8, 3e9))),
        ),
        **COMMON,
    ),
    Case(
        name="warm-up-cosine",
        title="Learning rate with linear warm-up and cosine decay",
        reference=schedule.warm_up_cosine,
        options={"plain": WARM | {"cycle": 21}, "to-a-tenth": WARM | {"end": 0.01, "cycle": 21}},
        contenders=(
            contender(
                "torch.optim.lr_scheduler.SequentialLR",
                lambda S, o, *, cycle, **option: torch_warm_up(S, o, **option),
            ),
            contender(
                "keras.optimizers.schedules.CosineDecay",
                lambda S, *, lr, steps, warm, begin, cycle, end=0.0: S.CosineDecay(
                    begin, steps - warm, end / lr, warmup_target=lr, warmup_steps=warm
                ),
            ),
            contender(
                "optax.schedules.warmup_cosine_decay_schedule",
                lambda S, *, lr, steps, warm, begin, cycle, end=0.0: S.warmup_cosine_decay_schedule(
                    begin, lr, warm, steps, end
                ),
            ),
        ),
        limits=tuple(in_float32(backend, z) for backend in BOTH for z in ((2e7, 2e8), (2e8, 2e9))),
        **COMMON,
    ),
    Case(
        name="one-cycle",
        title="Learning rate of one cycle",
        reference=schedule.one_cycle,
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
        limits=(in_float32("jax", (1e8, 1e9), size=("small", *MANY)),),
        **COMMON,
    ),
)
