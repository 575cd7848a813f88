"""Group and instance normalisation, against each framework's layer and function.

Convention: reference/group_norm.py; all with ε = 1e-5 (the defaults: torch 1e-5, Keras 1e-3, Flax 1e-6).
Images are channels last. torch reads a permuted view, which is its channels-last memory format: the modules
compute in that format, torch.nn.functional.group_norm on a contiguous copy, so that both of torch's kernels
are judged. By default Flax computes the variance as E[x²] − E[x]²; use_fast_variance=False centres first.
"""

from functools import partial

from gaugeblock import Case, Contender, Option, Refusal, require
from reference.group_norm import group_norm, group_norm_vjp
from suites.layer_norm import named

SIZES = {
    "small": {"batch": 2, "height": 5, "width": 3, "channels": 16},
    "thin": {"batch": 5, "height": 1, "width": 33, "channels": 8},
    "many": {"batch": 512, "height": 3, "width": 3, "channels": 16},
    "one-image": {"batch": 1, "height": 14, "width": 14, "channels": 64},
}
OPTIONS: dict[str, Option] = {
    "plain": {"groups": 8},
    "instance": {"groups": None},
    "one-group": {"groups": 1},
    "no-shift": {"groups": 8, "shift": False},
    "bare": {"groups": 8, "scale": False, "shift": False},
    "epsilon": {"groups": 8, "eps": 1e-2},
    "instance-no-shift": {"groups": None, "shift": False},
    "instance-no-scale": {"groups": None, "scale": False},
    "instance-bare": {"groups": None, "scale": False, "shift": False},
    "instance-epsilon": {"groups": None, "eps": 1e-2},
}
REGIMES = {
    "typical": "seeded normal draws",
    "large-mean": "pixels of mean 100: E[x²] − E[x]² cancels thirteen bits, x − μ seven",
}


def inputs(rng, *, channels, scale=True, shift=True, regime="typical", **option):
    x = rng.normal(size=(*(option[name] for name in ("batch", "height", "width")), channels))
    x = {"typical": x, "large-mean": 100 + x}[regime]
    weights = {"gamma": 1 + 0.3 * rng.normal(size=channels), "beta": rng.normal(size=channels)}
    wanted = {"gamma": scale, "beta": shift}
    return {name: array for name, array in weights.items() if wanted[name]}, {"x": x}


def in_torch(weights, *, groups, eps=1e-5, **option):
    import torch

    def run(params, x):
        x = x.permute(0, 3, 1, 2).contiguous()  # (n, c, h, w)
        y = torch.nn.functional.group_norm(x, groups or x.shape[1], *map(params.get, ("weight", "bias")), eps)
        return {"y": y.permute(0, 2, 3, 1)}

    return named(weights, "weight"), run


def in_torch_module(weights, *, groups, eps=1e-5, scale=True, shift=True):
    import torch

    channels = len(weights["gamma"]) if scale else groups  # without weights any number will do
    alone = {"bias": False} if scale and not shift else {}
    require("torch.nn.GroupNorm", *alone)
    norm = torch.nn.GroupNorm(groups or channels, channels, eps, affine=scale, **alone)

    def run(params, x):
        y = torch.func.functional_call(norm, params, (x.permute(0, 3, 1, 2),))  # (n, c, h, w)
        return {"y": y.permute(0, 2, 3, 1)}

    return named(weights, "weight"), run


def in_torch_instance(weights, *, eps=1e-5, scale=True, shift=True, **option):
    import torch

    alone = {"bias": False} if scale and not shift else {}
    require("torch.nn.InstanceNorm2d", *alone)
    # without weights it does not read its number of channels
    norm = torch.nn.InstanceNorm2d(len(weights["gamma"]) if scale else 1, eps, affine=scale, **alone)

    def run(params, x):
        y = torch.func.functional_call(norm, params, (x.permute(0, 3, 1, 2),))
        return {"y": y.permute(0, 2, 3, 1)}

    return named(weights, "weight"), run


def in_keras(weights, *, groups, eps=1e-5, scale=True, shift=True):
    import keras

    norm = keras.layers.GroupNormalization(groups or -1, epsilon=eps, center=shift, scale=scale)
    norm.build((None, None, None, len(weights["gamma"]) if scale else groups))
    params = list(weights.values())  # gamma, beta: the order of norm.trainable_variables
    return params, lambda params, x: {"y": norm.stateless_call(params, [], x)[0]}


def in_flax(weights, *, groups, eps=1e-5, scale=True, shift=True, fast=True):
    import flax.linen

    option = {"epsilon": eps, "use_scale": scale, "use_bias": shift, "use_fast_variance": fast}
    norm = flax.linen.GroupNorm(groups or len(weights["gamma"]), **option)
    return named(weights, "scale"), lambda params, x: {"y": norm.apply({"params": params}, x)}


def in_flax_instance(weights, *, eps=1e-5, scale=True, shift=True, fast=True, **option):
    import flax.linen

    how = {"use_scale": scale, "use_bias": shift, "use_fast_variance": fast}
    norm = flax.linen.InstanceNorm(epsilon=eps, **how)
    return named(weights, "scale"), lambda params, x: {"y": norm.apply({"params": params}, x)}


GROUPS = {
    name: "has no groups: each channel is one" for name, how in OPTIONS.items() if how["groups"] is not None
}
NO_SCALE = {"instance-no-scale": "has a scale if it has a shift"}
GIVEN = {"instance-bare": "is told its number of groups: see bare"}
BOTH = GIVEN | {"instance-no-scale": "is told its number of groups: see no-shift"}
LONE = Refusal("*", "Expected more than 1", size="batch:1+height:1+width:1+channels:1")

case = Case(
    name="group-norm",
    title="Group normalisation",
    reference=group_norm,
    gradient=group_norm_vjp,
    inputs=inputs,
    sizes=SIZES,
    options=OPTIONS,
    regimes=REGIMES,
    minor=True,
    contenders=(
        Contender(
            "torch",
            "torch.nn.functional.group_norm",
            in_torch,
            refuses=[LONE, Refusal("instance-no-scale/*", "tensor does not have a device")],  # a shift alone
        ),
        Contender("torch", "torch.nn.GroupNorm", in_torch_module, NO_SCALE | GIVEN, refuses=[LONE]),
        Contender(
            "torch",
            "torch.nn.InstanceNorm2d",
            in_torch_instance,
            without=GROUPS | NO_SCALE,
            refuses=[LONE],
        ),
        Contender("tensorflow", "keras.layers.GroupNormalization", in_keras, BOTH),
        Contender("jax", "flax.linen.GroupNorm", in_flax, BOTH),
        Contender(
            "jax",
            "flax.linen.GroupNorm",
            partial(in_flax, fast=False),
            BOTH,
            variant="use_fast_variance=False",
        ),
        Contender("jax", "flax.linen.InstanceNorm", in_flax_instance, without=GROUPS),
        Contender(
            "jax",
            "flax.linen.InstanceNorm",
            partial(in_flax_instance, fast=False),
            without=GROUPS,
            variant="use_fast_variance=False",
        ),
    ),
    items=lambda *, batch, **_: batch,
    unit="images",
    flops=lambda *, batch, height, width, channels, **_: 7 * batch * height * width * channels,
)
