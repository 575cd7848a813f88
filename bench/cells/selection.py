"""The cells of a run. `cells` enumerates them without importing a framework.

--full is pairwise. Every API meets every option and regime, in float64 and float32 at the first size, and
with the typical ones every size, mode and dtype. With each other option or regime one API of each backend
meets every size, mode and dtype, several of them new in each cell: `_spare`. A size with a forward pass of
`LARGE` flops runs only the typical option in float32, because deriving its limits takes minutes. A size whose
judged passes take `VAST` flops runs only if you name it. A size, dtype or mode that you name is combined with
everything. Headlines run at their own sizes in every run: see `timed`.

--full-inputs has what no page draws (`bench.cells.catalogue`): each kind of input with each option, in modes,
dtypes and APIs by turns, the sizes of `bench.cells.shapes`, and whole numbers at many lengths. A default run
has one of these kinds for each formula, which the seed chooses.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice, product
from typing import Any

from bench import size as sizes
from bench.backends import SHIPPED, TF32, Backend, backend
from bench.case import INTEGERS, Case, Contender
from bench.cells.catalogue import CATALOGUE, listed, ways
from bench.cells.cell import LOW, Cell
from bench.cells.kinds import edges, kinds

SMALL = 1e6  # flops
LARGE = 4e6
VAST = 4e9


@dataclass(frozen=True)
class Selection:
    """What to run. None means the default. A named value lifts the default's restrictions."""

    backends: Sequence[str] = tuple(SHIPPED)
    devices: Sequence[str] = ("cpu",)
    dtypes: Sequence[str] | None = None
    modes: Sequence[str] | None = None
    sizes: Sequence[str] | None = None
    seeds: Sequence[int] = (0,)
    smoke: bool = False
    full: bool = False
    full_inputs: bool = False  # kinds of inputs and sizes that no page lists, and nothing else
    as_shipped: bool = False
    speeds: bool = False  # every API, mode and direction of the headlines is timed, and what a call costs
    growth: bool = False  # the headlines are timed at several sizes

    @property
    def sparing(self) -> bool:
        """Whether options, sizes, modes and dtypes meet in pairs, and not all together."""
        named = self.sizes or self.dtypes or self.modes
        return self.full and not (named or self.full_inputs)


@dataclass(frozen=True)
class Place:
    """One set of inputs for all contenders of a case, or if `alone` for one of each backend.

    `turn` selects that one, and the mode where one mode is enough. If `brief`, the modes are those of a
    default run, and of a minor case the first.
    """

    option: str
    regime: str
    size: str
    dtype: str
    turn: int | None = None
    alone: bool = False
    brief: bool = False


def cells(pages: Sequence[Case], selection: Selection) -> Iterator[Cell]:
    """Every cell of the selection, page by page."""
    classes = {spec: backend(spec) for spec in selection.backends}
    for case in pages:
        placed = [] if selection.growth else _placed(case, classes, selection)
        yield from dict.fromkeys((*placed, *_headlines(case, selection)))


def _placed(case: Case, classes: Mapping[str, type[Backend]], selection: Selection) -> Iterator[Cell]:
    for seed in selection.seeds:
        for place in _strange(case, selection) if selection.full_inputs else _places(case, selection, seed):
            for spec, found in classes.items():
                for contender in _by_turns(found, case, place, selection):
                    directions = ways(case, place.regime, contender.directions or case.directions)
                    for mode, device in _runs(found, contender, case, place, selection):
                        for direction in directions:
                            yield Cell(
                                case.name, place.option, place.regime, place.size, str(contender),
                                spec, mode, device, place.dtype, direction, seed,
                            )  # fmt: skip


def _headlines(case: Case, selection: Selection) -> Iterator[Cell]:
    """The cells at the sizes of headlines: those that are timed, and some of whole numbers."""
    small = selection.smoke or selection.sizes or selection.full_inputs
    small = small or "float32" not in (selection.dtypes or ["float32"])
    for headline in () if small else case.headlines:
        for spec in selection.backends:
            found = backend(spec)
            devices = [each for each in selection.devices if each in found.devices and each in case.devices]
            for number, contender in enumerate(found.contenders(case)):
                option, regime = typical(case, contender, headline.size)
                if {option, headline.size} & {*contender.without}:
                    continue
                modes = [mode for mode in _has(found, contender) if mode not in (*found.layouts, TF32)]
                few = selection.speeds or selection.growth or selection.as_shipped
                whole = headline.bits and not number and not few
                ways = [
                    each
                    for each in contender.directions or case.directions
                    if each in (headline.directions or case.directions)
                ]
                for mode, device, direction in product(modes, devices, ways):
                    usual = sizes.on(case, headline, device, direction)
                    for size in sizes.growth(case, headline) if selection.growth else [usual]:
                        cell = Cell(
                            case.name, option, regime, size, str(contender), spec, mode, device, "float32",
                            direction, selection.seeds[0],
                        )  # fmt: skip
                        if timed(cell, case, selection):
                            yield cell
                        if whole and mode == modes[0] and direction == sizes.main(case, headline):
                            yield replace(cell, regime=INTEGERS)


def unbuilt(pages: Sequence[Case], selection: Selection) -> Iterator[Cell]:
    """One cell for each page and backend that has no build there, which stands where its first would.

    Its contender is the backend's name, and its direction the first that the backend has.
    """
    for case in pages:
        for spec in selection.backends:
            found = backend(spec)
            if not found.contenders(case):
                yield from islice(_empty(case, spec, found, selection), 1)


def _empty(case: Case, spec: str, found: type[Backend], selection: Selection) -> Iterator[Cell]:
    nobody = Contender(found.name, found.name, _nothing)
    direction = next((each for each in case.directions if each not in found.without), case.directions[0])
    for place in _places(case, selection, selection.seeds[0]):
        for mode, device in _runs(found, nobody, case, place, selection):
            yield Cell(
                case.name, place.option, place.regime, place.size, found.name, spec, mode, device,
                place.dtype, direction, selection.seeds[0],
            )  # fmt: skip


def _nothing(*arguments: Any, **option: Any) -> Any:
    raise TypeError("got no build, should be asked for none")


def timed(cell: Cell, case: Case, selection: Selection) -> bool:
    """Whether this cell is timed: in float32, the option of a headline or the typical one.

    A default run times each headline in its main direction, in one API and mode of each framework: what its
    users run fast, without a compiler that takes minutes, and no training in NumPy, whose steps take seconds
    there. A run of speeds only times every API, mode and
    direction of the headlines; and at the first size of every formula what a call costs, in every mode where
    the formula has a headline. --full, and a size that you name, time every API, mode and direction, --full
    at every size. Modes that nobody uses for speed (JAX without jit) are timed only if you name them, or if a
    contender has no other. With several seeds, the first is timed.
    """
    found, headline = backend(cell.backend), sizes.headline(case, cell.size)
    if selection.smoke or cell.seed != selection.seeds[0] or cell.mode in found.layouts:
        return False
    if (case.minor and not headline) or cell.regime == INTEGERS:
        return False
    if cell.dtype != "float32" and selection.dtypes is None:
        return False
    contenders = found.contenders(case)
    contender = next((each for each in contenders if str(each) == cell.contender), None)
    if contender is None:  # nobody has built it
        return False
    slow = cell.mode in found.typical
    slow |= cell.mode in found.heavy and not (headline and selection.speeds and not selection.growth)
    others = contender.modes is None or {*contender.modes} - {*found.typical}
    if selection.modes is None and slow and others:
        return False
    if (cell.option, cell.regime) != typical(case, contender, cell.size):
        return False
    named = selection.modes or selection.sizes
    every = selection.full or named or (selection.speeds and headline)
    if every and not selection.growth:
        return selection.modes is None or cell.mode in selection.modes
    if not selection.speeds and (not headline or (case.training and found.name == "numpy")):
        return False
    direction = sizes.main(case, headline) if headline else case.directions[-1]
    first = next((each for each in contenders if direction in (each.directions or case.directions)), None)
    modes = _has(found, contender)
    if selection.modes:
        modes = [mode for mode in modes if mode in selection.modes]
    elif headline or not case.headlines:
        modes = modes[:1]
    return (contender, cell.direction) == (first, direction) and cell.mode in modes


def typical(case: Case, contender: Contender, size: str = "") -> tuple[str, str]:
    """The first option and regime that this contender supports; at the size of a headline its option."""
    headline = sizes.headline(case, size)
    option = next((each for each in case.options if each not in contender.without), next(iter(case.options)))
    return (headline and headline.option) or option, next(iter(case.regimes))


def settings(case: Case) -> list[tuple[str, str]]:
    """The pairs of options and regimes that --full judges: at least one of the two is the first."""
    return [
        (option, regime)
        for option in case.options
        for regime in case.regimes
        if option == next(iter(case.options)) or regime == next(iter(case.regimes))
    ]


DTYPES = ("float32", "float64")
APART = 31  # turns from an option to the next: those of its kinds do not change when others stop to fit
MODES = 3  # that are light: most of any backend
FURTHER = 3  # modes that a backend has beside its first: most of any
SETTING = 12  # turns from a setting to the next: a multiple of every number of modes
SUM = "cotangents-of-ones"  # the gradient of a plain sum


def _strange(case: Case, selection: Selection) -> Iterator[Place]:
    """What no page lists: every kind of input with every option, and with the first in every dtype.

    With another option than the first, one contender of each backend has it, by turns.
    """
    usual, first, place = next(iter(case.options)), next(iter(case.sizes)), list(CATALOGUE).index
    named, fits = bool(selection.dtypes), edges(case)
    for at, option in enumerate(case.options):
        met = [(place(kind), kind, first) for kind in fits[option].kinds]
        met += [(-n, next(iter(case.regimes)), size) for n, size in enumerate(fits[option].shapes, 1)]
        for count, regime, size in met:
            turn, number = divmod(APART * at + count, len(DTYPES))
            every = option == usual and size == first
            for dtype in selection.dtypes or (DTYPES if every else DTYPES[number:][:1]):
                later = DTYPES.index(dtype) if every and dtype in DTYPES else 0
                yield Place(option, regime, size, dtype, turn + later, option != usual and not named)
    for turn, size in enumerate(case.sizes if SUM in fits[usual].kinds else ()):
        if size not in case.vast and _flops(case, size) < LARGE and not sizes.headline(case, size):
            for dtype in selection.dtypes or ("float16",):  # whose sums end at 65,504
                yield Place(usual, SUM, size, dtype, turn)
    for option in case.integers if "float32" in (selection.dtypes or DTYPES) else ():
        for turn, size in enumerate(fits[option].sweeps):
            yield Place(option, INTEGERS, size, "float32", turn, not named)


def _by_turns(found: type[Backend], case: Case, place: Place, selection: Selection) -> Sequence[Contender]:
    """All contenders of a backend, or of those that have the option and size the one whose turn it is.

    Those of inference alone have turns of their own, because they have no gradient.
    """
    if not place.alone:
        return found.contenders(case)
    at = (place.turn or 0) // (SETTING if selection.sparing else MODES)  # every mode, then the next contender
    able: dict[Any, list[Contender]] = {}
    for each in found.contenders(case):
        if not {place.option, place.size} & {*each.without}:
            able.setdefault(each.directions, []).append(each)
    return [alike[at % len(alike)] for alike in able.values()]


def _places(case: Case, selection: Selection, seed: int) -> Iterator[Place]:
    classes = [backend(spec) for spec in selection.backends]
    usual = {settings(case)[0]} | {
        typical(case, each) for found in classes for each in found.contenders(case)
    }
    first = next(iter(case.sizes))
    for number, size in enumerate(_sizes(case, selection)):
        for turn, setting in enumerate(settings(case), number):
            if not selection.full and {*setting} & {*case.rare}:
                continue
            spare = setting not in usual and not selection.sizes
            if spare and selection.sparing:
                continue
            later = turn if spare and size != first else None
            for dtype in _dtypes(case, size, selection, later):
                yield Place(*setting, size, dtype, later)
        for option in case.integers if size == first and not selection.as_shipped else ():
            # the bits of its numbers are those that float32 holds, and float64 more
            if (selection.full or option not in case.rare) and "float32" in (selection.dtypes or ["float32"]):
                yield Place(option, INTEGERS, size, "float32")
    if selection.sparing:
        yield from _spare(case, [each for each in settings(case) if each not in usual])
    if not (selection.smoke or selection.sizes or selection.as_shipped or selection.speeds):
        for kind in kinds(case, seed):
            for dtype in selection.dtypes or DTYPES[:1]:
                yield Place(next(iter(case.options)), kind, first, dtype, 0)
    for option, regime, size in sizes.corpus(case) if selection.full else ():
        for dtype in _dtypes(case, size, selection, None):
            yield Place(option, regime, size, dtype)


def _spare(case: Case, settings: Sequence[tuple[str, str]]) -> Iterator[Place]:
    """Each setting at the first size, then where it meets every further size, mode and dtype.

    These are few places, with other pairs for each setting, and give the mode: the backend's second, third
    and so on. Few bits meet sizes whose limits are cheap, because those of each accumulator are derived.
    """
    first, *others = _sizes(case, Selection(full=True))
    small = [size for size in others if _flops(case, size) < SMALL]
    larger = [size for size in others if SMALL <= _flops(case, size) < LARGE]
    count = max(len(small), len(LOW), FURTHER - len(larger))
    small, dtypes = (small + [first] * count)[:count], (*LOW, *DTYPES * count)[:count]
    for turn, setting in enumerate(settings):
        yield from (Place(*setting, first, dtype, brief=True) for dtype in DTYPES[::-1])
        met = [(small[(n + turn // count) % count], dtypes[(n + turn) % count]) for n in range(count)]
        met += [(size, DTYPES[(n + turn) % 2]) for n, size in enumerate(larger)]
        for number, (size, dtype) in enumerate(met, 1):
            yield Place(*setting, size, dtype, SETTING * turn + number, True)


def _sizes(case: Case, selection: Selection) -> list[str]:
    if selection.sizes:
        return [size for size in case.sizes if size in selection.sizes]
    if not selection.full:
        return list(case.sizes)[:1]
    within = [size for size in case.sizes if _flops(case, size) < VAST and size not in case.vast]
    return list(dict.fromkeys((next(iter(case.sizes)), *within)))


def _dtypes(case: Case, size: str, selection: Selection, turn: int | None) -> Sequence[str]:
    first = size == next(iter(case.sizes))
    if selection.dtypes:
        return selection.dtypes
    if selection.smoke:
        return list(dict.fromkeys(backend(spec).dtypes[0] for spec in selection.backends))
    if first or selection.sizes or not selection.full:
        return ["float64", "float32", *(LOW if selection.full and first else ())]
    if _flops(case, size) >= LARGE:
        return ["float32"] if turn is None else []
    return ["float64", "float32"] if turn is None else [("float64", "float32")[turn % 2]]


def _runs(
    found: type[Backend], contender: Contender, case: Case, place: Place, selection: Selection
) -> Iterator[tuple[str, str]]:
    """The modes of one contender for one set of inputs, each with the devices on which it runs."""
    for mode in _modes(found, contender, case, place, selection):
        for device in selection.devices:
            if device in found.devices and device in case.devices and (mode != TF32 or device == "gpu"):
                yield mode, device


def _modes(
    found: type[Backend], contender: Contender, case: Case, place: Place, selection: Selection
) -> Sequence[str]:
    """The modes of one contender for one set of inputs, in the backend's order."""
    if place.dtype not in found.dtypes:
        return ()
    if selection.smoke and not selection.dtypes and place.dtype != found.dtypes[0]:
        return ()
    first = place.size == next(iter(case.sizes))
    usual = (place.option, place.regime) == typical(case, contender)
    exact = place.regime == INTEGERS
    lacking = place.option in contender.without or place.size in contender.without
    if lacking and (selection.full_inputs or listed(case, place.regime)):
        return ()  # the page's own inputs say so
    briefly = (case.minor or exact) and not selection.full
    strange = place.turn is not None
    if (selection.smoke or (briefly and not exact and not strange)) and not usual:
        return ()
    modes = _has(found, contender)
    if place.dtype != "float32" or exact or TF32 not in (selection.modes or ()):
        modes = [mode for mode in modes if mode != TF32]  # not of float32's bits: for who names it
    sparing = place.alone and selection.sparing
    if case.training or not (first or sparing):
        modes = [mode for mode in modes if mode not in found.layouts]
    if selection.modes:
        modes = [mode for mode in modes if mode in selection.modes]
        return modes[:1] if lacking else modes
    if lacking or (briefly and not strange):
        return modes[:1]  # one row says it
    light = [mode for mode in modes if mode not in found.heavy]
    if place.turn is not None:
        among = modes if sparing else light or modes[:1]
        return [among[place.turn % len(among)]] if among else ()
    if place.brief:
        many = place.dtype == "float32" and not case.minor
        return [mode for mode in light if mode not in found.typical] if many else modes[:1]
    if selection.full and (place.dtype == "float32" or (usual and first and place.dtype == "float64")):
        last = place.size == _sizes(case, selection)[-1]
        return modes if first or last else light or modes[:1]
    if selection.smoke or place.dtype == "float64" or (selection.full and place.dtype in LOW and not usual):
        return modes[:1]
    return [mode for mode in light if usual or mode not in found.typical]


def _has(found: type[Backend], contender: Contender) -> list[str]:
    """The backend's modes that the contender has."""
    return [mode for mode in found.modes if contender.modes is None or mode in contender.modes]


def _flops(case: Case, size: str) -> float:
    """Flops of a forward pass, or of all judged steps, with the typical option."""
    given = sizes.dims(case, size)
    return given.get("steps", 1) * float(case.flops(**given, **next(iter(case.options.values()))))
