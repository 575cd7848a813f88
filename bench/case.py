"""The classes of a page: a Case, its Contenders, what a training build returns, and its Limits."""

import inspect
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bench.tree import Tree

Option = Mapping[str, Any]

# the regime of a case's `integers`: whole numbers, whose sums are exact in any order
INTEGERS = "integers"

# the usual code; code that is set or compiled for speed; a call into a vendor's library
TIERS = ("idiomatic", "tuned", "vendor kernel")

# what some keywords hold: of a Case, and of a Contender
Kinds = Mapping[str, tuple[Any, str]]
TUPLE = "a tuple of names; a tuple of one ends with a comma"
KINDS: Kinds = {
    "name": (str, "a word"),
    "inputs": (Callable, "a function"),
    "contenders": (list | tuple, "a tuple of Contenders; one of one ends with a comma"),
    "sizes": (Mapping, "a dict of dimensions by the names of sizes"),
    "items": (Callable, "a function"),
    "flops": (Callable, "a function"),
    "reference": (Callable | None, "a function"),
    "gradient": (Callable | None, "a function"),
    "step": (Callable | None, "a function"),
    "start": (Callable | None, "a function"),
    "options": (Mapping, "a dict of keywords by the names of options"),
    "regimes": (Mapping, "a dict of reasons by the names of regimes"),
    "fixed": (list | tuple, TUPLE),
    "limits": (list | tuple, "a tuple of Limits; one of one ends with a comma"),
    "headlines": (list | tuple, "a tuple of Headlines; one of one ends with a comma"),
    "devices": (list | tuple, TUPLE),
}
BUILT: Kinds = {
    "backend": (str, "the name of a backend"),
    "api": (str, "the name of a public API"),
    "build": (Callable, "a function"),
    "without": (Mapping, "a dict of reasons by the names of options and sizes"),
    "modes": (list | tuple | None, TUPLE),
    "directions": (list | tuple | None, TUPLE),
}

# what a word in the id of a cell is made of: pytest's -k and the names of files take it
WORD = re.compile(r"[\w-]+")
DEVICES = ("cpu", "gpu")

# the coordinates of a cell that a Limit may name
FIELDS = ("backend", "case", "option", "regime", "size", "contender", "mode", "device", "dtype", "direction")


def known(function: Callable[..., Any], option: Option) -> dict[str, Any]:
    """The keywords of the option that `function` accepts; the others concern inputs or builds."""
    names = inspect.signature(function).parameters
    return {name: value for name, value in option.items() if name in names}


def _kinds(where: str, held: Any, kinds: Kinds) -> None:
    """Raise ValueError where a keyword of `held` has a value of another kind."""
    for name, (kind, should) in kinds.items():
        if not isinstance(value := getattr(held, name), kind):
            raise ValueError(f"{where}: {name} is of type {type(value).__name__}, should be {should}")


def misfit(function: Callable[..., Any], *first: Any, **given: Any) -> str:
    """What is wrong with a call of these arguments, in Python's words; empty where nothing is."""
    try:
        takes = inspect.signature(function)
    except TypeError as error:
        return str(error)
    except ValueError:  # of a function that is not Python's
        return ""
    return _unbound(takes, *first, **given)


def _unbound(takes: inspect.Signature, *first: Any, **given: Any) -> str:
    try:
        takes.bind(*first, **given)
    except TypeError as error:
        return str(error)
    return ""


@dataclass(frozen=True)
class Refusal:
    """Cells for which a framework is known to raise an error.

    `cells` is a glob over "option/mode/device/dtype/direction", and `words` is part of the error's text.
    `when` is the setting under which the backend refuses (``{"onednn": False}``, see `Backend.flags`); if
    empty, it always does. `regime` and `size` are globs over the kinds of inputs and the names of sizes
    that it refuses ("batch:0+*": without examples).
    """

    cells: str
    words: str
    when: Mapping[str, bool] = field(default_factory=dict)
    regime: str = "*"
    size: str = "*"


@dataclass(frozen=True)
class Contender:
    """A build, and the public API that it tests.

    `build(weights, **option)` imports its framework inside and returns ``(params, run)``. `params` is a tree
    of NumPy arrays with the framework's own names and layouts: rearranged `weights` and zeros, with no
    arithmetic.
    ``run(params, **data) -> {name: array}`` is pure. A training build is `build(weights, state, **option)`
    and returns a `Training`.

    variant: distinguishes two ways of calling one API (a keyword, a path). ``str`` is the name in rows.
    without: the options and sizes that this API cannot express, each with the reason. What it gets wrong is
        run, and is a Limit.
    modes, directions: the modes and directions that the API has, if not all (an inference path has no
        gradient).
    refuses: the cells for which the framework raises. They run all the same, and are absent with the
        framework's own words. A cell that does not raise any more is judged, and its row says that the
        refusal is gone.
    fewer: the API computes in fewer operations than the formula has (Winograd, Strassen), so it may be faster
        than the roofline.
    tier: how far it is from what most people write, one of TIERS.
    """

    backend: str
    api: str
    build: Callable[..., Any]
    without: Mapping[str, str] = field(default_factory=dict)
    modes: Sequence[str] | None = None  # None: every mode of the backend
    directions: Sequence[str] | None = None  # None: every direction of the case
    variant: str = ""
    refuses: Sequence[Refusal] = ()
    fewer: bool = False
    tier: str = TIERS[0]

    def __post_init__(self) -> None:
        if self.tier not in TIERS:
            raise ValueError(f"contender {self}: tier is {self.tier!r}, should be one of {', '.join(TIERS)}")

    def __str__(self) -> str:
        return f"{self.api}:{self.variant}" if self.variant else self.api


@dataclass(frozen=True)
class Training:
    """What a training build returns.

    `params` and `state` are trees of NumPy arrays with the framework's own names and layouts. `step` is the
    body of the training loop as users of the framework write it. If it is pure (JAX), it is
    ``step(params, state, **batch) -> (params, state, loss)`` and `live` is None. If model and optimizer are
    objects (torch, Keras), it is ``step(**batch) -> loss``, and `live` is ``(model, optimizer)``, which the
    backend fills from `params` and `state`. `predict(x)` (if pure, ``predict(params, x)``) is the forward
    pass of the trained model, for cases with a score.
    """

    params: Tree
    state: Tree
    step: Callable[..., Any]
    live: tuple[Any, Any] | None = None
    predict: Callable[..., Any] | None = None


@dataclass(frozen=True)
class Seen:
    """What `gaugeblock limits --measure` found of a Limit: the rms ratios of similar cells, in one release.

    `cells` has the coordinates that they share (case, option, regime, size, dtype and direction). `z` is the
    smallest and the largest of their rms ratios.
    """

    release: str
    cells: Mapping[str, str]
    z: tuple[float, float]


@dataclass(frozen=True)
class Limit:
    """A known departure of a framework from the formula, with its cause.

    Pages have theirs in suites/limits/<page>.py.

    package: the distribution at fault (optax, not jax).
    reason: the cause, in one sentence.
    source: a file and line of its installed release, or an upstream issue.
    cells: the cells that the cause affects: a mapping of cell fields to one or several values, with `backend`
        among them, or several such mappings. Without `dtype` it means float64 and float32.
    always: False if some inputs do not show the departure.
    since: the first release known to depart.
    varies: two calls on the same inputs differ; nothing is said of how far.
    name: the key under which the page lists it.
    seen: how far the cells were off in each release: measured data, never typed.
    """

    package: str
    reason: str
    source: str
    cells: Mapping[str, Any] | Sequence[Mapping[str, Any]]
    always: bool = True
    since: str = ""
    varies: bool = False
    name: str = ""
    seen: Sequence[Seen] = ()

    def __post_init__(self) -> None:
        if self.varies and self.always:
            raise ValueError(f"{self}: varies and always, should not be both: two calls may chance to agree")
        for cells in self.reach:
            for name in cells:
                if name not in FIELDS:
                    raise ValueError(f"{self}: cells name {name!r}, should be one of {', '.join(FIELDS)}")
            if "backend" not in cells:
                raise ValueError(f"{self}: cells name no backend, should be one or several")

    def __str__(self) -> str:
        return f"Limit {self.name or self.reason[:40]!r} of {self.package}"

    @property
    def reach(self) -> Sequence[Mapping[str, Any]]:
        """The mappings of `cells`, as a sequence."""
        return [self.cells] if isinstance(self.cells, Mapping) else list(self.cells)

    @property
    def releases(self) -> list[str]:
        """The releases in which it was measured, in the order of the data."""
        return list(dict.fromkeys(each.release for each in self.seen))


@dataclass(frozen=True)
class Headline:
    """A workload that people run, at its size: what a run times, and what a report shows first.

    size: the name of its size on the page.
    title: the workload in words, with its numbers.
    why: where the numbers come from.
    option: the name of its option; if empty, the first that a contender has.
    direction: the direction that a default run times; if empty, the last that the case has.
    directions: those that are timed at all; if empty, all that the case has.
    growth: the dimensions that differ at the further sizes of its curve of time over size, from the smallest.
    gpu: the dimensions that differ at its larger size for a GPU.
    bits: of the whole numbers on which it is judged without a tolerance too; 0 if its formula is not exact.
    """

    size: str
    title: str
    why: str
    option: str = ""
    direction: str = ""
    directions: Sequence[str] = ()
    growth: Sequence[Mapping[str, Any]] = ()
    gpu: Mapping[str, Any] = field(default_factory=dict)
    bits: int = 0


@dataclass(frozen=True)
class Case:
    """One formula with everything that it takes to run it.

    A formula has `reference` and `gradient`:
        ``reference(**data, **weights, **option)`` returns an array, which is named ``y``, or a dict of
        arrays.
        ``gradient(cotangent, **data, **weights, **option)`` returns the gradients by input name. The
        cotangent is a dict if the reference returns one. `gradient` is None if nothing has a gradient (a
        schedule).
    A training case has `step` and `start` instead, and its data have a leading axis of steps:
        ``step(weights, state, **batch, **option) -> (weights, state, loss)``
        ``start(weights, **option) -> state``
    These functions get the option keywords that they accept; `inputs` and builds get all.

    inputs: ``inputs(rng, **size, **option[, regime])`` returns ``(weights, data)`` in float64.
    sizes: dimensions by name. The first size, option and regime are the typical ones.
    contenders: the APIs that are tested.
    items, unit: ``items(**size, **option)`` is the number of items per call; `unit` is what they are.
    flops: ``flops(**size, **option)``: floating-point operations of a forward pass, or of a training step.
    options: keywords by name. `rare` lists the options and regimes that only --full runs.
    regimes: kinds of inputs by name, each with its reason.
    variants: the options that are conventions of one name: by topic ("epsilon of Adam"), then by convention.
        Topics may span cases.
    minor: only the typical option is judged, in one mode per contender, and not timed, except under --full.
    random: each call draws random numbers, so two calls may give different bits.
    integers: the options whose formula is exact on whole numbers, each with the bits of the data (of the
        weights if no data are floating). They are judged without a tolerance.
    fixed: floating data that nobody differentiates (targets), and outputs of that kind (running statistics).
    looked_up: weights of which a call reads only some rows.
    headlines: the workloads that people run.
    vast: sizes whose limits take too much memory or time for --full; they run if you name them.
    devices: the devices on which the case is meaningful.
    on_host: data stay in host memory, because moving them to the device is the formula.
    curve: ``{"size": name, "steps": n}``: also run a free training, whose loss is drawn and not judged.
    score: ``score(predict) -> (metric, value)``: how good the trained model is.
    predict: ``predict(weights, x, **option)``: the reference's forward pass for the score.
    """

    name: str
    title: str
    inputs: Callable[..., tuple[Tree, Tree]]
    sizes: Mapping[str, Mapping[str, Any]]
    contenders: Sequence[Contender]
    items: Callable[..., float]
    unit: str
    flops: Callable[..., float]
    reference: Callable[..., Any] | None = None
    gradient: Callable[..., Any] | None = None
    step: Callable[..., Any] | None = None
    start: Callable[..., Any] | None = None
    options: Mapping[str, Option] = field(default_factory=lambda: {"plain": {}})
    regimes: Mapping[str, str] = field(default_factory=lambda: {"typical": "seeded normal draws"})
    rare: Sequence[str] = ()
    variants: Mapping[str, Mapping[str, Sequence[str]]] = field(default_factory=dict)
    minor: bool = False
    random: bool = False
    integers: Mapping[str, int] = field(default_factory=dict)
    fixed: Sequence[str] = ()
    looked_up: Sequence[str] = ()
    headlines: Sequence[Headline] = ()
    vast: Sequence[str] = ()
    limits: Sequence[Limit] = ()
    devices: Sequence[str] = ("cpu", "gpu")
    on_host: bool = False
    curve: Mapping[str, Any] | None = None
    score: Callable[[Callable[..., Any]], tuple[str, float]] | None = None
    predict: Callable[..., Any] | None = None

    def __post_init__(self) -> None:
        where = f"case {self.name}"
        _kinds(where, self, KINDS)
        if not WORD.fullmatch(self.name):
            raise ValueError(f"case {self.name!r}: its name should be of letters, digits, - and _ alone")
        for name, kind in (("contenders", Contender), ("limits", Limit), ("headlines", Headline)):
            if odd := {type(each).__name__ for each in getattr(self, name)} - {kind.__name__}:
                raise ValueError(f"{where}: {name} has a {min(odd)}, should have {kind.__name__}s alone")
        for name in ("sizes", "options", "regimes"):
            if not getattr(self, name):
                raise ValueError(f"{where}: {name} is empty, should have one at least")
        for name in ("sizes", "options"):
            for each, value in getattr(self, name).items():
                if not isinstance(value, Mapping):
                    got = type(value).__name__
                    raise ValueError(f"{where}: {name} has a {got} at {each!r}, should be a dict of keywords")
        if not self.devices or (odd := set(self.devices) - {*DEVICES}):
            got = f"has {min(odd)!r}" if self.devices else "is empty"
            raise ValueError(f"{where}: devices {got}, should be some of {', '.join(DEVICES)}")
        self._competing()
        self._called()
        formula = self.reference is not None  # with a gradient, unless nothing in it has one
        training = self.step is not None and self.start is not None
        if formula == training:
            raise ValueError(
                f"case {self.name}: got {'both' if formula else 'neither'} of (reference, gradient) "
                "and (step, start), should be exactly one pair"
            )
        for name in self.vast:
            if name not in list(self.sizes)[1:]:
                raise ValueError(f"case {self.name}: vast names {name!r}, should be a size but the first")
        for name in self.integers:
            if name not in self.options:
                known = ", ".join(self.options)
                raise ValueError(f"case {self.name}: integers names {name!r}, should be one of {known}")
        for each in self.headlines:
            self._run_by_people(each)
        for name in self.rare:
            if name not in [*self.options, *self.regimes][1:]:
                raise ValueError(
                    f"case {self.name}: rare names {name!r}, should be an option or regime but the first"
                )
        for topic, conventions in self.variants.items():
            for name in (option for options in conventions.values() for option in options):
                if name not in self.options:
                    raise ValueError(
                        f"case {self.name}: variants of {topic} name {name!r}, should be one of "
                        f"{', '.join(self.options)}"
                    )

    def _run_by_people(self, headline: Headline) -> None:
        """Raise ValueError where a headline names what the case has not."""
        where = f"case {self.name}: headline {headline.size!r}"
        named = (("size", self.sizes), ("option", self.options), ("direction", self.directions))
        for what, there in named:
            if (given := getattr(headline, what)) and given not in there:
                raise ValueError(f"{where} names the {what} {given!r}, should be one of {', '.join(there)}")
        for changed in (*headline.growth, headline.gpu):
            if odd := {*changed} - {*self.sizes[headline.size]}:
                known = ", ".join(self.sizes[headline.size])
                raise ValueError(f"{where} changes the dimension {min(odd)!r}, should be one of {known}")

    def _competing(self) -> None:
        """Raise ValueError where a contender is of wrong kinds, or there twice."""
        seen: set[tuple[str, str]] = set()
        for each in self.contenders:
            where = f"case {self.name}: contender {each}"
            _kinds(where, each, BUILT)
            if (key := (each.backend, str(each))) in seen:
                raise ValueError(f"{where} of {each.backend} is there twice, should have a variant each")
            seen.add(key)

    def _called(self) -> None:
        """Raise ValueError where a function does not take the keywords of a size with those of an option."""
        regime = {"regime": ""} if len(self.regimes) > 1 else {}
        functions = {"inputs": (None,), "flops": (), "items": ()}
        for name, first in functions.items():
            try:
                takes = inspect.signature(getattr(self, name))  # once, because every process makes every case
            except ValueError:  # of a function that is not Python's
                continue
            tried: set[frozenset[str]] = set()  # what it takes is a matter of names alone
            for size, dimensions in self.sizes.items():
                for option, keywords in self.options.items():
                    given = {**dimensions, **keywords, **(regime if first else {})}
                    if (names := frozenset(given)) in tried:
                        continue
                    tried.add(names)
                    if why := _unbound(takes, *first, **given):
                        should = ", ".join(given) or "none"
                        raise ValueError(
                            f"case {self.name}: {name}: {why} (size {size!r}, option {option!r}), "
                            f"should take the keywords {should}"
                        )

    @property
    def training(self) -> bool:
        return self.step is not None

    @property
    def directions(self) -> tuple[str, ...]:
        if self.training:
            return ("training",)
        return ("forward", "gradient") if self.gradient else ("forward",)
