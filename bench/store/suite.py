"""Which Gaugeblock made a row: its version and, from a checkout, its commit."""

import os
import subprocess
import tomllib
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent  # the repository, or site-packages
MADE_OF = ("gaugeblock", "bench", "reference", "suites")  # what a row depends on
PATIENCE = 10  # seconds


def suite(root: Path = ROOT) -> str:
    """``0.1.0+gabc1234``, ``.dirty`` behind it where the checkout has changes; of a wheel the version."""
    commit = _git(root, "rev-parse", "--show-toplevel", "--short=7", "HEAD").splitlines()
    # site-packages may lie in somebody else's repository
    if len(commit) != 2 or Path(commit[0]).resolve() != root:
        return _version(root)
    changed = _git(root, "status", "--porcelain", "--", *MADE_OF)
    return f"{_version(root)}+g{commit[1]}{'.dirty' if changed else ''}"


def _version(root: Path) -> str:
    """A checkout's own, whatever else is installed beside it."""
    try:
        return str(tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"])
    except (OSError, KeyError, ValueError):
        pass
    try:
        return version("gaugeblock")
    except PackageNotFoundError:
        return ""


def _git(root: Path, *asked: str) -> str:
    """What git says of a folder; nothing where there is no git, or it refuses."""
    around = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}  # a hook's
    around["GIT_OPTIONAL_LOCKS"] = "0"  # it is read only: on a full disk git would leave its lock behind
    try:
        answer = subprocess.run(
            ["git", "-C", str(root), *asked],
            env=around,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=PATIENCE,
        )
    except (OSError, ValueError, subprocess.SubprocessError):
        return ""
    return answer.stdout if answer.returncode == 0 else ""
