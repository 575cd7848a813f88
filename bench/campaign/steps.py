"""The stages of a campaign, most valuable first, and the share of the time that each one may take."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from bench import pages
from bench.backends import SHIPPED, TF32, Absent, backend
from bench.cells.selection import Selection, cells, timed
from bench.size import headline

DEVICES = ("cpu", "gpu")
DTYPE = ("--dtype", "float32")
# op by op, JAX compiles hundreds of tiny programs, each in a second
OP_BY_OP = "(eager and (jax or flax or optax))"
SMALL = (
    "perceptron", "conv2d", "attention", "layer-norm", "softmax", "adam", "transformer-encoder-layer",
    "host-to-device", "device-to-host",
)  # fmt: skip
JOULES = ("linear-regression", "perceptron")
FIRST = ("softmax", "linear-regression")  # cases that the preflight runs
PREFLIGHT = 0.25  # the largest share of the time


@dataclass(frozen=True)
class Step:
    """A run in a folder with its name, with options of `gaugeblock run` or `gaugeblock derive`."""

    name: str
    options: tuple[str, ...]
    command: str = "run"


@dataclass(frozen=True)
class Stage:
    """Lanes of steps that run in parallel if there are enough cores, within a share of the time.

    The steps in `beside` are stopped when the last lane ends.
    """

    name: str
    share: float
    lanes: tuple[tuple[Step, ...], ...] = ()
    beside: tuple[Step, ...] = ()
    probes: bool = False  # run the probes; such a stage has no lanes


def stages(backends: Sequence[str], device: str, only: str = "") -> list[Stage]:
    """The stages of a campaign with these backends. `only` is a -k expression that selects the cells."""
    selection = Selection(backends=tuple(backends), devices=(device,), dtypes=("float32",), speeds=True)
    typical, large = _places(selection, headlines=False), _places(replace(selection, speeds=False))
    first = ("--size", "small")  # of a size that is named, every API and direction is timed
    verdict, speed = f"test_agree and not {OP_BY_OP}", "test_speed"
    small = f"{verdict} and not ({_any(large)})"  # a headline is judged when it is timed

    def step(name: str, *options: str, places: Sequence[str] | None = None, tests: str) -> Step:
        terms = [tests, *([f"({only})"] if only else [])]
        # "[" marks the start of an id: "softmax/" alone would also match "log-softmax/"
        terms += [f"({_any(places)})"] if places is not None else []
        return Step(name, (*options, "-k", " and ".join(terms)))

    joules = [place for place in large if place.partition("/")[0] in JOULES]
    return [
        Stage(
            "verdicts",
            0.45,
            (
                (step("float64", "--smoke", tests="test_agree"),),
                (step("float32", *DTYPE, tests=small),),
                (
                    step("tf32", *DTYPE, "--mode", TF32, places=typical, tests="test_agree"),
                    step("bfloat16", "--dtype", "bfloat16", places=typical, tests=verdict),
                ),
            ),
            beside=(Step("large-limits", (*DTYPE, *_words("--place", large)), "derive"),),
        ),
        Stage("probes", 0.15, probes=True),
        Stage(
            "large",
            0.25,
            ((step("large", *DTYPE, places=large, tests=speed),),),
        ),
        Stage(
            "small",
            0.15,
            ((step("small", *DTYPE, *first, "--benchmark-only", places=_of(typical, SMALL), tests=speed),),),
        ),
        Stage(
            "energy",
            0.1,
            ((step("energy", *DTYPE, "--energy", places=joules, tests=speed),),),
        ),
    ]


def able(names: Sequence[str], device: str) -> list[str]:
    """These backends, or by default all that are installed and have that device.

    Raises ValueError for an unknown backend or device, or if none is installed.
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
            f"campaign: got no installed framework, should be one of {', '.join(SHIPPED)}; install one"
        )
    return found


def preflight(only: str = "", again: bool = False) -> Step:
    """A dozen cells with their speeds; a working machine needs a minute for them."""
    places = only or " or ".join(f"[{case}/plain/typical/small/" for case in FIRST)
    every = ("--size", "small")  # of a size that is named, every API and direction is timed
    chosen = (*DTYPE, *every, "-k", f"({places}) and not {OP_BY_OP}")
    return Step("preflight-again" if again else "preflight", chosen)


def _places(selection: Selection, headlines: bool = True) -> list[str]:
    """The places of the cells that are timed: at the sizes of headlines, or at those of no headline."""
    found = (
        cell
        for cell in cells(list(pages.cases().values()), selection)
        if timed(cell, case := pages.case(cell.case), selection)
        and (headline(case, cell.size) is not None) == headlines
    )
    return list(dict.fromkeys(cell.place for cell in found))


def _any(places: Sequence[str]) -> str:
    """An expression of -k for the cells at these places."""
    return " or ".join(f"[{each}/" for each in places) or "nothing"


def _words(option: str, values: Iterable[str]) -> tuple[str, ...]:
    return tuple(word for value in values for word in (option, value))


def _of(places: Sequence[str], names: Sequence[str]) -> list[str]:
    return [place for place in places if place.partition("/")[0] in names]
