"""A side of a duel: an interpreter with its packages, environment variables, and a copy of Gaugeblock."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.backends import FURTHER, SHIPPED, backend
from bench.cells.cell import Cell
from bench.contender.prepare import THREADS
from bench.machine.isa import TOLD
from bench.worker import ROOT, Worker

OLDEST = (3, 11)  # of Python, in which our packages can be imported
PROBE = """
import json, sys
from importlib.metadata import PackageNotFoundError, version
found = {}
for name in sys.argv[1:]:
    try:
        found[name] = version(name)
    except PackageNotFoundError:
        pass
print(json.dumps([list(sys.version_info[:3]), found]))
"""
PATIENCE = 60.0  # seconds for an interpreter to tell its versions
# each thread of OpenMP stays on its core: two that meet on one make a call of torch a third slower
BOUND = {"OMP_PROC_BIND": "true", "OMP_PLACES": "cores"}
FAR = Path("bench/gate/far.py")  # what a copy of Gaugeblock must have


@dataclass(frozen=True)
class Side:
    """One side of a duel.

    name: how reports call it.
    python: its interpreter. It needs NumPy and the frameworks, and no installation of Gaugeblock.
    variables: environment variables beside those that each backend's worker has.
    root: the folder with the packages bench, reference and suites that its workers import.
    moved: the specification of a plug-in on this side, by that on the other one.
    packages: versions of its frameworks, as `probed` found them.
    """

    name: str
    python: str = sys.executable
    variables: Mapping[str, str] = field(default_factory=dict)
    root: Path = ROOT
    moved: Mapping[str, str] = field(default_factory=dict)
    packages: Mapping[str, str] = field(default_factory=dict)

    def cell(self, cell: Cell) -> Cell:
        """The cell as this side's workers know it."""
        return replace(cell, backend=self.moved.get(cell.backend, cell.backend))

    def worker(self, environment: Mapping[str, str], threads: int | None) -> Worker:
        """Start a process of this side. Raises OSError if none can be started."""
        told = {TOLD: "", **({THREADS: str(threads)} if threads else {})}
        bound = {} if BOUND.keys() & os.environ.keys() else BOUND
        return Worker({**bound, **environment, **told, **self.variables}, self.python, self.root)


def probed(side: Side, backends: Sequence[str]) -> Side:
    """The side with its packages' versions. Raises ValueError if it cannot run the duel.

    `backends` are those of the duel: of each shipped one, the framework must be installed.
    """
    wanted = {name: backend(name).packages for name in backends if name in (*SHIPPED, *FURTHER)}
    names = sorted({"numpy", *(each for packages in wanted.values() for each in packages)})
    version, found = _answer(side.python, names)
    if tuple(version) < OLDEST:
        raise ValueError(
            f"{side.name}: {side.python} is Python {'.'.join(map(str, version))}, should be "
            f"{'.'.join(map(str, OLDEST))} or newer; make that environment with a newer Python"
        )
    for what, packages in {"numpy": ("numpy",), **wanted}.items():
        if not any(each in found for each in packages):
            raise ValueError(
                f"{side.name}: {side.python} has no {packages[0]}, should have what {what} needs; install it "
                "there, or name other backends with --backend"
            )
    if not (side.root / FAR).is_file():
        raise ValueError(
            f"{side.name}: this copy of Gaugeblock has no {FAR.as_posix()}, should have the gate; name a "
            "newer revision"
        )
    return replace(side, packages=found)


def _answer(python: str, names: Sequence[str]) -> tuple[list[int], dict[str, str]]:
    """The version of an interpreter, and of those of these distributions that it has."""
    command = [python, "-c", PROBE, *names]
    try:
        done = subprocess.run(
            command, capture_output=True, encoding="utf-8", timeout=PATIENCE, check=True, cwd=Path(sys.prefix)
        )
        version, found = json.loads(done.stdout)
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        said = getattr(error, "stderr", "") or getattr(error, "strerror", "") or str(error)
        raise ValueError(
            f"--against: got {python}, which does not run ({str(said).strip().splitlines()[-1][:200]}), "
            "should be the path of a Python interpreter"
        ) from None
    return list(version), dict(found)


def interpreter(path: str) -> str:
    """The interpreter that a path names: a file, or the folder of an environment. Raises ValueError."""
    given = Path(path).expanduser()
    for each in (given, given / "bin" / "python", given / "Scripts" / "python.exe"):
        if each.is_file():
            return os.path.abspath(each)  # not resolved: a link in an environment selects its packages
    raise ValueError(f"--against: got {path}, should be a Python interpreter or the folder of an environment")


@contextmanager
def revision(name: str, plugins: Sequence[str]) -> Iterator[Side]:
    """This interpreter with another git revision: of the plug-ins' repository if there are any, else ours.

    Raises ValueError if the repository does not have it. Its files are deleted at the end.
    """
    files = [Path(each.rpartition(":")[0]).absolute() for each in plugins]
    start = files[0].parent if files else ROOT
    top = Path(_git(start, "rev-parse", "--show-toplevel")).resolve()
    commit = _git(top, "rev-parse", "--verify", "--end-of-options", f"{name}^{{commit}}")
    with TemporaryDirectory(prefix="gaugeblock-revision-") as folder:
        tree = Path(folder)
        archive = tree / "archive.tar"
        _git(top, "archive", f"--output={archive}", commit)
        subprocess.run(["tar", "-xf", archive, "-C", tree], check=True)
        archive.unlink()
        moved = {}
        for spec, file in zip(plugins, files, strict=True):
            if not file.resolve().is_relative_to(top):
                raise ValueError(
                    f"--against-rev: {file} is not in {top}, should be in the repository of the others"
                )
            there = tree / file.resolve().relative_to(top)
            if not there.is_file():
                raise ValueError(f"--against-rev: {name} has no {there.relative_to(tree)}, should have it")
            moved[spec] = f"{there}:{spec.rpartition(':')[2]}"
        ours = tree if ROOT.resolve() == top else ROOT
        yield Side(f"{name} ({commit[:8]})", root=ours, moved=moved)


def _git(folder: Path, *arguments: str) -> str:
    try:
        done = subprocess.run(
            ["git", "-C", folder, *arguments],
            capture_output=True,
            encoding="utf-8",
            check=True,
            timeout=PATIENCE,
        )
    except (OSError, subprocess.SubprocessError) as error:
        said = str(getattr(error, "stderr", "") or error).strip().splitlines()[-1]
        raise ValueError(
            f"--against-rev: got {said} from git in {folder}, should be a revision of a git repository"
        ) from None
    return done.stdout.strip()
