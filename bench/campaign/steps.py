"""What a campaign runs, in the order of its worth, and which part of its time each stage may take."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bench import pages
from bench.backends import SHIPPED, TF32, Absent, backend
from bench.cells.selection import Selection, cells, timed

DEVICES = ("cpu", "gpu")
DTYPE = ("--dtype", "float32")
# hundreds of tiny programs, each compiled in a second
OP_BY_OP = "(eager and (jax or flax or optax))"
SMALL = (
    "perceptron", "conv2d", "attention", "layer-norm", "softmax", "adam", "transformer-encoder-layer",
    "host-to-device", "device-to-host",
)  # fmt: skip
# by case, a size that keeps a GPU busy; those whose limits take longest come first. No LSTM: torch's weights
# are not one buffer yet, and cuDNN would copy them in every call
LARGE = {
    "attention": "gpt2", "multi-head-attention": "gpt2", "softmax": "large", "linear-regression": "layer",
    "layer-norm": "gpt2", "conv2d": "large", "perceptron": "mnist", "gelu": "large", "cross-entropy": "large",
    "cnn": "mission", "adam": "odd",
}  # fmt: skip
JOULES = ("linear-regression", "perceptron")
FIRST = ("softmax", "linear-regression")  # cases that the preflight runs
PREFLIGHT = 0.25  # of the time, at most


@dataclass(frozen=True)
class Step:
    """A run in a folder of its name: options of `gaugeblock run`, or of `gaugeblock derive`."""

    name: str
    options: tuple[str, ...]
    command: str = "run"


@dataclass(frozen=True)
class Stage:
    """Lanes of steps that run side by side where there are cores for it, within a share of the time.

    What `beside` names is ended with the last of the others.
    """

    name: str
    share: float
    lanes: tuple[tuple[Step, ...], ...] = ()
    beside: tuple[Step, ...] = ()
    probes: bool = False  # after its lanes, of which it has none then


def stages(backends: Sequence[str], device: str, only: str = "") -> list[Stage]:
    """The stages of a campaign with these backends. `only` is an expression of -k that every cell meets."""
    selection = Selection(backends=tuple(backends), devices=(device,), dtypes=("float32",))
    typical = _places(selection)
    large = [place for place in _places(selection, LARGE) if place]
    named = _words("--size", dict.fromkeys(LARGE.values()))
    verdict, speed = f"test_agree and not {OP_BY_OP}", "test_speed"

    def step(name: str, *options: str, places: Sequence[str] | None = None, tests: str) -> Step:
        terms = [tests, *([f"({only})"] if only else [])]
        # as ids begin: "softmax/" stands in "log-softmax/" too
        terms += (
            [f"({' or '.join(f'[{each}/' for each in places) or 'nothing'})"] if places is not None else []
        )
        return Step(name, (*options, "-k", " and ".join(terms)))

    joules = [place for place in large if place.partition("/")[0] in JOULES]
    return [
        Stage(
            "verdicts",
            0.45,
            (
                (step("float64", "--smoke", tests="test_agree"),),
                (step("float32", *DTYPE, tests=verdict),),
                (
                    step("tf32", *DTYPE, "--mode", TF32, places=typical, tests="test_agree"),
                    step("bfloat16", "--dtype", "bfloat16", places=typical, tests=verdict),
                ),
            ),
            beside=(Step("large-limits", (*DTYPE, *named, *_words("--place", large), *LARGE), "derive"),),
        ),
        Stage("probes", 0.15, probes=True),
        Stage(
            "large",
            0.25,
            ((step("large", *DTYPE, *named, "--benchmark-only", places=large, tests=speed),),),
        ),
        Stage(
            "small",
            0.15,
            ((step("small", *DTYPE, "--benchmark-only", places=_of(typical, SMALL), tests=speed),),),
        ),
        Stage(
            "energy",
            0.1,
            ((step("energy", *DTYPE, *named, "--energy", places=joules, tests=speed),),),
        ),
    ]


def able(names: Sequence[str], device: str) -> list[str]:
    """These backends; without a name those that are installed and have that device.

    Raises ValueError where there is no such backend or device, or none is installed.
    """
    if device not in DEVICES:
        raise ValueError(f"--device: got {device!r}, should be one of {', '.join(DEVICES)}")
    found = []
    for name in names or SHIPPED:
        try:
            backend(name).installed()
        except Absent as reason:
            if names:
                raise ValueError(f"--backend {name}: {reason}") from None
            continue
        if names or (device in backend(name).devices and name != "numpy"):
            found.append(name)
    if not found:
        raise ValueError(
            f"campaign: got no framework that is installed, should be one of {', '.join(SHIPPED)}"
        )
    return found


def preflight(only: str = "") -> Step:
    """A dozen cells with their speeds, which a machine that works does in a minute."""
    places = only or " or ".join(f"[{case}/plain/typical/small/" for case in FIRST)
    return Step("preflight", (*DTYPE, "-k", f"({places}) and not {OP_BY_OP}"))


def _places(selection: Selection, large: dict[str, str] | None = None) -> list[str]:
    """Where float32 is timed, as -k names it: the first sizes, or those of `large`."""
    sizes = tuple(dict.fromkeys(large.values())) if large else None
    chosen = Selection(**{**selection.__dict__, "sizes": sizes})
    found = [
        cell
        for cell in cells(list(pages.cases().values()), chosen)
        if timed(cell, pages.case(cell.case), chosen) and (not large or large.get(cell.case) == cell.size)
    ]
    return list(dict.fromkeys(cell.place for cell in found))


def _words(option: str, values: Iterable[str]) -> tuple[str, ...]:
    return tuple(word for value in values for word in (option, value))


def _of(places: Sequence[str], names: Sequence[str]) -> list[str]:
    return [place for place in places if place.partition("/")[0] in names]
