"""Norms of images by running statistics: reference/batch_options.py against Keras's and torch's layers.

Keras renormalises a batch by statistics that it knows (renorm), with others for inference. torch's instance
norm keeps running statistics if it is told to. ε = 1e-5. See suites/batch_norm.py and suites/group_norm.py.
"""

import numpy as np

from gaugeblock import Case, Contender, Option, Refusal, require
from reference.batch_options import (
    instance_statistics,
    instance_statistics_vjp,
    renormed_batch,
    renormed_batch_vjp,
)
from suites.batch_options import BARE, COMMON, KEPT, images, mask
from suites.layer_norm import named

CLIPPED = {"least": 0.8, "most": 1.25, "bound": 0.3}
RENORMED: dict[str, Option] = {
    "plain": {},
    "clipped": CLIPPED,
    "from-above": {"most": 1.1},
    "paces": {"pace": 0.4, "momentum": 0.01, "eps": 1e-3},
    "bare": BARE,
    "no-scale-clipped": {"scale": False, **CLIPPED},
    "unknown": {"known": False},
    "some": {"masked": True},
    "some-clipped": {"masked": True, **CLIPPED},
}
TRACKED: dict[str, Option] = {
    "plain": {"training": True},
    "momentum": {"training": True, "momentum": 0.3, "eps": 1e-3},
    "bare": {"training": True, **BARE},
    "no-shift": {"training": True, "shift": False},
    "inference": {"training": False},
    "inference-bare": {"training": False, **BARE},
}


def renorm_inputs(
    rng, *, batch, height, width, channels, scale=True, shift=True, known=True, masked=False, **option
):
    weights, x = images(rng, batch, height, width, channels, scale, shift)
    data = {"x": x} | {name: rng.normal(size=channels) for name in ("mean", "known_mean")}
    data |= {name: rng.uniform(0.5, 1.5, size=channels) for name in ("deviation", "known_deviation")}
    if not known:  # at the start of a training whose variances start at zero
        data |= {name: np.zeros(channels) for name in ("known_mean", "known_deviation")}
    return weights, data | ({"seen": mask(rng, x)} if masked else {})


def tracked_inputs(rng, *, batch, height, width, channels, scale=True, shift=True, **option):
    weights, x = images(rng, batch, height, width, channels, scale, shift)
    return weights, {
        "x": x,
        "mean": rng.normal(size=channels),
        "variance": rng.uniform(0.5, 2, size=channels),
    }


def renormed_in_keras(weights, *, momentum=0.1, pace=0.1, eps=1e-5, scale=True, shift=True, **option):
    import keras

    require("keras.layers.BatchNormalization", "renorm")
    names = {"least": "rmin", "most": "rmax", "bound": "dmax"}
    clips = {names[name]: value for name, value in option.items() if name in names}
    how = {"renorm": True, "renorm_momentum": 1 - pace, "renorm_clipping": clips or None}
    how |= {"momentum": 1 - momentum, "epsilon": eps, "center": shift, "scale": scale}
    norm = keras.layers.BatchNormalization(**how)
    states = ("mean", "variance", "deviation", "known_mean", "known_deviation")

    def run(params, x, mean, deviation, known_mean, known_deviation, seen=None):
        if not norm.built:
            norm.build(x.shape)
        state = [mean, deviation, deviation, known_mean, known_deviation]  # it does not read the variance
        given = {} if seen is None else {"mask": seen[..., 0]}
        y, moved = norm.stateless_call(params, state, x, training=True, **given)
        return {"y": y} | dict(zip(states, moved, strict=True))

    return list(weights.values()), run


def in_torch(weights, *, training, momentum=0.1, eps=1e-5, scale=True, shift=True):
    import torch

    alone = {"bias": False} if scale and not shift else {}
    require("torch.nn.InstanceNorm2d", *alone)

    def run(params, x, mean, variance):
        how = {"affine": scale, "track_running_stats": True, **alone}
        norm = torch.nn.InstanceNorm2d(len(mean), eps, momentum, **how).train(training)
        running = {"running_mean": mean.clone(), "running_var": variance.clone()}  # updated in place
        y = torch.func.functional_call(norm, params | running, (x.permute(0, 3, 1, 2),))
        y = y.permute(0, 2, 3, 1)
        moved = {"mean": running["running_mean"], "variance": running["running_var"]}
        return {"y": y} | (moved if training else {})

    return named(weights, "weight"), run


cases = (
    Case(
        name="renormed-batch",
        title="Batch renormalisation",
        reference=renormed_batch,
        gradient=renormed_batch_vjp,
        inputs=renorm_inputs,
        options=RENORMED,
        fixed=(*KEPT, "deviation", "known_mean", "known_deviation"),
        contenders=(Contender("tensorflow", "keras.layers.BatchNormalization", renormed_in_keras),),
        **COMMON,
    ),
    Case(
        name="instance-statistics",
        title="Instance normalisation with running statistics",
        reference=instance_statistics,
        gradient=instance_statistics_vjp,
        inputs=tracked_inputs,
        options=TRACKED,
        fixed=KEPT,
        contenders=(
            Contender(
                "torch",
                "torch.nn.InstanceNorm2d",
                in_torch,
                refuses=[Refusal("inference/*", "select(): index 0 out of range", size="batch:0+*")],
            ),
        ),
        **COMMON,
    ),
)
