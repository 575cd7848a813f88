"""Triplet loss: reference/triplet.py against torch's and optax's. Keras has none.

torch adds ε to every difference, optax to the sum inside the root (`inside`). optax raises differences to the
power without taking absolute values, so that only even degrees are norms. Only torch swaps anchor and
positive, and has a reduction; optax's users take the mean.
"""

from gaugeblock import Case
from reference.triplet import triplet, triplet_vjp
from suites.mean_squared_error import contender

SIZES = {
    "small": {"batch": 13, "width": 7},
    "one": {"batch": 1, "width": 3},
    "narrow": {"batch": 31, "width": 2},
    "large": {"batch": 1024, "width": 512},
}
REGIMES = {
    "typical": "the three drawn apart: about half lie within the margin",
    "close": "positives within a few per cent of their anchors: small differences, in which epsilon shows",
    "far-off": "all around 100: the differences cancel, after a rounding of none",
}


def inputs(rng, *, batch, width, regime="typical", **option):
    a, p, n = rng.normal(size=(3, batch, width))
    if regime == "close":
        p = a + 0.01 * p
        n = a + 0.1 * n
    return {}, {name: x + 100 * (regime == "far-off") for name, x in {"a": a, "p": p, "n": n}.items()}


def in_torch(torch, *, margin=1.0, degree=2, eps=1e-6, swap=False, reduction="mean"):
    call = torch.nn.functional.triplet_margin_loss
    return lambda a, p, n: call(a, p, n, margin=margin, p=degree, eps=eps, swap=swap, reduction=reduction)


def in_optax(optax, *, margin=1.0, degree=2, eps=1e-6, inside=True, reduction="mean"):
    def loss(a, p, n):
        l = optax.losses.triplet_margin_loss(a, p, n, norm_degree=degree, margin=margin, eps=eps)
        return l if reduction == "none" else getattr(l, reduction)()

    return loss


def absent(reason, *options):
    return dict.fromkeys(options, reason)


INSIDE = {"inside": True}
TORCH_ONLY = ("plain", "sum", "each", "margin", "wide-epsilon", "taxicab", "cubic", "swap")
case = Case(
    name="triplet",
    title="Triplet margin loss",
    reference=triplet,
    gradient=triplet_vjp,
    inputs=inputs,
    sizes=SIZES,
    options={
        "plain": {},
        "inside": INSIDE,
        "sum": {"reduction": "sum"},
        "each": {"reduction": "none"},
        "margin": {"margin": 0.2},
        "wide-epsilon": {"eps": 0.01},
        "taxicab": {"degree": 1},
        "cubic": {"degree": 3},
        "swap": {"swap": True},
        "inside-each": INSIDE | {"reduction": "none"},
        "inside-margin": INSIDE | {"margin": 0.2},
        "inside-wide-epsilon": INSIDE | {"eps": 0.01},
        "inside-fourth": INSIDE | {"degree": 4},
        "inside-cubic": INSIDE | {"degree": 3},
    },
    regimes=REGIMES,
    contenders=(
        contender(
            "torch.nn.functional.triplet_margin_loss",
            in_torch,
            absent(
                "adds epsilon to every difference",
                *("inside", "inside-each", "inside-margin", "inside-wide-epsilon", "inside-fourth"),
                "inside-cubic",
            ),
        ),
        contender(
            "optax.losses.triplet_margin_loss",
            in_optax,
            absent("adds epsilon below the root", *TORCH_ONLY),
        ),
    ),
    minor=True,
    items=lambda *, batch, **_: batch,
    unit="triplets",
    flops=lambda *, batch, width, inside=False, **_: (6 if inside else 8) * batch * width,
)
