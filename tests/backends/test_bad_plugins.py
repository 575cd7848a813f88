"""A bad plug-in costs its own cells, each with a sentence, and no others: by what goes wrong, and where."""

import os
import re
import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace
from importlib.metadata import EntryPoint
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest

from bench import pages
from bench.backends import backend, lookup
from bench.backends.plugin import _contenders, described, register
from bench.case import Refusal
from bench.run import pytest_plugin as pytest_plugin
from bench.run.pytest_plugin import SuiteRun
from bench.store.rows import load

ROOT = Path(__file__).parent.parent.parent
ACTS = """
import ctypes, itertools, os, resource, subprocess, sys, threading, time

import numpy as np

from gaugeblock import Absent, Backend, Contender, NumPy


def parts():
    if os.fork():
        os._exit(8)
    time.sleep(60)


def floods():
    for _ in range(200):
        os.write(1, b"x" * 2**20)


def spins():
    def flood():
        while True:
            os.write(2, b"noise " * 999)
    threading.Thread(target=flood).start()


def hungry():
    resource.setrlimit(resource.RLIMIT_AS, (2**32, 2**32))
    np.ones(2**30)


def patches():
    import builtins, json
    json.dumps = builtins.len = None


def closes():
    sys.stdin.close(), sys.stdout.close()
    os.closerange(0, 3)


def leaves():
    raise SystemExit(5)


def interrupts():
    raise KeyboardInterrupt


ACTS = {
    "segfaults": lambda: ctypes.string_at(0),
    "exits": lambda: os._exit(7),
    "hangs": lambda: time.sleep(60),
    "cuts": lambda: os.closerange(0, 99),
    "moves": lambda: os.chdir("/"),
    "forks": os.fork,
    "lingers": lambda: subprocess.Popen(["sleep", "4321"], start_new_session=True),
} | {each.__name__: each for each in (parts, floods, spins, hungry, patches, closes, leaves, interrupts)}
"""
IN_A_CELL = """
def putting(act):
    def put(self, tree):
        act()
        return tree
    return put


def huge(weights, **option):
    def run(params, x, **data):
        return {"y": np.zeros(10**8)}
    run.vjp = lambda params, data, cotangents: {name: np.zeros(10**8) for name in ("x", "W", "b")}
    return weights, run


def fails(self, *arguments, **more):
    raise ZeroDivisionError("planted")


for name, act in ACTS.items():
    globals()[name] = type(name, (NumPy,), {"name": name, "put": putting(act)})
for name in ("__init__", "vjp", "wait", "lacks", "flags"):
    globals()[f"in_{name}"] = type(f"in_{name}", (NumPy,), {"name": f"in_{name}", name: fails})
in_lacks.put = fails


class gives_too_much(NumPy):
    name, builds = "too-much", {"linear-regression": huge}


class tells_an_object(NumPy):
    name, version = "object", property(lambda self: object())


class tells_too_much(NumPy):
    name = "long"

    def flags(self):
        return {"long": lambda: "x" * 10**8, 5: object}


def absent(*arguments, **more):
    raise Absent("not here")


class environment_fails(NumPy):
    name, environment = "a", classmethod(fails)


class contenders_fail(NumPy):
    name, contenders = "b", classmethod(fails)


class compile_anew_fails(NumPy):
    name, compile_anew = "c", classmethod(fails)


class environment_is_absent(NumPy):
    name, environment = "d", classmethod(absent)


class installed_is_absent(NumPy):
    name, installed = "e", classmethod(absent)


class contenders_are_absent(NumPy):
    name, contenders = "f", classmethod(absent)


class modes_are_a_string(NumPy):
    name, modes = "g", "eager"


class environment_cannot_be_set(NumPy):
    name, environment = "h", classmethod(lambda cls, **settings: {"A": "\\0"})
"""
WHYS = {
    "segfaults": r"the worker died: ended by signal 11 \(SIGSEGV\): Fatal Python error: Segmen.*, in .*",
    "exits": "the worker died: exit code 7",
    "hangs": r"the worker gave no answer in 12 s, in <lambda> \(mine.py, line \d+\), and was ended",
    "cuts": "the worker died: exit code 0",
    "moves": "",
    "forks": "",
    "lingers": "",
    "parts": "the worker died: exit code 8",
    "floods": "",
    "spins": "",
    "hungry": "MemoryError: Unable to allocate 8.00 GiB for an array .*",
    "patches": "the worker died: exit code 1: TypeError: 'NoneType' object is not callable",
    "closes": "(OSError: .*)?",
    "leaves": r"the worker died: SystemExit: 5, in leaves \(mine.py, line \d+\)",
    "interrupts": r"the worker died: KeyboardInterrupt, in interrupts \(mine.py, line \d+\)",
}
PLANTED = r"ZeroDivisionError: planted, in fails \(mine.py, line \d+\)"
IN_CELLS = WHYS | {
    **{f"in_{name}": "ZeroDivisionError: planted" for name in ("__init__", "vjp", "wait")},
    "in_lacks": f"the worker died: {PLANTED}",
    "in_flags": "",
    "gives_too_much": r"ValueError: parameter W: got shape \(100000000,\), should be \(10, 3\)",
    "tells_an_object": "TypeError: version: reads back <object object at .*>, should be a text of .*",
    "tells_too_much": "",
    "environment_fails": f"environment: {PLANTED}",
    "contenders_fail": f"contenders: {PLANTED}",
    "compile_anew_fails": f"the worker died: {PLANTED}",
    "environment_is_absent": "not here",
    "installed_is_absent": "not here",
    "contenders_are_absent": "not here",
    "modes_are_a_string": "modes_are_a_string cannot be loaded: TypeError: modes: got 'eager', should be .*",
    "environment_cannot_be_set": "the worker died: ValueError: embedded null byte",
}


def suites(folder, *backends):
    named = [word for name in ("numpy", *backends) for word in ("--backend", name)]
    chosen = ["--smoke", "-k", "linear-regression/ and not simple", "--timeout", "12", "-q"]
    command = [sys.executable, "-m", "pytest", str(ROOT / "suites"), "--results", "run", *chosen, *named]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def outcome(folder, done, code=1):
    rows = load(folder / "run")
    assert "stopped before" not in done.stdout, done.stdout[-3000:]
    assert (
        set(rows[rows.backend == "numpy"].status) == {"agrees"}
        and (rows.groupby("backend").size() == 2).all()
    )
    failed = int((rows.status == "error").sum())
    assert done.returncode == code and (f"{failed} failed" in done.stdout) == bool(failed)
    assert not subprocess.run(["pgrep", "-f", "sleep 4321"], stdout=subprocess.PIPE, check=False).stdout
    return rows.set_index("backend")


@pytest.fixture(scope="module")
def in_cells(tmp_path_factory):
    """One run of every kind of what goes wrong in a cell, beside NumPy."""
    folder = tmp_path_factory.mktemp("cells")
    (folder / "mine.py").write_text(ACTS + IN_A_CELL)
    return outcome(folder, suites(folder, *(f"mine.py:{name}" for name in IN_CELLS)))


@pytest.mark.parametrize("name", IN_CELLS)
def test_what_goes_wrong_in_a_cell_costs_it_alone(name, in_cells):
    check(in_cells.loc[[f"mine.py:{name}"]], IN_CELLS[name])


def check(rows, why):
    statuses, whys = set(rows.status), set(rows.why)
    if why == "not here":
        assert (statuses, whys) == ({"absent"}, {why})
        return
    assert statuses <= ({"agrees", "error"} if why.endswith(")?") else {"error"} if why else {"agrees"})
    assert all(re.fullmatch(why, each) for each in whys), whys


LOADING = {
    "syntax": r"SyntaxError: .* \(syntax.py, line 4\)",
    "typed": r"ValueError: typed.py, line 5: builds has 'linear-regresion', .* and \d+ more; did you mean .*",
    "wrong": r"ValueError: planted, in <module> \(wrong.py, line 4\)",
    "lacking": "ModuleNotFoundError: No module named .*",
}
AT_IMPORT = [
    name
    for name in WHYS
    if name not in ("parts", "spins", "closes", "lingers", "moves", "hungry", "floods", "interrupts")
]


@pytest.fixture(scope="module")
def at_import(tmp_path_factory):
    """One run of plug-ins whose files do all that when they are imported, and of some that cannot be."""
    folder = tmp_path_factory.mktemp("import")
    (folder / "acts.py").write_text(ACTS)
    files = {name: f"acts.ACTS[{name!r}]()" for name in AT_IMPORT} | OTHERS
    for name, line in files.items():
        here = f"import sys; sys.path.insert(0, {str(folder)!r})\nimport acts\nfrom gaugeblock import NumPy\n"
        (folder / f"{name}.py").write_text(f"{here}{line}\nclass {name}(NumPy): name = {name!r}\n")
    return outcome(folder, suites(folder, *(f"{name}.py:{name}" for name in files)))


OTHERS = {
    "syntax": "class (:",
    "wrong": "raise ValueError('planted')",
    "lacking": "import a_package_that_is_not_there",
    "typed": "class typed(NumPy):\n  builds = {'linear-regresion': print}\nNumPy = typed",
}


@pytest.mark.parametrize("name", [*AT_IMPORT, *OTHERS])
def test_what_goes_wrong_where_a_plug_in_is_imported_costs_its_cells_alone(name, at_import):
    rows = at_import.loc[[f"{name}.py:{name}"]]
    known = WHYS.get(name, LOADING.get(name))
    why = known.removeprefix("the worker died: ").replace("mine.py", "acts.py")
    check(rows, why and f"{name} cannot be loaded: {why}")


WRONG = {
    "modes = None": "modes: got None, should be a tuple of strings",
    "modes = ()": "modes: got none, should be at least one",
    "modes = (1,)": "modes: got 1, should be a string of 1 to",
    "heavy = {'eager'}": "heavy: got {'eager'}, should be a tuple of strings",
    "dtypes = 'float64'": "dtypes: got 'float64', should be a tuple of strings",
    "devices = 5": "devices: got 5, should be a tuple of strings",
    "packages = ()": "packages: got none, should be at least one",
    "name = 7": "name: got 7, should be a string of 1 to",
    "devices = ('cpu', 'tpu')": "devices: got 'tpu', should be some of cpu, gpu",
    "dtypes = ('float23',)": "dtypes: got 'float23', should be some of float64, float32, bfloat16, float16",
    "name = 'a\\nb'": "name: got 'a",
    "name = 'x' * 999": "name: got 'xxx",
    "name = 'torch'": "name: got 'torch', which is a shipped backend's, should be unique",
    "lineage = classmethod(lambda cls: [7])": "lineage: got 7, should be a string of 1 to",
    "builds = [count]": "builds: got [<class",
    "builds = {'relu': 5}": "builds: got {'relu': 5}, should be a dict of builds or Contenders by case",
    "without = 'training'": "without: got 'training', should be a dict of strings",
}


@pytest.mark.parametrize("body", WRONG)
def test_an_attribute_of_a_wrong_type_is_named(body, tmp_path):
    with pytest.raises((TypeError, ValueError), match=re.escape(WRONG[body])):
        described(_file(tmp_path, body), 1)


HOOKS = {
    (
        "installed",
        "lambda cls: 1 / 0",
    ): "installed: ZeroDivisionError: division by zero, in <lambda> (mine.py",
    ("installed", "lambda cls: 5"): "installed: TypeError: answer: got 5, should be a string of 1 to",
    ("installed", "lambda cls: 'x' * 10**8"): "installed: TypeError: answer: got 'xxx",
    (
        "environment",
        "lambda cls, **settings: None",
    ): "environment: TypeError: answer: got None, should be a dict",
    (
        "environment",
        "lambda cls, **settings: {'A': 1}",
    ): "environment: TypeError: answer: got {'A': 1}, should",
    ("contenders", "lambda cls, case: None"): "contenders: TypeError: 'NoneType' object is not iterable",
    (
        "contenders",
        "lambda cls, case: ['x']",
    ): "contenders: TypeError: got 'x', should be a gaugeblock.Contender",
    ("contenders", "lambda cls, case: (Contender('x', str(n), 1) for n in count())"): (
        "contenders: ValueError: got more than 100 on relu, should be fewer"
    ),
    (
        "contenders",
        "lambda cls, case: 2 * [Contender('x', 'y', 1)]",
    ): "contenders: ValueError: got two of the same name",
    ("contenders", "lambda cls, case: [Contender('x', 'y', 1, modes='eager')]"): (
        "contenders: TypeError: modes: got 'eager', should be a tuple of strings"
    ),
    ("contenders", "lambda cls, case: [Contender('x', 'y', 1, modes=('sideways',))]"): (
        "contenders: ValueError: y: modes has 'sideways', should be some of eager, "
    ),
    ("contenders", "lambda cls, case: [Contender('x', 'y', 1, directions=('up',))]"): (
        "contenders: ValueError: y: directions has 'up', should be some of "
    ),
    (
        "contenders",
        "lambda cls, case: sys.exit('bye')",
    ): "contenders: SystemExit: bye, in <lambda> (mine.py, line 4)",
}


@pytest.mark.parametrize(("hook", "body"), HOOKS)
def test_a_hook_that_gives_what_it_should_not_is_told(hook, body, tmp_path):
    said = described(_file(tmp_path, f"{hook} = classmethod({body})"), 1)
    answer = said[hook] if hook == "installed" else said["environments" if hook == "environment" else hook]
    while "raised" not in answer:
        answer = answer.get("relu") or next(iter(answer.values()))
    assert answer["raised"].startswith(HOOKS[hook, body])


def _file(folder, *bodies, file="mine.py"):
    lines = "\n".join(f"class Mine{n or ''}(NumPy): {body}" for n, body in enumerate(bodies))
    head = "import sys\nfrom itertools import count\nfrom gaugeblock import Contender, NumPy\n"
    (folder / file).write_text(f"{head}{lines}\n")
    return f"{folder}/{file}:Mine"


@pytest.mark.parametrize(
    "body", ["builds = {'rellu': 1 .real}", "builds = {'rellu': Contender('x', 'y', 1)}"]
)
def test_a_build_of_no_case_is_named_with_its_line_and_the_case_that_was_meant(body, tmp_path):
    body = body.replace("1 .real", "count")
    words = (
        r"mine.py, line 4: builds has 'rellu', which is not a case, should be one of relu, .* and \d+ more; "
        r"did you mean 'relu'\?"
    )
    with pytest.raises(ValueError, match=words):
        described(_file(tmp_path, body), 1)


def test_a_build_of_a_case_of_a_bad_page_is_that_pages_fault(tmp_path, monkeypatch):
    monkeypatch.setitem(pages.bad(), "silu", pages.Bad("suites/silu.py: why", ["silu"]))
    assert described(_file(tmp_path, "builds = {'silu': count}"), 1)["name"] == "Mine"


def test_a_class_without_a_name_is_called_as_it_is_and_a_shipped_backends_name_is_refused(tmp_path):
    said = described(_file(tmp_path, "pass"), 1)
    assert said["name"] == said["attributes"]["name"] == "Mine" and said["lineage"] == ["Mine", "numpy"]
    (tmp_path / "own.py").write_text("from gaugeblock import Torch\nclass torch(Torch): pass\n")
    with pytest.raises(ValueError, match="name: got 'torch', which is a shipped backend's"):
        described(f"{tmp_path}/own.py:torch", 1)


PLAIN = """
from gaugeblock import Torch


def plain(weights, **option):
    return {}, lambda params, **data: data


class Plain(Torch):
    builds = {"layer-norm": plain, "relu": plain}
    modes = ("eager",)
"""


def test_a_plain_function_stands_for_the_one_api_of_the_page_and_keeps_what_is_said_of_it(
    tmp_path, monkeypatch
):
    (tmp_path / "plain.py").write_text(PLAIN)
    real = backend(f"{tmp_path}/plain.py:Plain")
    case = pages.case("layer-norm")
    ours = [each for each in case.contenders if each.backend == "torch"]
    one = replace(
        ours[0], without={"bias": "none"}, modes=("eager", "compile"), directions=("forward",),
        refuses=[Refusal("a*", "no")],
    )  # fmt: skip
    lone = replace(case, contenders=(one,))
    (found,) = real.contenders(lone)
    assert found.build is real.builds["layer-norm"]
    assert found == replace(one, backend="Plain", build=found.build)
    assert _contenders(real, lone)[0]["modes"] == ["eager", "compile"]  # which are the page's to say
    (several,) = real.contenders(replace(case, contenders=(one, replace(one, variant="other"))))
    assert (str(several), several.without) == ("plain.Plain", {})


SIBLINGS = """
from __future__ import annotations

from dataclasses import dataclass, fields

import kernels_of_mine
from gaugeblock import NumPy


@dataclass(frozen=True)
class Options:
    fast: bool = False


class Mine(NumPy):
    name = kernels_of_mine.NAME
    assert [each.name for each in fields(Options)] == ["fast"] and Options() == Options()
"""


def test_a_plug_in_in_a_package_hides_no_framework_of_the_name_of_its_sibling():
    faulty = ROOT / "bench" / "backends" / "faulty.py"
    code = (
        f"from bench.backends import backend; backend({f'{faulty}:Slow'!r}); import jax; print(jax.__file__)"
    )
    pytest.importorskip("jax")
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert str(faulty.parent) not in done.stdout


def test_a_plug_in_imports_its_siblings_and_holds_dataclasses(tmp_path, monkeypatch):
    monkeypatch.setattr(lookup, "_STAND_INS", {})
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / "json.py").write_text(SIBLINGS)  # a name that is taken
    (tmp_path / "there" / "kernels_of_mine.py").write_text("NAME = 'sibling'\n")
    monkeypatch.chdir(tmp_path)
    met("there/json.py:Mine")
    found = backend("there/json.py:Mine")
    assert (found.name, found.installed()) == ("sibling", backend("numpy").installed())


FORGES = """
from bench.cache import kept
from gaugeblock import NumPy


class Forges(NumPy):
    name = "forges"

    def put(self, tree):
        kept("forged", lambda: "what it has altered stands in no limits but its own")
        return tree
"""


def test_what_a_plug_in_derives_is_kept_for_itself_alone(tmp_path, monkeypatch):
    monkeypatch.setenv("GAUGEBLOCK_CACHE", str(tmp_path / "cache"))
    (tmp_path / "mine.py").write_text(FORGES)
    outcome(tmp_path, suites(tmp_path, "mine.py:Forges"), code=0)
    assert [file.parts[-3] for file in tmp_path.rglob("forged.npz")] == ["own"]


CLASH = "--backend: {0}/one.py:Mine and {0}/two.py:Mine are both shown as Mine, should have different names"


def test_two_plug_ins_of_one_name_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(lookup, "_STAND_INS", {})
    one, two = (
        _file(tmp_path, "name = 'same'", "name = 'same'", file=f"{name}.py") for name in ("one", "two")
    )
    with pytest.raises(ValueError, match=CLASH.format(tmp_path)):
        met(one, two)
    with pytest.raises(
        ValueError, match=f"{one}1? and {one}1? both have the name same, should have different"
    ):
        met(one, f"{one}1")
    assert not lookup._STAND_INS


def met(*specs):
    register(specs, threads=1, timeout=60, modes=("eager",), dtypes=("float32",))


@pytest.mark.parametrize("name", ["torch", "mine"])
def test_an_installed_plug_in_of_anothers_name_is_refused(name, monkeypatch):
    entries = [EntryPoint(name, f"{package}:Mine", lookup.GROUP) for package in ("one", "two")]
    monkeypatch.setattr(lookup, "entry_points", lambda group: entries)
    words = {"torch": "torch is shipped, and one:Mine is", "mine": "one:Mine and two:Mine have this name"}
    with pytest.raises(ValueError, match=words[name]):
        met(name) if name == "torch" else backend(name)
    assert backend("torch").name == "torch"


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ("nowhere.py:Mine", "got no file at nowhere.py, should be path/to/file.py:Name"),
        ("{0}/mine.py:Other", "mine.py has no class Other, should be the name of a Backend"),
        ("{0}/mine.py:count", "should be a subclass of gaugeblock.Backend"),
        ("chip", "got 'chip', should be one of numpy, torch"),
    ],
)
def test_a_plug_in_that_is_not_there_is_refused_before_anything_runs(spec, words, tmp_path, monkeypatch):
    monkeypatch.setattr(lookup, "_STAND_INS", {})
    _file(tmp_path, "name = 'mine'")
    with pytest.raises(ValueError, match=words):
        met(spec.format(tmp_path))


def test_what_stands_for_a_plug_in_says_what_its_class_says(tmp_path, monkeypatch):
    monkeypatch.setattr(lookup, "_STAND_INS", {})
    spec = _file(tmp_path, "name, heavy = 'mine', ('gaps',)")
    real = backend(spec)
    met(spec)
    stands = backend(spec)
    assert stands is not real and stands.installed() == real.installed()
    assert stands.lineage() == real.lineage() == {"mine", "numpy"}
    for name in ("name", "modes", "heavy", "layouts", "dtypes", "devices", "packages", "spins"):
        assert getattr(stands, name) == type(getattr(stands, name))(getattr(real, name))
    place = {"threads": 1, "dtype": "float32", "device": "cpu"}
    assert stands.environment(**place) == real.environment(**place) != {}
    for case in pages.cases().values():
        assert [replace(each, build=None, refuses=()) for each in stands.contenders(case)] == [
            replace(each, build=None, refuses=()) for each in real.contenders(case)
        ]


def test_the_code_of_a_plug_in_does_not_run_in_the_process_that_asks(tmp_path, monkeypatch):
    monkeypatch.setattr(lookup, "_STAND_INS", {})
    (tmp_path / "mine.py").write_text(
        f"import os\nopen({str(tmp_path / 'pid')!r}, 'w').write(str(os.getpid()))\n{HEAD}"
    )
    SuiteRun.open(SimpleNamespace(**{**OPTIONS, "backend": [f"{tmp_path}/mine.py:Mine"]}))
    assert int((tmp_path / "pid").read_text()) != os.getpid()


HEAD = "from gaugeblock import NumPy\nclass Mine(NumPy): name = 'mine'\n"
OPTIONS = dict.fromkeys(name.replace("-", "_") for name in pytest_plugin.OPTIONS) | {"device": ["cpu"]}


def test_an_interrupt_ends_those_that_are_asked(tmp_path, monkeypatch):
    (tmp_path / "mine.py").write_text("import time\ntime.sleep(60)\n")
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # who runs tests may ignore it
    children = psutil.Process().children()  # multiprocessing keeps one, where another test started a pool
    killed = threading.Timer(1.5, os.kill, (os.getpid(), signal.SIGINT))
    killed.start()
    begun = time.monotonic()
    try:
        with pytest.raises(KeyboardInterrupt):
            met(f"{tmp_path}/mine.py:Mine", f"{tmp_path}/mine.py:Other")
    finally:
        signal.signal(signal.SIGINT, before)
    assert time.monotonic() - begun < 20 and psutil.Process().children() == children


def test_a_class_stays_what_it_is_where_its_plug_in_goes_to_another_folder(tmp_path, monkeypatch):
    _file(tmp_path, "name = 'mine'")
    monkeypatch.chdir(tmp_path)
    first = backend("mine.py:Mine")
    monkeypatch.chdir("/")
    assert backend("mine.py:Mine") is first
