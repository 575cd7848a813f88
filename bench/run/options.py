"""Options of pytest and its plug-ins, checked: workers judge the cells and take the samples."""

import os
import shlex
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from bench.store.results import unwritable

# options of pytest-benchmark's timer, which Gaugeblock does not use
CLOCK = (
    "min-time", "max-time", "min-rounds", "precision", "confidence", "timer", "calibration-precision",
    "warmup", "warmup-iterations", "disable-gc", "cprofile", "cprofile-loops", "cprofile-top",
    "cprofile-dump",
)  # fmt: skip
# options of its table, which has hundreds of lines and is printed only if one of these is given
TABLE = ("verbose", "sort", "group-by", "columns", "name", "time-unit", "compare", "histogram")
SPEEDS = ("save", "autosave", "json", "compare", "compare_fail", "histogram")  # options that need speeds


def check(config: pytest.Config) -> None:
    """Raise ValueError if an option of pytest or a plug-in cannot work here."""
    option = config.option
    if getattr(option, "numprocesses", None) or getattr(option, "dist", "no") != "no":
        processes = getattr(option, "numprocesses", None)
        raise ValueError(
            f"{f'-n: got {processes}' if processes else f'--dist: got {option.dist}'}, should be left out: "
            "pytest suites/ starts its own workers, and measures one speed at a time"
        )
    if not hasattr(option, "benchmark_only"):
        raise ValueError(
            "pytest-benchmark: got it switched off, should be on, because it shows the speeds; "
            "for verdicts only, add --benchmark-disable"
        )
    words = given(config)
    if names := [name for name in CLOCK if f"--benchmark-{name}" in words]:
        raise ValueError(
            f"--benchmark-{names[0]}: got it, should be left out: workers take the samples, and "
            "Gaugeblock's own clock decides how many"
        )
    asked = [name for name in SPEEDS if getattr(option, f"benchmark_{name}", None)]
    if asked and (option.benchmark_skip or off(option)) and not option.benchmark_only:
        without, wanted = "skip" if option.benchmark_skip else "disable", asked[0].replace("_", "-")
        raise ValueError(f"--benchmark-{without} and --benchmark-{wanted}: got both, should be one of them")
    if option.benchmark_compare_fail and config.pluginmanager.is_blocked("terminal"):
        raise ValueError(
            "--benchmark-compare-fail: got -p no:terminal, should be with the terminal plug-in, because its "
            "summary compares the speeds; leave out -p no:terminal"
        )
    if option.benchmark_compare_fail and not option.benchmark_compare:
        raise ValueError(
            "--benchmark-compare-fail: got no --benchmark-compare, should have both; add it with the number "
            "of the saved run to compare with"
        )
    _places(option)


def _places(option: Any) -> None:
    storage = option.benchmark_storage.removeprefix("file://")
    saved = (option.benchmark_save or option.benchmark_autosave) and "://" not in storage
    if saved and (what := unwritable(Path(storage))):
        raise ValueError(f"--benchmark-storage: got {storage}, {what}, should be a folder; name another")
    file = option.benchmark_json
    if isinstance(file, Path) and (file.is_dir() or not file.parent.is_dir() or unwritable(file.parent)):
        raise ValueError(f"--benchmark-json: got {file}, should be a file in a writable folder")
    xml = getattr(option, "xmlpath", None)
    if xml and (Path(xml).is_dir() or unwritable(Path(xml).absolute().parent)):
        raise ValueError(f"--junitxml: got {xml}, should be a file in a writable folder")
    if option.benchmark_histogram and not find_spec("pygal"):
        raise ValueError(
            "--benchmark-histogram: got no pygal, which draws it, should be installed: "
            "pip install 'gaugeblock[histogram]'"
        )


def replaced(config: pytest.Config) -> None:
    """Let the old name of an option do what its new one does, and warn.

    Raises ValueError if the warning is an error.
    """
    if not getattr(config.option, "strict", False) or config.option.fail_imprecise:
        return
    config.option.fail_imprecise = True
    why = (
        "--strict: got it, should be --fail-imprecise to make cells that are imprecise fail; until the next "
        "minor release it still does, then it is pytest's own option alone"
    )
    try:
        config.issue_config_time_warning(DeprecationWarning(why), stacklevel=2)
    except DeprecationWarning as error:
        raise ValueError(str(error)) from None


def given(config: pytest.Config) -> set[str]:
    """The options from the command line, PYTEST_ADDOPTS and pytest.ini, without their values."""
    words = [*config.invocation_params.args, *shlex.split(os.environ.get("PYTEST_ADDOPTS", ""))]
    return {str(word).partition("=")[0] for word in [*words, *config.getini("addopts")]}


def off(option: Any) -> bool:
    """Whether --benchmark-disable is in effect, so that nothing is timed."""
    return bool(option.benchmark_disable and not option.benchmark_enable)


def shown(config: pytest.Config) -> None:
    """Let pytest-benchmark print its table if an option asks for it.

    Raises ValueError if --benchmark-compare-fail finds no saved run to compare with.
    """
    ours = config._benchmarksession  # type: ignore[attr-defined]
    ours.quiet = not given(config) & {f"--benchmark-{name}" for name in TABLE}
    if config.option.benchmark_compare_fail and not ours.compared_mapping:
        raise ValueError(
            f"--benchmark-compare-fail: got no saved run to compare with in {ours.storage}, should be one; "
            "make one with --benchmark-save, or name its folder with --benchmark-storage"
        )


def uncompared(config: pytest.Config) -> str:
    """An error if --benchmark-compare-fail could compare none of these speeds; empty otherwise."""
    if not config.option.benchmark_compare_fail:
        return ""
    found = config._benchmarksession  # type: ignore[attr-defined]
    saved = {name for names in found.compared_mapping.values() for name in names}
    if any(each.fullname in saved for each in found.benchmarks):
        return ""
    return (
        f"--benchmark-compare-fail: got {len(found.benchmarks)} speeds, none of which is in the saved "
        "run, should be at least one that is; compare with a run of the same cells"
    )
