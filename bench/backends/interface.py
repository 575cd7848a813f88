"""The interface between Gaugeblock and a framework.

To add a backend, subclass `Backend` or one of its subclasses. It inherits every build that the pages have for
its parents; `builds` replaces them case by case.
"""

import inspect
import operator
import os
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from functools import cache, partial
from importlib.metadata import PackageNotFoundError, version
from typing import Any, ClassVar

import numpy as np

from bench.case import Case, Contender, Training
from bench.machine.variables import flags_of
from bench.tree import Tree

TF32 = "tf32"  # a mode: float32 products round their factors to 11 bits, as tensor cores do
AS_SHIPPED = "GAUGEBLOCK_AS_SHIPPED"  # set in a worker's environment by --as-shipped

APART = "@"  # in the module name of a plug-in's file, before a hash that makes the name unique


class Absent(Exception):
    """Something that a cell needs is not on this machine. The message is the reason in its row."""


@dataclass(frozen=True)
class Loop:
    """A training loop in a framework.

    load: sets params and state from NumPy trees in the framework's layout.
    step: trains on one batch, which is on the device, and returns the loss.
    read: returns params and state as NumPy trees.
    predict: the model's outputs for inputs on the device.
    """

    load: Callable[[Tree, Tree], None]
    step: Callable[[Mapping[str, Any]], Any]
    read: Callable[[], tuple[Tree, Tree]]
    predict: Callable[[Any], Any] | None = None


@dataclass(frozen=True)
class Bound:
    """A call with its arguments bound, as in a user's own loop; nothing else is timed.

    `finish` converts the result of the call to ``(outputs, gradients or None)``, in the form of `vjp`.
    """

    call: Callable[..., Any]
    args: tuple[Any, ...] = ()
    finish: Callable[[Any], Any] = lambda result: result

    def once(self) -> Any:
        """Call it once and return the raw result."""
        return self.call(*self.args)


Binder = Callable[[Tree, Mapping[str, Any], Mapping[str, Any]], Bound]  # takes params, data and cotangents


@dataclass(frozen=True)
class Asked:
    """A request for a script that reproduces a cell.

    build: the source of the call that builds the contender: it returns params and run, or a Training.
    direction, mode: those of the cell.
    graph: the outputs are computed together with gradients.
    wrt: names of the data to differentiate.
    outputs: names of the outputs that have a cotangent.
    """

    build: str
    direction: str
    mode: str
    graph: bool
    wrt: Sequence[str]
    outputs: Sequence[str]


class Backend(ABC):
    """One framework on one device in one dtype. Only backends synchronize with a device.

    name: the name in rows and on the command line.
    packages: distributions, any of which installs the framework.
    needs: other distributions that it requires.
    modes: ways to run a function. float64 cells run in the first.
    heavy: modes that only --full runs.
    typical: modes that run on the typical option only, except under --full.
    tuned: modes that most users do not write.
    layouts: modes in which data have another memory layout; only --full runs them, and they are not timed.
    dtypes: supported dtypes. --smoke runs the first.
    devices: supported devices.
    without: directions that are not supported, each with its reason.
    builds: by case, a build or a Contender that replaces the page's.
    positional: a compiled run may take its arguments by position.
    precision: the precision of products, as reported by the framework.
    spins: its threads busy-wait, which slows down other processes.
    sorts: it sorts the leaves of a dict by name.
    """

    name: ClassVar[str]
    packages: ClassVar[Sequence[str]]
    needs: ClassVar[Sequence[str]] = ()
    modes: ClassVar[Sequence[str]]
    heavy: ClassVar[Sequence[str]] = ()
    typical: ClassVar[Sequence[str]] = ()
    tuned: ClassVar[Sequence[str]] = ()
    layouts: ClassVar[Sequence[str]] = ()
    dtypes: ClassVar[Sequence[str]] = ("float64", "float32", "bfloat16", "float16")
    devices: ClassVar[Sequence[str]] = ("cpu", "gpu")
    without: ClassVar[Mapping[str, str]] = {}
    builds: ClassVar[Mapping[str, Callable[..., Any] | Contender]] = {}
    positional: ClassVar[bool] = False
    precision: str = "as the dtype"
    spins: ClassVar[bool] = False
    sorts: ClassVar[bool] = False

    @property
    def asynchronous(self) -> bool:
        """Whether a call returns before it is done."""
        return self.device != "cpu"

    def __init_subclass__(cls, **more: Any) -> None:
        """Name a class without a `name` of its own after the class, because its parent is another backend."""
        super().__init_subclass__(**more)
        if "name" not in vars(cls):
            cls.name = cls.__name__

    def __init__(self, device: str, dtype: str) -> None:
        self.device, self.dtype = device, dtype
        self.read: dict[str, str] = {}  # the precision by mode, for modes that set it, read during a call
        self.shipped = AS_SHIPPED in os.environ  # then the precision is not set either

    @classmethod
    def environment(cls, *, threads: int | None, dtype: str, device: str) -> dict[str, str]:
        """Return environment variables to set before the framework is imported.

        `threads` is None if the framework's default is to be kept.
        """
        return {}

    @classmethod  # noqa: B027  # most keep no compiled programs between runs
    def compile_anew(cls, anew: bool) -> None:
        """If `anew`, ignore programs that earlier runs compiled, as for a first call that is timed."""

    @classmethod
    def installed(cls) -> str:
        """Return the installed version. Raises Absent if there is none. Does not import the framework."""
        for package in cls.needs:
            if _version(package) is None:
                raise Absent(f"{cls.name} needs {package}, which is not installed (pip install {package})")
        found = next(filter(None, map(_version, cls.packages)), None)
        if found is None:
            raise Absent(f"{cls.name} is not installed (pip install {cls.packages[0]})")
        return found

    @classmethod
    def contenders(cls, case: Case) -> list[Contender]:
        """Return the contenders for a case, from `builds` (its own or the nearest parent's) or the page.

        If the page has exactly one contender, a function in `builds` replaces its build and keeps its other
        fields. Otherwise the function is a contender named after the class.
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
        """Return the page's contenders for this backend and its parents."""
        return [contender for contender in case.contenders if contender.backend in cls.lineage()]

    @classmethod
    def lineage(cls) -> set[str]:
        """Return the names of this backend and its parents, whose builds and limits it inherits."""
        return {vars(parent)["name"] for parent in cls.__mro__ if "name" in vars(parent)}

    @property
    def version(self) -> str:
        """The version in rows."""
        return self.installed()

    def threads(self) -> int | None:
        """Return the number of threads that the framework reports, or None if it reports none."""
        return None

    def release(self, package: str) -> str:
        """Return the version of a distribution where this backend runs; empty if it is not installed."""
        return release(package)

    def flags(self) -> Mapping[str, Callable[[], Any]]:
        """Return functions by name that read other settings: libraries, instruction sets, precision.

        They go into the environment record, and the `when` of a Refusal names them. Each is called
        separately: an error is recorded as the value, or None if this release has no such API.
        """
        return {}

    def precision_in(self, mode: str) -> str:
        """Return the precision that was read during a call in that mode."""
        return self.read.get(mode, self.precision)

    def start(self) -> None:
        """Compute a small product, so that no cell's first call loads libraries or creates handles.

        Raises any error of the framework: after some GPU faults, every later call of the process fails.
        """
        eye = self.put({"x": np.eye(2, dtype="float32")})["x"]
        self.get({"y": self.operations()["matmul"](eye, eye)})

    def allows_tf32(self, mode: str) -> bool:
        """Whether float32 products may use TF32: in the mode TF32, and on a GPU with --as-shipped."""
        return mode == TF32 or (self.shipped and self.device == "gpu")

    def isa(self) -> str:
        """Return the widest CPU instruction set that the framework reports: sse4, avx2 or avx512.

        Empty if it reports none, and on CPUs other than x86.
        """
        return ""

    def lacks(self, error: BaseException) -> bool:
        """Whether `error` means that the framework has no kernel for this dtype: the cell is then absent."""
        return False

    def operations(self) -> dict[str, Callable[..., Any]]:
        """Return functions by name, for fingerprints and the roofline, on arrays of the framework.

        multiply, matmul: of two arrays.
        sum, softmax: over the last axis.
        copy: reads an array and writes one. A negation by default, because it cannot return its argument.
        triad: ``b + 2 * c``. The results of copy and triad are valid only until the next call.
        tile: ``tile(x, times)`` repeats the rows of `x`.
        """
        return {
            "multiply": operator.mul,
            "matmul": operator.matmul,
            "copy": operator.neg,
            "triad": lambda b, c: b + 2 * c,
        }

    def building(self) -> AbstractContextManager[Any]:
        """Return a context that sets the default dtype and device, in which builds run."""
        return nullcontext()

    @abstractmethod
    def put(self, tree: Tree) -> Tree:
        """Convert a tree of NumPy arrays to arrays on the device, and wait for the copies."""

    @abstractmethod
    def get(self, tree: Tree) -> Tree:
        """Convert a tree of the framework's arrays to NumPy arrays, and wait for their values."""

    @abstractmethod
    def compile(self, function: Callable[..., Any], mode: str) -> Callable[..., Any]:
        """Return `function` compiled for `mode`. It is the run that a build returned."""

    @abstractmethod
    def vjp(self, run: Callable[..., Any], mode: str, wrt: Sequence[str]) -> Callable[..., Any]:
        """Return ``(params, data, cotangents) -> (outputs, {"params": …, "data": …})`` by autodiff.

        `wrt` names the data to differentiate. Outputs without a cotangent are returned too. A gradient that
        is None becomes zeros, and a sparse one becomes dense.
        """

    def cut(
        self,
        run: Callable[..., Any],
        params: Tree,
        data: Mapping[str, Any],
        outputs: Sequence[str],
        wrt: Sequence[str],
    ) -> list[str]:
        """Return the params and data that the outputs do not depend on in autodiff: ``params.W``, ``data.x``.

        A gradient that is zero does not count. Empty if the framework cannot tell.
        """
        return []

    @abstractmethod
    def loop(self, training: Training, mode: str) -> Loop:
        """Return the training loop for what a training build returned."""

    def forward(self, run: Callable[..., Any], mode: str) -> Callable[..., Any]:
        """Return ``(params, data) -> outputs``, run as in inference, without gradients."""
        compiled = self.compile(run, mode)
        return lambda params, data: compiled(params, **data)

    def bind(self, run: Callable[..., Any], mode: str) -> Binder:
        """Return a function that binds a timed forward call to inputs. `run` is compiled only once."""
        if self.positional and mode != TF32:  # TF32 is set around each call
            call = self.compile(run, mode)
            return lambda params, data, _: bound(call, run, params, data)
        whole = self.forward(run, mode)
        return lambda params, data, _: Bound(whole, (params, data), _outputs)

    def bind_vjp(
        self, vjp: Callable[..., Any], run: Callable[..., Any], mode: str, wrt: Sequence[str]
    ) -> Binder:
        """Return a function that binds a timed call of `vjp`, which was made from `run`, to inputs."""
        return lambda *given: Bound(vjp, given)

    def running(self, direction: str) -> AbstractContextManager[Any]:
        """Return a context in which a whole block of timed calls runs."""
        return nullcontext()

    def compilations(self) -> tuple[int, float | None]:
        """Return how many programs this process has compiled, and the seconds it took, or None if unknown."""
        return 0, None

    def compiling_since(self, before: float | None) -> float | None:
        """Return the seconds of compilation since `compilations` returned `before` seconds."""
        now = self.compilations()[1]
        return None if now is None or before is None else now - before

    def counted(self, call: Callable[..., Any], *arguments: Any) -> dict[str, float] | None:
        """Return the `flops` of one call, and `bytes` if available, from the framework's own counter.

        None if the framework has no counter.
        """
        return None

    def script(self, asked: Asked) -> list[str]:
        """Return lines of Python that reproduce a cell without Gaugeblock.

        They use the variables `weights`, `data` and `dy`, and set a list `got`: the outputs; or the gradients
        of the leaves of params, then of the data; or the loss, params and state after a training step,
        floating leaves only. Raises NotImplementedError by default.
        """
        raise NotImplementedError

    def device_peak(self, call: Callable[[], Any]) -> int | None:
        """Return the peak memory of `call` on the device in bytes, from the framework's own statistics.

        It includes the result and excludes memory in use before. None if there are no statistics.
        """
        return None

    def wait(self, tree: Tree) -> None:
        """Block until every array of `tree` has its value."""
        self.get(tree)


def lived(training: Training) -> tuple[Any, Any]:
    """The model and optimizer of a loop whose step changes them. Raises TypeError where it has none."""
    if training.live is None:
        raise TypeError("live of its Training is None, should be (model, optimizer), which its step changes")
    return training.live


def stepped(found: Any) -> tuple[Tree, Tree, Any]:
    """The params, state and loss that a pure step returned. Raises TypeError if it returned anything else."""
    if isinstance(found, tuple | list) and len(found) == 3:
        return found[0], found[1], found[2]
    many = f" of {len(found)}" if isinstance(found, tuple | list) else ""
    raise TypeError(f"its step returns a {type(found).__name__}{many}, should return (params, state, loss)")


def home(cls: type) -> str:
    """The module of a class, under the name that its author gave it."""
    return cls.__module__.partition(APART)[0]


def _outputs(result: Any) -> tuple[Any, None]:
    return result, None


def bound(call: Callable[..., Any], run: Callable[..., Any], params: Tree, data: Mapping[str, Any]) -> Bound:
    """A forward call with data bound by position as far as they follow the order of `run`, then by name."""
    rest, placed = dict(data), []
    for parameter in list(inspect.signature(run).parameters.values())[1:]:
        if parameter.kind is not parameter.POSITIONAL_OR_KEYWORD or parameter.name not in rest:
            break
        placed.append(rest.pop(parameter.name))
    return Bound(partial(call, **rest) if rest else call, (params, *placed), _outputs)


def extended(variable: str, *flags: str) -> str:
    """The value of an environment variable that holds flags, extended by those of `flags` it does not set."""
    told = flags_of(os.environ.get(variable, "")).split()
    named = {flag.partition("=")[0] for flag in told}
    return " ".join([*told, *(flag for flag in flags if flag.partition("=")[0] not in named)])


def release(package: str, recorded: Mapping[str, Any] | None = None) -> str:
    """The version of a distribution without its local part, as installed or as in an environment record.

    Empty if it is not installed. `recorded` is untrusted: it may come from somebody else's run.
    """
    names = (package, f"{package}-cpu")  # the name of TensorFlow without GPU support
    packages = {} if recorded is None else recorded.get("packages")
    known = packages.get if isinstance(packages, Mapping) else lambda name: None
    found = map(_version if recorded is None else known, names)
    return str(next(filter(None, found), "")).partition("+")[0]


@cache
def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
