"""A learning rate that drops at milestones; the other schedules' pages use its builds.

The rates themselves are judged, at several numbers of steps. torch's schedulers compute a rate in Python
floats, most of them from the previous rate; Keras and optax compute it from the step, in the dtype of their
tensors. This page casts it to the dtype of the weights, as their optimisers do. Keras drops the rate a step
later than the others (`late`).
"""

import numpy as np

from gaugeblock import Case, Contender
from reference.schedule import step_decay

SIZES = {
    "small": {"count": 24},
    "one": {"count": 1},
    "epochs": {"count": 300},
    "steps": {"count": 3000},
}


def inputs(rng, *, count, cycle=None, **option):
    """Numbers of steps; for a cycle not beyond its end, where it is undefined."""
    return {}, {"t": np.arange(float(rates(count, cycle)))}


def rates(count, cycle=None, **_):
    return min(count, cycle or count)


def in_torch(prepare):
    def build(weights, *, lr, **option):
        import torch

        read = "momentum" if "momentum" in option else "lr"

        def run(params, t):
            optimizer = torch.optim.SGD([torch.zeros(1)], lr=lr, momentum=0.9)
            scheduler = prepare(torch.optim.lr_scheduler, optimizer, lr=lr, **option)
            rates = []
            for _ in range(int(t.max()) + 1 if len(t) else 0):  # a scheduler counts its steps from zero
                rates.append(optimizer.param_groups[0][read])
                optimizer.step()
                scheduler.step()
            return {"y": torch.tensor(rates, dtype=t.dtype)[t.long()]}

        return {}, run

    return build


def in_keras(prepare):
    def build(weights, **option):
        import keras
        import tensorflow as tf

        rate = prepare(keras.optimizers.schedules, **option)

        def run(params, t):
            steps = tf.cast(t, tf.int64)  # as optimisers count steps
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
    """A contender; `prepare(module, …, **option)` makes the schedule, or torch's scheduler."""
    name = api.partition(".")[0]
    build = {"torch": in_torch, "keras": in_keras, "optax": in_optax}[name](prepare)
    modes = {"torch": ("eager",), "keras": ("function",), "optax": None}[name]
    backend = {"keras": "tensorflow", "optax": "jax"}.get(name, name)
    reasons = {option.replace("_", "-"): reason for option, reason in without.items()}
    return Contender(backend, api, build, reasons, modes)


def keras_piecewise(S, *, lr, gamma, milestones, late):
    values = [lr * gamma**k for k in range(len(milestones) + 1)]
    return S.PiecewiseConstantDecay(list(milestones), values)


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
AT_ONCE, LATE = "cuts the rate at the milestone", "cuts the rate after the milestone"

case = Case(
    name="step-decay",
    title="Learning rate cut at milestones",
    reference=step_decay,
    options={"plain": STEP, "late": STEP | {"late": True}, "gentle": STEP | {"gamma": 0.7}},
    rare=("gentle",),
    contenders=(
        contender(
            "torch.optim.lr_scheduler.MultiStepLR",
            lambda S, o, *, lr, gamma, milestones: S.MultiStepLR(o, milestones, gamma),
            late=AT_ONCE,
        ),
        contender(
            "keras.optimizers.schedules.PiecewiseConstantDecay", keras_piecewise, plain=LATE, gentle=LATE
        ),
        contender(
            "optax.schedules.piecewise_constant_schedule",
            lambda S, *, lr, gamma, milestones: S.piecewise_constant_schedule(
                lr, dict.fromkeys(milestones, gamma)
            ),
            late=AT_ONCE,
        ),
    ),
    **COMMON,
)
