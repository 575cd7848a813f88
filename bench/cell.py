"""A Cell is one coordinate of the suite; `cells` enumerates them without importing a framework."""

import shlex
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from bench.backends import SHIPPED, Backend, backend
from bench.case import INTEGERS, Case, Contender
from bench.size import corpus

LOW = ("bfloat16", "float16")  # judged by --full at a case's first size, or where --dtype names them


@dataclass(frozen=True)
class Cell:
    """A picklable value; ``run(cell)`` needs nothing else. ``str(cell)`` is its pytest id."""

    case: str
    option: str
    regime: str
    size: str
    contender: str
    backend: str
    mode: str
    device: str
    dtype: str
    direction: str
    seed: int = 0

    def __str__(self) -> str:
        shipped = self.backend in SHIPPED
        who = self.contender if shipped else f"{self.backend.rpartition(':')[2]}:{self.contender}"
        where = (self.case, self.option, self.regime, self.size, who, self.mode, self.device)
        seed = (f"seed-{self.seed}",) if self.seed else ()
        return "/".join((*where, self.dtype, self.direction, *seed))

    @property
    def unit(self) -> "Cell":
        """The cell whose one call gives this one's outputs and gradients alike."""
        return replace(self, direction="")

    @property
    def workload(self) -> tuple[Any, ...]:
        """What contenders must share to be compared by speed."""
        return (self.case, self.option, self.regime, self.size, self.device, self.dtype, self.direction)

    @property
    def command(self) -> str:
        """The command that runs this one cell again."""
        choices = {"backend": self.backend, "device": self.device}
        if self.dtype in LOW:
            choices |= {"dtype": self.dtype, "mode": self.mode}
        flags = " ".join(f"--{name} {shlex.quote(value)}" for name, value in choices.items())
        node = shlex.quote(f"suites/test_suites.py::test_agree[{self}]")
        return f"pytest {node} --full {flags} --seed {self.seed}"


@dataclass(frozen=True)
class Selection:
    """What to run. None means the default; a value named by the user lifts the default's restrictions."""

    backends: Sequence[str] = tuple(SHIPPED)
    devices: Sequence[str] = ("cpu",)
    dtypes: Sequence[str] | None = None
    modes: Sequence[str] | None = None
    sizes: Sequence[str] | None = None
    seeds: Sequence[int] = (0,)
    smoke: bool = False
    full: bool = False


def cells(pages: Sequence[Case], selection: Selection) -> Iterator[Cell]:
    """Every cell of the selection, page by page; one size and few modes unless it says otherwise."""
    classes = {spec: backend(spec) for spec in selection.backends}
    for case in pages:
        for seed in selection.seeds:
            for option, regime, size in _settings(case, selection):
                for dtype in _dtypes(classes.values(), case, size, selection):
                    if regime == INTEGERS and dtype != "float32":
                        continue  # the bits of its numbers are those that float32 holds, and float64 more
                    for spec, found in classes.items():
                        if dtype not in found.dtypes:
                            continue
                        if selection.smoke and not selection.dtypes and dtype != found.dtypes[0]:
                            continue
                        for contender in found.contenders(case):
                            typical = _typical(case, contender) == (option, regime)
                            briefly = (case.minor or regime == INTEGERS) and not selection.full
                            if (selection.smoke or (briefly and regime != INTEGERS)) and not typical:
                                continue
                            modes = _modes(found, contender.modes, dtype, typical, selection)
                            if case.training or size != next(iter(case.sizes)):
                                modes = [mode for mode in modes if mode not in found.layouts]
                            if option in contender.without or (briefly and not selection.modes):
                                modes = modes[:1]  # one row says it
                            for mode in modes:
                                for device in selection.devices:
                                    if device not in found.devices:
                                        continue
                                    for direction in contender.directions or case.directions:
                                        yield Cell(
                                            case.name, option, regime, size, str(contender), spec, mode,
                                            device, dtype, direction, seed,
                                        )  # fmt: skip


def timed(cell: Cell, case: Case, selection: Selection) -> bool:
    """Whether a default run times this cell: its contender's typical option, in float32.

    Modes that nobody runs for speed (JAX op by op) are left to --full. Of several seeds the first is timed.
    """
    found = backend(cell.backend)
    if cell.seed != selection.seeds[0] or cell.mode in found.layouts:
        return False
    if selection.smoke or selection.full:
        return selection.full and (cell.dtype not in LOW or selection.dtypes is not None)
    if case.minor or (cell.dtype != "float32" and selection.dtypes is None) or cell.mode in found.typical:
        return False
    contenders = found.contenders(case)
    (contender,) = (each for each in contenders if str(each) == cell.contender)
    return (cell.option, cell.regime) == _typical(case, contender)


def _typical(case: Case, contender: Contender) -> tuple[str, str]:
    """The option and regime that stand for this contender: the first that it can express."""
    option = next((each for each in case.options if each not in contender.without), next(iter(case.options)))
    return option, next(iter(case.regimes))


def settings(case: Case) -> list[tuple[str, str]]:
    """The options and regimes that a run of everything judges together: one of the two is the first."""
    return [
        (option, regime)
        for option in case.options
        for regime in case.regimes
        if option == next(iter(case.options)) or regime == next(iter(case.regimes))
    ]


def _settings(case: Case, selection: Selection) -> Iterator[tuple[str, str, str]]:
    sizes = [size for size in case.sizes if size in (selection.sizes or case.sizes)]
    if not (selection.full or selection.sizes):
        sizes = sizes[:1]
    if selection.full:
        for size in corpus(case):
            yield next(iter(case.options)), next(iter(case.regimes)), size
    together = settings(case)
    for size in sizes:
        for option in case.options:
            for regime in case.regimes:
                wanted = selection.full or not {option, regime} & {*case.rare}
                if wanted and (option, regime) in together:
                    yield option, regime, size
            exact = option in case.integers and (selection.full or option not in case.rare)
            if exact and size == next(iter(case.sizes)):
                yield option, INTEGERS, size


def _dtypes(classes: Iterable[type[Backend]], case: Case, size: str, selection: Selection) -> list[str]:
    low = selection.full and size == next(iter(case.sizes))
    usual = ["float64", "float32", *(LOW if low else ())]
    if selection.smoke:
        usual = list(dict.fromkeys(found.dtypes[0] for found in classes))
    # optimisers keep a master copy of the weights in float32, and no page has one yet
    return [dtype for dtype in selection.dtypes or usual if not (case.training and dtype in LOW)]


def _modes(
    found: type[Backend],
    allowed: Sequence[str] | None,
    dtype: str,
    typical: bool,
    selection: Selection,
) -> list[str]:
    modes = [mode for mode in found.modes if mode in (allowed or found.modes)]
    if selection.modes:
        return [mode for mode in modes if mode in selection.modes]
    if selection.full and dtype not in LOW:
        return modes
    if selection.smoke or dtype == "float64":
        return modes[:1]
    return [mode for mode in modes if mode not in found.heavy and (typical or mode not in found.typical)]
