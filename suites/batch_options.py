"""Norms of images by some pixels: reference/batch_options.py against Keras's and Flax's layers.

Keras's batch norm takes a mask of pixels, Flax's norms one of anything that broadcasts: what is left out does
not count in mean and variance, and is normalised all the same. ε = 1e-5. See suites/batch_norm.py and
suites/group_norm.py for all pixels.
"""

from functools import partial

from gaugeblock import Case, Contender, Option, Refusal
from reference.batch_options import (
    masked_batch,
    masked_batch_vjp,
    masked_groups,
    masked_groups_vjp,
)
from suites.layer_norm import named

SIZES = {
    "small": {"batch": 3, "height": 5, "width": 3, "channels": 6},
    "thin": {"batch": 2, "height": 1, "width": 17, "channels": 4},
    "large": {"batch": 8, "height": 14, "width": 14, "channels": 64},
}
BARE = {"scale": False, "shift": False}
SOME: dict[str, Option] = {
    "pixels": {},
    "elements": {"each": True},
    "pixels-bare": BARE,
    "elements-no-shift": {"each": True, "shift": False},
    "pixels-momentum": {"momentum": 0.3, "eps": 1e-3},
}
GROUPS: dict[str, Option] = {
    "elements": {"each": True, "groups": 2},
    "pixels": {"groups": 2},
    "elements-one-group": {"each": True, "groups": 1, "eps": 1e-2},
    "elements-bare": {"each": True, "groups": 2, **BARE},
}
INSTANCES: dict[str, Option] = {
    "instance-elements": {"each": True, "groups": None},
    "instance-pixels": {"groups": None},
    "instance-pixels-no-scale": {"groups": None, "scale": False},
}


def images(rng, batch, height, width, channels, scale=True, shift=True):
    weights = {"gamma": 1 + 0.3 * rng.normal(size=channels)} if scale else {}
    weights |= {"beta": rng.normal(size=channels)} if shift else {}
    return weights, rng.normal(size=(batch, height, width, channels)) + 0.5


def mask(rng, x, each=False):
    seen = rng.uniform(size=x.shape if each else (*x.shape[:-1], 1)) < 0.6
    seen[:, 0, :2] = True
    return seen


def inputs(rng, *, batch, height, width, channels, each=False, scale=True, shift=True, **option):
    weights, x = images(rng, batch, height, width, channels, scale, shift)
    data = {"x": x, "mean": rng.normal(size=channels), "variance": rng.uniform(0.5, 2, size=channels)}
    return weights, data | {"seen": mask(rng, x, each)}


def group_inputs(rng, *, batch, height, width, channels, each=False, scale=True, shift=True, **option):
    weights, x = images(rng, batch, height, width, channels, scale, shift)
    return weights, {"x": x, "seen": mask(rng, x, each)}


def in_keras(weights, *, momentum=0.1, eps=1e-5, scale=True, shift=True, **option):
    import keras

    norm = keras.layers.BatchNormalization(momentum=1 - momentum, epsilon=eps, center=shift, scale=scale)

    def run(params, x, mean, variance, seen):
        if not norm.built:
            norm.build(x.shape)
        y, moved = norm.stateless_call(params, [mean, variance], x, training=True, mask=seen[..., 0])
        return {"y": y, "mean": moved[0], "variance": moved[1]}

    return list(weights.values()), run


def in_flax(weights, *, momentum=0.1, eps=1e-5, scale=True, shift=True, fast=True, **option):
    import flax.linen

    how = {"use_scale": scale, "use_bias": shift, "use_fast_variance": fast}
    norm = flax.linen.BatchNorm(use_running_average=False, momentum=1 - momentum, epsilon=eps, **how)

    def run(params, x, mean, variance, seen):
        variables = {"params": params, "batch_stats": {"mean": mean, "var": variance}}
        y, moved = norm.apply(variables, x, mask=seen, mutable=["batch_stats"])
        # with bfloat16 and float16 it keeps the statistics in float32
        running = [moved["batch_stats"][name].astype(x.dtype) for name in ("mean", "var")]
        return {"y": y, "mean": running[0], "variance": running[1]}

    return named(weights, "scale"), run


def groups_in_flax(weights, *, groups, eps=1e-5, scale=True, shift=True, fast=True, **option):
    import flax.linen

    how = {"epsilon": eps, "use_scale": scale, "use_bias": shift, "use_fast_variance": fast}
    norm = flax.linen.GroupNorm(groups, **how) if groups else flax.linen.InstanceNorm(**how)

    def run(params, x, seen):
        return {"y": norm.apply({"params": params}, x, mask=seen)}

    return named(weights, "scale"), run


NO_ELEMENTS = {name: "takes a mask of pixels" for name, how in SOME.items() if "each" in how}
KEPT = ("mean", "variance")
COMMON = {
    "sizes": SIZES,
    "minor": True,
    "items": lambda *, batch, **_: batch,
    "unit": "images",
    "flops": lambda *, batch, height, width, channels, **_: 8 * batch * height * width * channels,
}


def both(api, build, without=None, refuses=()):
    """Flax's layer as it is, and with a variance of two passes."""
    slow, variant = partial(build, fast=False), "use_fast_variance=False"
    return (
        Contender("jax", api, build, without or {}, refuses=refuses),
        Contender("jax", api, slow, without or {}, refuses=refuses, variant=variant),
    )


cases = (
    Case(
        name="masked-batch",
        title="Batch normalisation by some pixels",
        reference=masked_batch,
        gradient=masked_batch_vjp,
        inputs=inputs,
        options=SOME,
        fixed=KEPT,
        contenders=(
            Contender("tensorflow", "keras.layers.BatchNormalization", in_keras, NO_ELEMENTS),
            *both("flax.linen.BatchNorm", in_flax),
        ),
        **COMMON,
    ),
    Case(
        name="masked-groups",
        title="Group normalisation by some pixels",
        reference=masked_groups,
        gradient=masked_groups_vjp,
        inputs=group_inputs,
        options=GROUPS | INSTANCES,
        contenders=(
            *both(
                "flax.linen.GroupNorm",
                groups_in_flax,
                dict.fromkeys(INSTANCES, "is told its number of groups"),
                refuses=[Refusal("pixels/*", "cannot reshape")],
            ),
            *both(
                "flax.linen.InstanceNorm",
                groups_in_flax,
                dict.fromkeys(GROUPS, "has no groups: each channel is one"),
            ),
        ),
        **COMMON,
    ),
)
