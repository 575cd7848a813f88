"""Plug-ins: a run describes each class in a separate worker process and uses the description.

The code of a plug-in never runs in the main process, so one that exits, hangs, prints without end or changes
global state costs only its own cells. A class that cannot be described has one cell per formula.
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

DESCRIBED = "bench.backends.plugin:described"  # the function that a worker calls, by name
AT_ONCE = 2  # workers
MANY = 100  # contenders of a case, or characters of a name, at most
NEAR = 3  # names in a sentence that must fit in a row
NEEDED = ("packages", "modes", "dtypes", "devices")
NAMES = (*NEEDED, "needs", "heavy", "typical", "tuned", "layouts")


class Broken(Exception):
    """A plug-in's class raised an error; the message is that error."""


class Plugin(Backend):
    """A proxy for a plug-in's class. `said` is the description that `described` returned."""

    said: ClassVar[Mapping[str, Any]]

    @classmethod
    def installed(cls) -> str:
        return str(_unwrap(cls.said["installed"]))

    @classmethod
    def environment(cls, *, threads: int | None, dtype: str, device: str) -> dict[str, str]:
        return dict(_unwrap(cls.said["environments"][dtype][device]))

    @classmethod
    def contenders(cls, case: Case) -> list[Contender]:
        answer = cls.said["contenders"].get(case.name, {})
        if "said" not in answer:  # one cell, in which `check_contenders` raises the reason
            return [Contender(cls.name, "unknown", _elsewhere)]
        return [
            Contender(**each | {"refuses": [Refusal(**one) for one in each["refuses"]]}, build=_elsewhere)
            for each in answer["said"]
        ]

    @classmethod
    def check_contenders(cls, case: str) -> None:
        """Raise the error that the class raised in `contenders` for that case, if any."""
        _unwrap(cls.said["contenders"][case])

    @classmethod
    def lineage(cls) -> set[str]:
        return set(cls.said["lineage"])


def register(
    specs: Sequence[str], *, threads: int | None, timeout: float, modes: Sequence[str], dtypes: Sequence[str]
) -> None:
    """Make `backend` return a proxy for every plug-in of `specs`, with its description or its error.

    A broken one has cells in `modes` and `dtypes`. Raises ValueError if one does not exist, is not a backend,
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
                f"--backend: {one} and {other} both have the name {this['name']}, should have different names"
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
    if not any("broken" in said for said in answers.values()):  # the names of a broken one are unknown
        read(specs)


def read(specs: Sequence[str] = ()) -> None:
    """Check that all contenders of the pages name a backend that is shipped, installed or in `specs`."""
    pages.leave_out(
        list(dict.fromkeys((*installed(), *(each for spec in specs for each in backend(spec).lineage()))))
    )


def _answers(specs: Sequence[str], threads: int | None, timeout: float) -> dict[str, dict[str, Any]]:
    """The description of each class, made in a worker per plug-in. An interrupt ends all workers."""
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
    """The description of a class in built-in types. Raises TypeError or ValueError for a bad attribute."""
    try:
        cls = backend(spec)
    except ValueError as error:
        if not is_ours(error):
            raise
        return {"unknown": str(error)}
    attributes: dict[str, Any] = {name: _names(name, getattr(cls, name, ())) for name in NAMES}
    for name in NEEDED:
        if not attributes[name]:
            raise ValueError(f"{name}: got none, should be at least one")
    for name, right in {"devices": DEVICES, "dtypes": Backend.dtypes}.items():
        for each in attributes[name]:
            if each not in right:
                raise ValueError(f"{name}: got {each!r}, should be some of {', '.join(right)}")
    _builds(getattr(cls, "builds", {}))
    _named(cls)
    name = _text("name", getattr(cls, "name", None))
    if name in (*SHIPPED, *FURTHER):
        raise ValueError(f"name: got {name!r}, which is a shipped backend's, should be unique")

    def environment(dtype: str, device: str) -> dict[str, str]:
        return _texts("answer", cls.environment(threads=threads, dtype=dtype, device=device))

    return {
        "name": name,
        "module": str(cls.__module__),
        "attributes": attributes
        | {"name": name, "spins": cls.spins is True, "without": _texts("without", cls.without)},
        "installed": _result_of("installed", lambda: _text("answer", cls.installed())),
        "lineage": _names("lineage", sorted(cls.lineage())),
        "environments": {
            dtype: {
                device: _result_of("environment", partial(environment, dtype, device))
                for device in attributes["devices"]
            }
            for dtype in attributes["dtypes"]
        },
        "contenders": {
            name: _result_of("contenders", partial(_contenders, cls, case))
            for name, case in pages.cases().items()
        },
    }


def _contenders(cls: type[Backend], case: Case) -> list[dict[str, Any]]:
    found = list(islice(cls.contenders(case), MANY + 1))
    if len(found) > MANY:
        raise ValueError(f"got more than {MANY} on {case.name}, should be fewer")
    if len({str(each) for each in found}) < len(found):
        raise ValueError(f"got two of the same name on {case.name}, should have different variants")
    told = [_plain(each) for each in found]
    theirs = {each.api for each in case.contenders}  # the page's own may use other modes
    for each in told:
        if each["api"] in theirs:
            continue
        for what, names in {"modes": cls.modes, "directions": case.directions}.items():
            if odd := sorted(set(each[what] or ()).difference(names)):
                where = f"{each['api']}: {what} has {odd[0]!r}"
                raise ValueError(f"{where}, should be some of {', '.join(names)}")
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


def _result_of(hook: str, question: Callable[[], Any]) -> dict[str, Any]:
    """The result of a hook, or its error. No error of a hook, not even SystemExit, ends the process."""
    try:
        return {"said": question()}
    except Absent as reason:
        return {"absent": str(reason)}
    except BaseException as error:
        return {"raised": f"{hook}: {raised(error)}"}


def _unwrap(answer: Mapping[str, Any]) -> Any:
    if "absent" in answer:
        raise Absent(answer["absent"])
    if "raised" in answer:
        raise Broken(answer["raised"])
    return answer["said"]


def _text(what: str, value: Any) -> str:
    if not (isinstance(value, str) and 0 < len(value) <= MANY and value.isprintable()):
        raise TypeError(f"{what}: got {value!r:.60}, should be a string of 1 to {MANY} printable characters")
    return str(value)


def _names(what: str, value: Any) -> list[str]:
    if not isinstance(value, list | tuple):
        raise TypeError(f"{what}: got {value!r:.60}, should be a tuple of strings")
    return [_text(what, each) for each in value]


def _texts(what: str, value: Any) -> dict[str, str]:
    if not (
        isinstance(value, Mapping) and all(isinstance(part, str) for each in value.items() for part in each)
    ):
        raise TypeError(f"{what}: got {value!r:.60}, should be a dict of strings")
    return dict(value)


def _builds(value: Any) -> None:
    if not (
        isinstance(value, Mapping)
        and all(isinstance(each, Contender) or callable(each) for each in value.values())
    ):
        raise TypeError(f"builds: got {value!r:.60}, should be a dict of builds or Contenders by case")


def _named(cls: type[Backend]) -> None:
    """Raise ValueError if `builds` has a name that is not a case. Names on bad pages are not errors."""
    known = [*pages.cases(), *(name for page in pages.bad().values() for name in page.names)]
    for parent in cls.__mro__:
        for name in vars(parent).get("builds", {}):
            if name not in known and parent.__module__.partition(".")[0] != "bench":
                file = Path(str(sys.modules[parent.__module__].__file__))
                line = line_of(file.read_text(encoding="utf-8", errors="replace"), str(name))
                raise ValueError(
                    f"{file.name}{line}: builds has {name!r}, which is not a case, "
                    f"{choice(str(name), known, NEAR)}"
                )


def _elsewhere(*arguments: Any, **option: Any) -> Any:
    raise Broken("a plug-in's build was called outside its worker")
