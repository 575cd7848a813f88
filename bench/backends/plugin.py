"""A plug-in as a run sees it: by what its class says of itself in a worker process of its own.

Its code never runs in the process that asks. What exits there, hangs, floods, or alters what it finds, costs
its own cells; those of a class that says nothing at all are one a formula.
"""

import sys
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from functools import partial
from itertools import combinations, islice
from pathlib import Path
from typing import Any, ClassVar

from bench import pages
from bench.backends.interface import Absent, Backend
from bench.backends.lookup import FURTHER, SHIPPED, backend, clash, is_ours, stand_in
from bench.backends.lookup import names as installed
from bench.case import DEVICES, Case, Contender, Refusal
from bench.slip import choice, line_of
from bench.worker import Died, Worker, raised

DESCRIBED = "bench.backends.plugin:described"  # what a worker is asked for
AT_ONCE = 2
MANY = 100  # contenders of a case, and characters of a name
NEAR = 3  # names in a sentence that a row has room for
NEEDED = ("packages", "modes", "dtypes", "devices")
NAMES = (*NEEDED, "needs", "heavy", "typical", "tuned", "layouts")


class Broken(Exception):
    """What a plug-in's class raised when it was asked."""


class Plugin(Backend):
    """Stands for a plug-in's class, with the answers that it gave."""

    said: ClassVar[Mapping[str, Any]]

    @classmethod
    def installed(cls) -> str:
        return str(_given(cls.said["installed"]))

    @classmethod
    def environment(cls, *, threads: int | None, dtype: str, device: str) -> dict[str, str]:
        return dict(_given(cls.said["environments"][dtype][device]))

    @classmethod
    def contenders(cls, case: Case) -> list[Contender]:
        answer = cls.said["contenders"].get(case.name, {})
        if "said" not in answer:  # a cell in which `asked_for` says why
            return [Contender(cls.name, "unknown", _elsewhere)]
        return [
            Contender(**each | {"refuses": [Refusal(**one) for one in each["refuses"]]}, build=_elsewhere)
            for each in answer["said"]
        ]

    @classmethod
    def asked_for(cls, case: str) -> None:
        """Raises what it raised when it was asked for its contenders on that page."""
        _given(cls.said["contenders"][case])

    @classmethod
    def lineage(cls) -> set[str]:
        return set(cls.said["lineage"])


def meet(
    specs: Sequence[str], *, threads: int | None, timeout: float, modes: Sequence[str], dtypes: Sequence[str]
) -> None:
    """Have every plug-in of `specs` stand in this process for what it is, or for what is wrong with it.

    A broken one has cells in `modes` and `dtypes`. Raises ValueError where one is not there, is no backend,
    or has the name of another.
    """
    clash(specs)
    ours = [spec for spec in specs if spec not in (*SHIPPED, *FURTHER)]
    answers = _answers(ours, threads, timeout)
    for said in answers.values():
        if "unknown" in said:
            raise ValueError(said["unknown"])
    for (one, this), (other, that) in combinations(answers.items(), 2):
        if "name" in this and this["name"] == that.get("name"):
            raise ValueError(
                f"--backend: {one} and {other} both have the name {this['name']}, should have two"
            )
    for spec, said in answers.items():
        name, why = spec.rpartition(":")[2], said.get("broken")
        if why is not None:
            said = {
                "installed": {"raised": f"{name} cannot be loaded: {why}"},
                "contenders": {},
                "lineage": [name],
                "attributes": {"name": name, "packages": [name], "modes": modes, "dtypes": dtypes},
                "module": "",
            }
        body = {**said["attributes"], "said": said, "__module__": said["module"]}
        stand_in(spec, type(name, (Plugin,), body))
    if not any("broken" in said for said in answers.values()):  # whose names nobody knows
        read(specs)


def read(specs: Sequence[str] = ()) -> None:
    """Have the pages say whose contenders no backend takes: none shipped, none installed, none of `specs`."""
    pages.leave_out(
        list(dict.fromkeys((*installed(), *(each for spec in specs for each in backend(spec).lineage()))))
    )


def _answers(specs: Sequence[str], threads: int | None, timeout: float) -> dict[str, dict[str, Any]]:
    """What each says of itself, in a worker of its own; an interrupt ends them all."""
    workers: list[Worker] = []

    def asked(spec: str) -> dict[str, Any]:
        try:
            workers.append(worker := Worker({}))
        except OSError as error:
            return {"broken": f"no worker could be started: {error}"}
        worker.timeout = timeout
        try:
            return dict(worker.request(DESCRIBED, spec, threads))
        except Died as error:
            return {"broken": str(error).removeprefix("the worker died: ")}
        finally:
            worker.close()

    with ThreadPoolExecutor(AT_ONCE) as pool:
        try:
            return dict(zip(specs, pool.map(asked, specs), strict=True))
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            for worker in workers:
                worker.close()
            raise


def described(spec: str, threads: int | None) -> dict[str, Any]:
    """What a class says of itself, in built-in types. Raises TypeError or ValueError for what is wrong."""
    try:
        cls = backend(spec)
    except ValueError as error:
        if not is_ours(error):
            raise
        return {"unknown": str(error)}
    attributes: dict[str, Any] = {name: _names(name, getattr(cls, name, ())) for name in NAMES}
    for name in NEEDED:
        if not attributes[name]:
            raise ValueError(f"{name}: got none, should be one at least")
    for name, right in {"devices": DEVICES, "dtypes": Backend.dtypes}.items():
        for each in attributes[name]:
            if each not in right:
                raise ValueError(f"{name}: got {each!r}, should be some of {', '.join(right)}")
    _builds(getattr(cls, "builds", {}))
    _named(cls)
    name = _text("name", getattr(cls, "name", None))
    if name in (*SHIPPED, *FURTHER):
        raise ValueError(f"name: got {name!r}, which is a shipped backend's, should be one of its own")

    def environment(dtype: str, device: str) -> dict[str, str]:
        return _texts("answer", cls.environment(threads=threads, dtype=dtype, device=device))

    return {
        "name": name,
        "module": str(cls.__module__),
        "attributes": attributes
        | {"name": name, "spins": cls.spins is True, "without": _texts("without", cls.without)},
        "installed": _asked("installed", lambda: _text("answer", cls.installed())),
        "lineage": _names("lineage", sorted(cls.lineage())),
        "environments": {
            dtype: {
                device: _asked("environment", partial(environment, dtype, device))
                for device in attributes["devices"]
            }
            for dtype in attributes["dtypes"]
        },
        "contenders": {
            name: _asked("contenders", partial(_contenders, cls, case))
            for name, case in pages.cases().items()
        },
    }


def _contenders(cls: type[Backend], case: Case) -> list[dict[str, Any]]:
    found = list(islice(cls.contenders(case), MANY + 1))
    if len(found) > MANY:
        raise ValueError(f"got more than {MANY} on {case.name}, should be fewer")
    if len({str(each) for each in found}) < len(found):
        raise ValueError(f"got two of one name on {case.name}, should have a variant each")
    told = [_plain(each) for each in found]
    theirs = {each.api for each in case.contenders}  # of the page, whose modes are its backends'
    for each in told:
        if each["api"] in theirs:
            continue
        for what, names in {"modes": cls.modes, "directions": case.directions}.items():
            if odd := sorted(set(each[what] or ()).difference(names)):
                where = f"{each['api']}: {what} has {odd[0]!r}"
                raise ValueError(f"{where}, should have some of {', '.join(names)}")
    return told


def _plain(each: Any) -> dict[str, Any]:
    if not isinstance(each, Contender):
        raise TypeError(f"got {each!r:.60}, should be a gaugeblock.Contender")
    return {
        "backend": _text("backend", each.backend),
        "api": _text("api", each.api),
        "variant": each.variant and _text("variant", each.variant),
        "without": _texts("without", each.without),
        "modes": None if each.modes is None else _names("modes", each.modes),
        "directions": None if each.directions is None else _names("directions", each.directions),
        "refuses": [asdict(one) | {"when": dict(one.when)} for one in each.refuses],
        "fewer": each.fewer is True,
        "tier": each.tier,
    }


def _asked(hook: str, question: Callable[[], Any]) -> dict[str, Any]:
    """What a hook says, or what it raises; whatever that is, it is no end of ours."""
    try:
        return {"said": question()}
    except Absent as reason:
        return {"absent": str(reason)}
    except BaseException as error:
        return {"raised": f"{hook}: {raised(error)}"}


def _given(answer: Mapping[str, Any]) -> Any:
    if "absent" in answer:
        raise Absent(answer["absent"])
    if "raised" in answer:
        raise Broken(answer["raised"])
    return answer["said"]


def _text(what: str, value: Any) -> str:
    if not (isinstance(value, str) and 0 < len(value) <= MANY and value.isprintable()):
        raise TypeError(f"{what}: got {value!r:.60}, should be a word of {MANY} characters at most")
    return str(value)


def _names(what: str, value: Any) -> list[str]:
    if not isinstance(value, list | tuple):
        raise TypeError(f"{what}: got {value!r:.60}, should be a tuple of names")
    return [_text(what, each) for each in value]


def _texts(what: str, value: Any) -> dict[str, str]:
    if not (
        isinstance(value, Mapping) and all(isinstance(part, str) for each in value.items() for part in each)
    ):
        raise TypeError(f"{what}: got {value!r:.60}, should have texts by names")
    return dict(value)


def _builds(value: Any) -> None:
    if not (
        isinstance(value, Mapping)
        and all(isinstance(each, Contender) or callable(each) for each in value.values())
    ):
        raise TypeError(f"builds: got {value!r:.60}, should have builds or Contenders by case")


def _named(cls: type[Backend]) -> None:
    """Raise ValueError where a class builds what is no case; a page that is wrong says so itself."""
    known = [*pages.cases(), *(name for page in pages.bad().values() for name in page.names)]
    for parent in cls.__mro__:
        for name in vars(parent).get("builds", {}):
            if name not in known and parent.__module__.partition(".")[0] != "bench":
                file = Path(str(sys.modules[parent.__module__].__file__))
                line = line_of(file.read_text(encoding="utf-8", errors="replace"), str(name))
                raise ValueError(
                    f"{file.name}{line}: builds has {name!r}, which is no case, "
                    f"{choice(str(name), known, NEAR)}"
                )


def _elsewhere(*arguments: Any, **option: Any) -> Any:
    raise Broken("a plug-in's build runs in its worker, and was called elsewhere")
