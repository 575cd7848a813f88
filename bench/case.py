"""The nouns of a page: a Case, its Contenders, what a training build returns, and its Limits."""

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bench.tree import Tree

Option = Mapping[str, Any]

# the regime of a case's `integers`: whole numbers, exact in every order of summation
INTEGERS = "integers"

# what most people write; what somebody set or compiled for speed; a call into a vendor's own library
TIERS = ("idiomatic", "tuned", "vendor kernel")

# what some keywords of a Case hold
KINDS: Mapping[str, tuple[type, str]] = {
    "name": (str, "a word"),
    "contenders": (Sequence, "a tuple of Contenders; one of one ends with a comma"),
    "sizes": (Mapping, "a dict of dimensions by the names of sizes"),
    "options": (Mapping, "a dict of keywords by the names of options"),
    "regimes": (Mapping, "a dict of reasons by the names of regimes"),
}

# what a Limit may name: the coordinates of a cell
FIELDS = ("backend", "case", "option", "regime", "size", "contender", "mode", "device", "dtype", "direction")


def known(function: Callable[..., Any], option: Option) -> dict[str, Any]:
    """The option keywords that `function` names: an option may concern inputs or builds alone."""
    names = inspect.signature(function).parameters
    return {name: value for name, value in option.items() if name in names}


@dataclass(frozen=True)
class Refusal:
    """Cells for which a framework is known to raise, and where it does.

    `cells` is a glob over "option/mode/device/dtype/direction", `words` stand in the error. `when` is what
    the backend reads back of itself where it refuses (``{"onednn": False}``, see `Backend.flags`); empty, it
    refuses everywhere.
    """

    cells: str
    words: str
    when: Mapping[str, bool] = field(default_factory=dict)


@dataclass(frozen=True)
class Contender:
    """A build, and the public API that it puts to the test.

    `build(weights, **option)` imports its framework inside and returns ``(params, run)``: `params`
    is a tree of NumPy arrays in the framework's own names and layouts (only rearrangements of
    `weights`, and zeros: no arithmetic), and ``run(params, **data) -> {name: array}`` is pure.
    A training build is `build(weights, state, **option)` and returns a `Training`.
    `variant` tells apart two ways of calling one API (a keyword, a path): ``str`` is the name in rows.
    `without` names the options that this API cannot express, and sizes that it cannot hold, with the reason;
    `modes` and `directions` narrow it to what the API has (an inference path has no gradient). `refuses`
    are the cells that the framework raises for: such a cell is run all the same, and is absent in the
    framework's own words; where the framework does not refuse it, it is judged like any other, and its row
    says that the refusal is gone. `fewer` says that it computes in fewer operations than the formula has
    (Winograd, Strassen), and may so be faster than the roofline. `tier` is how far from what most people
    write: see TIERS.
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

    `params` and `state` are trees of NumPy arrays in the framework's own names and layouts.
    `step` is the body of the loop as the users of that framework write it. Where it is pure
    (JAX), ``step(params, state, **batch) -> (params, state, loss)`` and `live` is None. Where
    model and optimiser are objects (torch, Keras), ``step(**batch) -> loss`` and `live` is
    ``(model, optimiser)``, which the backend fills from `params` and `state`.
    `predict(x)` (pure: ``predict(params, x)``) is the trained model's forward pass,
    where the case has a score.
    """

    params: Tree
    state: Tree
    step: Callable[..., Any]
    live: tuple[Any, Any] | None = None
    predict: Callable[..., Any] | None = None


@dataclass(frozen=True)
class Seen:
    """What `gaugeblock limits --measure` has found of a Limit: the rms ratios of cells alike, in one release.

    `cells` has the coordinates that they share (case, option, regime, size, dtype and direction), `z` the
    smallest and the largest of their rms ratios.
    """

    release: str
    cells: Mapping[str, str]
    z: tuple[float, float]


@dataclass(frozen=True)
class Limit:
    """A known departure from the formula, by its cause; pages have theirs in suites/limits/<page>.py.

    `package` is the distribution at fault (optax, not jax), `source` a file and line of its installed release
    or an upstream thread. `cells` names the cells that the cause reaches: a mapping of cell fields to the one
    value or the values that it covers (float64 and float32, where it names no dtype), `backend` among them;
    or several such mappings. `since` is the first release that departs, where somebody has looked.
    `always` is False for a departure near the edge, which some inputs do not show. `varies` says that two
    calls on the same inputs differ, and nothing of how far. `seen` is data, measured and never typed: how
    far the cells were off, in which release. `name` is the key under which the page lists it.
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
class Case:
    """One formula made runnable.

    A formula has `reference(**data, **weights, **option)`, which returns an array (named ``y``)
    or a dict of named arrays, and `gradient(cotangent, **data, **weights, **option)`, which
    returns the gradients by input name (a dict of cotangents where the reference returns a dict), or is
    None where nothing has one (a schedule is a function of the step's number).
    A training case has `step(weights, state, **batch, **option) -> (weights, state, loss)` and
    `start(weights, **option) -> state` instead; its data carry a leading axis of steps.

    Formulas are given the option keywords that they name; inputs and builds are given all.
    `inputs(rng, **size, **option[, regime])` returns ``(weights, data)`` in float64. The first of
    `sizes`, `options` and `regimes` is the typical one; `rare` names options and regimes that are left
    to --full. A `minor` case is judged on its typical option, in one mode a contender, and not timed,
    unless --full asks for it whole. A `random` one draws in each call, so that two calls need not give the
    same bits. `variants` says which options are conventions of one name: by topic
    (``"epsilon of Adam"``), by convention, the options that follow it; topics may span cases. `integers`
    names the options whose formula is exact on whole numbers (sums and products), each with the bits of
    the data's (of the weights' where no data are floating): they are judged with no tolerance. `fixed`
    names floating data that nobody differentiates (targets), and of several outputs those of such a
    name (running statistics). `looked_up` names weights of which a call reads some rows only, `vast`
    sizes whose limits take too much memory or time for a run of everything, for who names them. `devices`
    are those on which it means something; `on_host` leaves the data in the host's memory, where taking them
    to the device is the formula. `items` and `flops` take size and option as keywords: items per call,
    counted in `unit`, and floating-point operations of one forward pass (of one step, for training).
    `curve` (``{"size": name, "steps": n}``) asks for a free-running training, drawn and not gated;
    `score(predict) -> (metric, value)` says what the trained model is worth, and
    `predict(weights, x, **option)` is the reference's forward pass for it.
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
    vast: Sequence[str] = ()
    limits: Sequence[Limit] = ()
    devices: Sequence[str] = ("cpu", "gpu")
    on_host: bool = False
    curve: Mapping[str, Any] | None = None
    score: Callable[[Callable[..., Any]], tuple[str, float]] | None = None
    predict: Callable[..., Any] | None = None

    def __post_init__(self) -> None:
        for name, (kind, should) in KINDS.items():
            if not isinstance(value := getattr(self, name), kind):
                got = type(value).__name__
                raise ValueError(f"case {self.name}: {name} is of type {got}, should be {should}")
        if odd := {type(each).__name__ for each in self.contenders} - {Contender.__name__}:
            raise ValueError(f"case {self.name}: contenders has a {min(odd)}, should have Contenders alone")
        if not self.sizes:
            raise ValueError(f"case {self.name}: sizes is empty, should have one at least")
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

    @property
    def training(self) -> bool:
        return self.step is not None

    @property
    def directions(self) -> tuple[str, ...]:
        if self.training:
            return ("training",)
        return ("forward", "gradient") if self.gradient else ("forward",)
