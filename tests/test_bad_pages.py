"""A page that is wrong costs itself alone: one sentence with its file, line and the right names."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from bench.store.rows import load

ROOT = Path(__file__).parent.parent
PAGE = """from gaugeblock import Case, Contender
from reference.activation import relu, relu_vjp


def inputs(rng, *, n):
    return {}, {"x": rng.standard_normal(n)}


def in_torch(weights):
    import torch

    return {}, lambda params, x: {"y": torch.relu(x)}


case = Case(
    name="%s",
    title="ReLU",
    inputs=inputs,
    sizes={"small": {"n": 7}},
    contenders=(Contender("torch", "torch.relu", in_torch),),
    items=lambda *, n: n,
    unit="elements",
    flops=lambda *, n: n,
    reference=relu,
    gradient=relu_vjp,
)
"""
# by page: what stands in it in place of what, and what is said of it
SLIPS = {
    "keyword": (
        ("    gradient=relu_vjp,\n", "    gradient=relu_vjp,\n    optons={},\n"),
        r"suites/keyword.py, line 26: Case has no keyword 'optons', should be one of name, title, inputs, .*"
        r"predict; did you mean 'options'\?",
    ),
    "contender_keyword": (
        ("in_torch)", 'in_torch, mode=("eager",))'),
        r"suites/contender_keyword.py, line 20: Contender has no keyword 'mode', should be one of backend, "
        r".*; did you mean 'modes'\?",
    ),
    "lacking": (('    unit="elements",\n', ""), r"suites/lacking.py, line 15: Case got no 'unit', should .*"),
    "comma": (
        ("in_torch),)", "in_torch))"),
        "suites/comma.py, line 15: case comma: contenders is of type Contender, should be a tuple of .*",
    ),
    "no_sizes": (
        ('{"small": {"n": 7}}', "{}"),
        "suites/no_sizes.py, line 15: case no-sizes: sizes is empty, should have one at least",
    ),
    "syntax": (("case = Case(", "case = Case(("), r"suites/syntax.py, line 15: SyntaxError: .*"),
    "no_name": (
        ("import relu, relu_vjp", "import relu, relu_vpj"),
        r"suites/no_name.py, line 2: ImportError: cannot import name 'relu_vpj' from 'reference.activation'; "
        r"did you mean 'relu_vjp'\?",
    ),
    "no_module": (
        ("reference.activation", "reference.activatoin"),
        r"suites/no_module.py, line 2: ModuleNotFoundError: No module named 'reference.activatoin'; "
        r"did you mean 'reference.activation'\?",
    ),
    "no_package": (
        ("from reference", "import a_package_that_is_nowhere\nfrom reference"),
        "suites/no_package.py, line 2: ModuleNotFoundError: No module named 'a_package_that_is_nowhere'",
    ),
    "undefined": (
        ("contenders=(Contender(", "contenders=(Contendor("),
        r"suites/undefined.py, line 20: NameError: name 'Contendor' is not defined; did you mean "
        r"'Contender'\?",
    ),
    "raising": (("case = ", "1 / 0\ncase = "), r"suites/raising.py, line 15: ZeroDivisionError: .*"),
    "leaving": (("case = ", "raise SystemExit(0)\ncase = "), "suites/leaving.py, line 15: SystemExit: 0"),
    "no_case": (("case = ", "kase = "), r"suites/no_case.py: got no Case, should end with case = Case\(.*"),
    "twice": (
        ('name="twice"', 'name="fine"'),
        "suites/twice.py, line 16: got the case 'fine', should be a new name; suites/fine.py has it already",
    ),
    "backend": (
        ('Contender("torch"', 'Contender("torhc"'),
        r"suites/backend.py, line 20: Contender has the backend 'torhc', should be one of numpy, torch, .*, "
        r"or a plug-in of this run; did you mean 'torch'\?",
    ),
    "no_function": (
        ("reference=relu", 'reference="relu"'),
        "suites/no_function.py, line 15: case no-function: reference is of type str, should be a function",
    ),
    "no_options": (
        ('    unit="elements",\n', '    unit="elements",\n    options={},\n'),
        "suites/no_options.py, line 15: case no-options: options is empty, should have one at least",
    ),
    "no_regimes": (
        ('    unit="elements",\n', '    unit="elements",\n    regimes={},\n'),
        "suites/no_regimes.py, line 15: case no-regimes: regimes is empty, should have one at least",
    ),
    "number": (
        ('{"small": {"n": 7}}', '{"small": 7}'),
        "suites/number.py, line 15: case number: sizes has a int at 'small', should be a dict of keywords",
    ),
    "other_dimension": (
        ('{"small": {"n": 7}}', '{"small": {"m": 7}}'),
        r"suites/other_dimension.py, line 15: case other-dimension: inputs: missing a required argument: 'n' "
        r"\(size 'small', option 'plain'\), should take the keywords m",
    ),
    "other_option": (
        ('    unit="elements",\n', '    unit="elements",\n    options={"plain": {"alpha": 1}},\n'),
        r"suites/other_option.py, line 15: case other-option: inputs: got an unexpected keyword argument "
        r"'alpha' \(size .*\), should take the keywords n, alpha",
    ),
    "second_option": (
        ('    unit="elements",\n', '    unit="elements",\n    options={"plain": {}, "b": {"alpha": 1}},\n'),
        r"suites/second_option.py, line 15: case second-option: inputs: got an unexpected keyword argument "
        r"'alpha' \(size 'small', option 'b'\), should take the keywords n, alpha",
    ),
    "second_size": (
        ('{"small": {"n": 7}}', '{"small": {"n": 7}, "large": {"m": 7}}'),
        r"suites/second_size.py, line 15: case second-size: inputs: missing a required argument: 'n' "
        r"\(size 'large', option 'plain'\), should take the keywords m",
    ),
    "other_flops": (
        ("flops=lambda *, n: n", "flops=lambda *, m: m"),
        "suites/other_flops.py, line 15: case other-flops: flops: missing a required argument: 'm' .*",
    ),
    "other_items": (
        ("items=lambda *, n: n", "items=lambda *, n, k: n"),
        "suites/other_items.py, line 15: case other-items: items: missing a required argument: 'k' .*",
    ),
    "slash": (
        ('name="slash"', 'name="slash/one"'),
        "suites/slash.py, line 15: case 'slash/one': its name should be of letters, digits, - and _ alone",
    ),
    "device": (
        ('    unit="elements",\n', '    unit="elements",\n    devices=("tpu",),\n'),
        "suites/device.py, line 15: case device: devices has 'tpu', should be some of cpu, gpu",
    ),
    "no_limit": (
        ('    unit="elements",\n', '    unit="elements",\n    limits=({},),\n'),
        "suites/no_limit.py, line 15: case no-limit: limits has a dict, should have Limits alone",
    ),
    "mode": (
        ("in_torch)", 'in_torch, modes=("eagr",))'),
        "suites/mode.py: mode, torch.relu: modes names 'eagr', should be one of eager, compile, .*; "
        r"did you mean 'eager'\?",
    ),
    "mode_alone": (
        ("in_torch)", 'in_torch, modes="eager")'),
        "suites/mode_alone.py, line 15: case mode-alone: contender torch.relu: modes is of type str, sh.*",
    ),
    "direction": (
        ("in_torch)", 'in_torch, directions=("forwrd",))'),
        r"suites/direction.py: direction, torch.relu: directions names 'forwrd', should be one of forward, "
        r"gradient; did you mean 'forward'\?",
    ),
    "without": (
        ("in_torch)", 'in_torch, without={"plane": "no"})'),
        r"suites/without.py: without, torch.relu: without names 'plane', should be one of plain, small; .*",
    ),
    "no_build": (
        ("in_torch)", '"in_torch")'),
        "suites/no_build.py, line 15: case no-build: contender torch.relu: build is of type str, should .*",
    ),
    "contender_twice": (
        ("in_torch),)", 'in_torch), Contender("torch", "torch.relu", in_torch))'),
        "suites/contender_twice.py, line 15: case contender-twice: contender torch.relu of torch is there "
        "twice, should have a variant each",
    ),
    "elsewhere": (
        ("from reference.activation import", "from reference.wrong import"),
        "suites/elsewhere.py: reference/wrong.py, line 2: ZeroDivisionError: .*",
    ),
}
BESIDE = {
    "limits/limit_keyword.py": (
        'from gaugeblock import Limit\nlimits = {"a": Limit("x", "y", "z", {"backend": "torch"}, alway=1)}',
        r"suites/limits/limit_keyword.py, line 2: Limit has no keyword 'alway', .*; did you mean 'always'\?",
    ),
    "limits/limit_raising.py": ("1 / 0", "suites/limits/limit_raising.py, line 1: ZeroDivisionError: .*"),
    "limits/limit_of_none.py": (
        "from gaugeblock import Limit\n"
        'limits = {"a": Limit("x", "y", "z", {"backend": "torch", "case": "q"})}',
        r"suites/limits/limit_of_none.py: Limit 'a' of x: got the case 'q', should be one of limit-of-none",
    ),
    "limits/limit_backend.py": (
        'from gaugeblock import Limit\nlimits = {"a": Limit("x", "y", "z", {"backend": "torhc"})}',
        r"suites/limits/limit_backend.py: limit-backend, Limit 'a' of x: "
        r"its backend is 'torhc', should be one of numpy, torch, .*",
    ),
    "limits/limit_option.py": (
        "from gaugeblock import Limit\n"
        'limits = {"a": Limit("x", "y", "z", {"backend": "torch", "option": "plane"})}',
        r"suites/limits/limit_option.py: limit-option, Limit 'a' of x: "
        r"its option is 'plane', should be one of plain",
    ),
    "limits/limit_contender.py": (
        "from gaugeblock import Limit\n"
        'limits = {"a": Limit("x", "y", "z", {"backend": "torch", "contender": "torch.rleu"})}',
        r"suites/limits/limit_contender.py: limit-contender, Limit 'a' of x: "
        r"its contender is 'torch.rleu', should be one of torch.relu",
    ),
    "limits/limit_dtype.py": (
        "from gaugeblock import Limit\n"
        'limits = {"a": Limit("x", "y", "z", {"backend": "torch", "dtype": "float23"})}',
        r"suites/limits/limit_dtype.py: limit-dtype, Limit 'a' of x: "
        r"its dtype is 'float23', should be one of float64, .*",
    ),
    "limits/measured.json": ("{bad", "suites/limits/measured.json: got JSONDecodeError: .*, should be .*"),
    "mutants/mutant_of_none.py": (
        'mutants = {"mutant-of-non": ()}',
        r"suites/mutants/mutant_of_none.py: got mutants of 'mutant-of-non', should be one of mutant-of-none; "
        r"did you mean 'mutant-of-none'\?",
    ),
    "mutants/mutant_keyword.py": (
        'from gaugeblock import Mutant\nmutants = {"x": (Mutant("a", "b", "c", "d", "e", optin=1),)}',
        r"suites/mutants/mutant_keyword.py, line 2: Mutant has no keyword 'optin', .*did you mean 'option'\?",
    ),
    "mutants/nobodys.py": (
        "mutants = {}",
        "suites/mutants/nobodys.py: got no page suites/nobodys.py, should have the name of its page",
    ),
}
WHYS = {name: why for name, (_, why) in SLIPS.items()} | {
    Path(name).stem: why for name, (_, why) in BESIDE.items()
}


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    """A house of one good page and one of each kind that is wrong."""
    house = tmp_path_factory.mktemp("house")
    for folder in ("gaugeblock", "bench", "reference"):
        shutil.copytree(ROOT / folder, house / folder, ignore=shutil.ignore_patterns("__pycache__"))
    for folder in ("limits", "mutants"):
        (house / "suites" / folder).mkdir(parents=True)
    for name in ("__init__.py", "conftest.py", "test_suites.py", "pytest.ini"):
        shutil.copy(ROOT / "suites" / name, house / "suites")
    (house / "reference" / "wrong.py").write_text("\n1 / 0\n")
    for name in ("fine", *WHYS):
        if name != "nobodys":
            text = PAGE % name.replace("_", "-")
            for old, new in [SLIPS[name][0]] if name in SLIPS else []:
                assert text.count(old) == 1, (name, old)
                text = text.replace(old, new)
            (house / "suites" / f"{name}.py").write_text(text)
    (house / "suites" / "limits" / "measured.py").write_text("limits = {}\n")
    for name, (text, _) in BESIDE.items():
        (house / "suites" / name).write_text(text + "\n")
    return house


def python(house, *arguments):
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=house, env={**os.environ, "PYTHONPATH": str(house)}, capture_output=True, text=True, check=False,
    )  # fmt: skip


def gaugeblock(house, *arguments):
    return python(house, "-c", "from bench.cli import app; app()", *arguments)


@pytest.fixture(scope="module")
def ran(house):
    return python(house, "-m", "pytest", "suites/", "--smoke", "-q", "--backend", "numpy", "--results", "run")


def test_a_run_with_bad_pages_runs_the_others_and_fails_one_item_for_each(house, ran):
    assert ran.returncode == 1 and "INTERNALERROR" not in ran.stdout + ran.stderr
    assert f"{len(WHYS)} failed, 2 passed" in ran.stdout
    rows = load(house / "run")
    assert set(rows.case) == {"fine"} and set(rows.status) == {"agrees"}


@pytest.mark.parametrize("name", WHYS)
def test_a_bad_page_is_told_in_one_sentence(name, ran):
    _, head, body = ran.stdout.partition(f"_ test_page[{name.replace('_', '-')}/")
    said = body.splitlines()[1]
    assert head and re.fullmatch(WHYS[name], said), said


@pytest.mark.parametrize("command", [("list",), ("report", "run")])
def test_list_and_report_print_all_they_can_and_exit_with_1(command, house, ran):
    done = gaugeblock(house, *command)
    assert done.returncode == 1 and "fine" in done.stdout
    said = [line.removeprefix("gaugeblock: ") for line in done.stderr.splitlines()]
    assert len(said) == len(WHYS)
    assert all(any(re.fullmatch(why, line) for line in said) for why in WHYS.values()), said


def test_derive_and_compare_print_all_they_can(house, ran):
    done = gaugeblock(house, "compare", "run", "run")
    assert done.returncode == 0 and done.stderr.count("gaugeblock: suites/") == len(WHYS)
    done = gaugeblock(house, "derive", "--backend", "numpy", "--smoke")
    assert done.returncode == 1 and done.stderr.count("gaugeblock: suites/") == len(WHYS)
    assert "1 of 1 limits are in the cache" in done.stdout


def test_a_case_of_a_bad_page_is_asked_for_in_vain_and_told_why(house):
    for name in ("keyword", "syntax", "backend"):
        done = gaugeblock(house, "list", name)
        assert done.returncode == 2 and re.fullmatch(WHYS[name], done.stderr.splitlines()[-1][12:])


def test_a_bad_page_fails_where_only_it_or_only_speeds_are_asked_for_and_nowhere_else(house):
    for more, code in ((["-k", "syntax/"], 1), (["--smoke", "--benchmark-only"], 1), (["-k", "fine/"], 0)):
        done = python(house, "-m", "pytest", "suites/", "--backend", "numpy", "--dtype", "float32", *more)
        assert done.returncode == code, done.stdout[-2000:]


MINE = """
from gaugeblock import NumPy


class Mine(NumPy):
    name = "torhc"
"""


def test_a_page_may_name_a_plug_in_of_the_run(house):
    (house / "mine.py").write_text(MINE)
    done = python(
        house, "-m", "pytest", "suites/", "--smoke", "-q", "-k", "backend/", "--backend", "mine.py:Mine",
        "--collect-only",
    )  # fmt: skip
    assert done.returncode == 0 and "test_page[backend/" not in done.stdout, done.stdout
    assert "test_agree[backend/" in done.stdout
