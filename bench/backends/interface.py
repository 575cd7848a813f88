"""A framework seen as a few verbs.

A backend of your own is a subclass of `Backend`, or of another: it inherits every build that the pages
have for its parents, and `builds` replaces them case by case.
"""

import inspect
import operator
import os
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from typing import Any, ClassVar

import numpy as np

from bench.case import Case, Contender, Training
from bench.machine.variables import flags_of
from bench.tree import Tree

TF32 = "tf32"  # a mode: factors of float32 products are rounded to 11 bits, which a GPU's tensor cores can do
AS_SHIPPED = "GAUGEBLOCK_AS_SHIPPED"  # stands in a worker's environment where settings are left alone

APART = "@"  # in the module's name of a plug-in's file: behind it stands what keeps it apart from any other


class Absent(Exception):
    """What a cell needs is not on this machine; the message is the reason in its row."""


@dataclass(frozen=True)
class Loop:
    """A training loop in a framework's hands: fill it, step it, read it."""

    load: Callable[[Tree, Tree], None]  # params and state, as NumPy trees in the framework's layout
    step: Callable[[Mapping[str, Any]], Any]  # one batch on the device, gives the loss
    read: Callable[[], tuple[Tree, Tree]]  # params and state as NumPy trees
    predict: Callable[[Any], Any] | None = None  # inputs on the device, gives the model's outputs


@dataclass(frozen=True)
class Bound:
    """A call whose arguments are bound, as a loop by hand has it; nothing else is in the timed region.

    `finish` makes of what it returned ``(outputs, gradients or None)``, as `vjp` gives them.
    """

    call: Callable[..., Any]
    args: tuple[Any, ...] = ()
    finish: Callable[[Any], Any] = lambda result: result

    def once(self) -> Any:
        """One call."""
        return self.call(*self.args)


Binder = Callable[[Tree, Mapping[str, Any], Mapping[str, Any]], Bound]  # of params, data and cotangents


@dataclass(frozen=True)
class Asked:
    """What a script is to do: `build` is the call that gives a contender's params and run, or training."""

    build: str
    direction: str
    mode: str
    graph: bool  # the outputs come with gradients
    wrt: Sequence[str]  # the data that are differentiated
    outputs: Sequence[str]  # those that have a cotangent


class Backend(ABC):
    """One framework on one device in one dtype. The one place that synchronises."""

    name: ClassVar[str]
    packages: ClassVar[Sequence[str]]  # distributions, any of which brings the framework
    needs: ClassVar[Sequence[str]] = ()  # distributions without which it does not run
    modes: ClassVar[Sequence[str]]  # the first runs the float64 cells
    heavy: ClassVar[Sequence[str]] = ()  # modes left to --full
    typical: ClassVar[Sequence[str]] = ()  # modes run on the typical option only, unless --full
    tuned: ClassVar[Sequence[str]] = ()  # modes that are more than most people write
    layouts: ClassVar[Sequence[str]] = ()  # modes of data that lie otherwise in memory: --full, never timed
    dtypes: ClassVar[Sequence[str]] = (
        "float64",
        "float32",
        "bfloat16",
        "float16",
    )  # the first runs the smoke
    devices: ClassVar[Sequence[str]] = ("cpu", "gpu")
    without: ClassVar[Mapping[str, str]] = {}  # directions that it has not, each with its reason
    builds: ClassVar[Mapping[str, Callable[..., Any] | Contender]] = {}  # by case, in place of the page's
    positional: ClassVar[bool] = False  # whether a compiled run takes its arguments by their position
    precision: str = "as the dtype"
    spins: ClassVar[bool] = False  # whether its threads wait in a loop, and keep others from the cores
    sorts: ClassVar[bool] = False  # whether the leaves of a dict come sorted by their names

    def __init_subclass__(cls, **more: Any) -> None:
        """A class that names nothing is called as it is, and not as its parent: that is another backend."""
        super().__init_subclass__(**more)
        if "name" not in vars(cls):
            cls.name = cls.__name__

    def __init__(self, device: str, dtype: str) -> None:
        self.device, self.dtype = device, dtype
        self.read: dict[str, str] = {}  # the precision of modes that set it, read while they ran
        self.shipped = AS_SHIPPED in os.environ  # then its precision is not to be set either

    @classmethod
    def environment(cls, *, threads: int | None, dtype: str, device: str) -> dict[str, str]:
        """Environment variables that must stand before the framework is imported.

        `threads` is None where they are left as the framework ships.
        """
        return {}

    @classmethod  # noqa: B027  # a default for most: they keep no programs between runs
    def compile_anew(cls, anew: bool) -> None:
        """Whether compiled programs of earlier runs are left aside, as for a first call that is timed."""

    @classmethod
    def installed(cls) -> str:
        """The installed version; raises Absent. Imports nothing."""
        for package in cls.needs:
            if _version(package) is None:
                raise Absent(f"{cls.name} needs {package}, which is not installed (pip install {package})")
        found = next(filter(None, map(_version, cls.packages)), None)
        if found is None:
            raise Absent(f"{cls.name} is not installed (pip install {cls.packages[0]})")
        return found

    @classmethod
    def contenders(cls, case: Case) -> list[Contender]:
        """This backend's contenders on a page: a build of its own or of the nearest parent, or the page's.

        A plain function stands for the page's API where there is just one, with all that the page says of it.
        """
        for parent in cls.__mro__:
            build = vars(parent).get("builds", {}).get(case.name)
            if isinstance(build, Contender):
                return [replace(build, backend=cls.name)]
            if build is None:
                continue
            if len(theirs := cls.inherited(case)) == 1:
                return [replace(theirs[0], backend=cls.name, build=build)]
            return [Contender(cls.name, f"{home(parent)}.{parent.__qualname__}", build)]
        return cls.inherited(case)

    @classmethod
    def inherited(cls, case: Case) -> list[Contender]:
        """The page's contenders that this backend takes: those of its parents."""
        return [contender for contender in case.contenders if contender.backend in cls.lineage()]

    @classmethod
    def lineage(cls) -> set[str]:
        """The names of this backend and its parents, whose builds and limits it inherits."""
        return {vars(parent)["name"] for parent in cls.__mro__ if "name" in vars(parent)}

    @property
    def version(self) -> str:
        return self.installed()

    def threads(self) -> int | None:
        """Threads the framework says it uses, read back."""
        return None

    def flags(self) -> Mapping[str, Callable[[], Any]]:
        """What else is read back for a worker's record, by name: libraries, instruction sets, precision.

        The conditions of refusals name them too. Each is asked alone. What one raises stands in its place,
        and an API that this release lacks is None.
        """
        return {}

    def precision_in(self, mode: str) -> str:
        """The precision as it was read while a call of that mode ran."""
        return self.read.get(mode, self.precision)

    def start(self) -> None:
        """Compute a small product, which loads libraries and makes handles: no cell's first call should.

        Raises what that raises: after some faults of a GPU every later call of its process fails.
        """
        eye = self.put({"x": np.eye(2, dtype="float32")})["x"]
        self.get({"y": self.operations()["matmul"](eye, eye)})

    def allows_tf32(self, mode: str) -> bool:
        """Whether products of float32 may round their factors: in that mode, and where nobody forbids it."""
        return mode == TF32 or (self.shipped and self.device == "gpu")

    def isa(self) -> str:
        """The widest instruction set of the CPU that the framework says it uses: sse4, avx2 or avx512.

        Empty where it does not say, and on CPUs that are no x86.
        """
        return ""

    def lacks(self, error: BaseException) -> bool:
        """Whether `error` says that the framework has no kernel for this dtype: an absence, no fault."""
        return False

    def operations(self) -> dict[str, Callable[..., Any]]:
        """What is probed or measured: `multiply`, `matmul`; of the last axis, `sum`, `softmax`; two streams.

        `copy` reads an array and writes one (a negation does too, and nobody answers it with the array
        itself), `triad` gives b + 2 c. What these two give stands until their next call. `tile` repeats the
        rows of an array so many times.
        """
        return {
            "multiply": operator.mul,
            "matmul": operator.matmul,
            "copy": operator.neg,
            "triad": lambda b, c: b + 2 * c,
        }

    def building(self) -> AbstractContextManager[Any]:
        """The default dtype and device under which a build constructs its layers."""
        return nullcontext()

    @abstractmethod
    def put(self, tree: Tree) -> Tree:
        """NumPy arrays to the framework's own, on the device."""

    @abstractmethod
    def get(self, tree: Tree) -> Tree:
        """The framework's arrays to NumPy, waiting for them."""

    @abstractmethod
    def compile(self, function: Callable[..., Any], mode: str) -> Callable[..., Any]:
        """`function` as `mode` runs it: a run, or what this backend's own builds give in its place."""

    @abstractmethod
    def vjp(self, run: Callable[..., Any], mode: str, wrt: Sequence[str]) -> Callable[..., Any]:
        """``(params, data, cotangents) -> (outputs, {"params": …, "data": …})`` by the framework's autodiff.

        `wrt` names the data that are differentiated. None becomes zeros, sparse becomes dense.
        """

    def cut(
        self,
        run: Callable[..., Any],
        params: Tree,
        data: Mapping[str, Any],
        outputs: Sequence[str],
        wrt: Sequence[str],
    ) -> list[str]:
        """The params and data that the framework has no path to from the outputs: ``params.W``, ``data.x``.

        Not those whose gradient is zero. Empty where the framework does not say.
        """
        return []

    @abstractmethod
    def loop(self, training: Training, mode: str) -> Loop:
        """The training loop of a build."""

    def forward(self, run: Callable[..., Any], mode: str) -> Callable[..., Any]:
        """``(params, data) -> outputs``, as inference runs it."""
        compiled = self.compile(run, mode)
        return lambda params, data: compiled(params, **data)

    def bind(self, run: Callable[..., Any], mode: str) -> Binder:
        """Timed forward calls: compiled once, then bound to each set of inputs."""
        if self.positional and mode != TF32:  # which is set around each call
            call = self.compile(run, mode)
            return lambda params, data, _: bound(call, run, params, data)
        whole = self.forward(run, mode)
        return lambda params, data, _: Bound(whole, (params, data), _outputs)

    def bind_vjp(
        self, vjp: Callable[..., Any], run: Callable[..., Any], mode: str, wrt: Sequence[str]
    ) -> Binder:
        """Timed calls of outputs and gradients; `vjp` is what `run` gave, compiled already."""
        return lambda *given: Bound(vjp, given)

    def running(self, direction: str) -> AbstractContextManager[Any]:
        """What stands around a whole block of timed calls."""
        return nullcontext()

    def compilations(self) -> tuple[int, float | None]:
        """How many programs this process has compiled, and the seconds that took, where it is known."""
        return 0, None

    def compiling_since(self, before: float | None) -> float | None:
        """Seconds of compiling since `compilations` told `before`."""
        now = self.compilations()[1]
        return None if now is None or before is None else now - before

    def counted(self, call: Callable[..., Any], *arguments: Any) -> dict[str, float] | None:
        """What the framework's own counter says of one call: `flops`, and `bytes` where it counts them.

        None where the framework has no counter.
        """
        return None

    def script(self, asked: Asked) -> list[str]:
        """Lines of Python to do what a cell does without this house: from weights, data, dy to a list `got`.

        It holds the outputs; or the gradients of the leaves of params, then of the data; or the loss, the
        params and the state after a training step, floating leaves only.
        """
        raise NotImplementedError

    def device_peak(self, call: Callable[[], Any]) -> int | None:
        """Bytes that `call` needs on the device at its peak, as the framework counts its own pool.

        Over what it held before, the result included; None where it does not count.
        """
        return None

    def wait(self, tree: Tree) -> None:
        """Return when every array of `tree` has its value."""
        self.get(tree)


def lived(training: Training) -> tuple[Any, Any]:
    """The model and optimizer of a loop whose step changes them. Raises TypeError where it has none."""
    if training.live is None:
        raise TypeError("live of its Training is None, should be (model, optimizer), which its step changes")
    return training.live


def home(cls: type) -> str:
    """The module that a class was written in, as its author calls it."""
    return cls.__module__.partition(APART)[0]


def _outputs(result: Any) -> tuple[Any, None]:
    return result, None


def bound(call: Callable[..., Any], run: Callable[..., Any], params: Tree, data: Mapping[str, Any]) -> Bound:
    """A forward call whose arguments are bound by position, as far as `run` has them in its order."""
    rest, placed = dict(data), []
    for parameter in list(inspect.signature(run).parameters.values())[1:]:
        if parameter.kind is not parameter.POSITIONAL_OR_KEYWORD or parameter.name not in rest:
            break
        placed.append(rest.pop(parameter.name))
    return Bound(partial(call, **rest) if rest else call, (params, *placed), _outputs)


def extended(variable: str, *flags: str) -> str:
    """What an environment variable of flags holds, and behind it those of `flags` that it does not set."""
    told = flags_of(os.environ.get(variable, "")).split()
    named = {flag.partition("=")[0] for flag in told}
    return " ".join([*told, *(flag for flag in flags if flag.partition("=")[0] not in named)])


def release(package: str, recorded: Mapping[str, Any] | None = None) -> str:
    """The release of a distribution, without its local part: as installed here, or as recorded.

    Empty where it is not there. `recorded` is an environment record, which somebody else may have written.
    """
    names = (package, f"{package}-cpu")  # TensorFlow's is called so where it has no GPU
    packages = {} if recorded is None else recorded.get("packages")
    known = packages.get if isinstance(packages, Mapping) else lambda name: None
    found = map(_version if recorded is None else known, names)
    return str(next(filter(None, found), "")).partition("+")[0]


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
