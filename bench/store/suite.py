"""The version of Gaugeblock that made a row, with the commit if it runs from a git checkout."""

import os
import subprocess
import tomllib
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent  # the repository, or site-packages
MADE_OF = ("gaugeblock", "bench", "reference", "suites")  # the folders that a row depends on
PATIENCE = 10  # seconds


def suite(root: Path = ROOT) -> str:
    """For a checkout ``0.1.0+gabc1234``, with ``.dirty`` if it has changes; for a wheel the version."""
    commit = _git(root, "rev-parse", "--show-toplevel", "--short=7", "HEAD").splitlines()
    # site-packages may be inside another repository
    if len(commit) != 2 or Path(commit[0]).resolve() != root:
        return _version(root)
    changed = _git(root, "status", "--porcelain", "--", *MADE_OF)
    return f"{_version(root)}+g{commit[1]}{'.dirty' if changed else ''}"


def _version(root: Path) -> str:
    """The checkout's version, even if another version is installed."""
    try:
        return str(tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"])
    except (OSError, KeyError, ValueError):
        pass
    try:
        return version("gaugeblock")
    except PackageNotFoundError:
        return ""


def _git(root: Path, *asked: str) -> str:
    """The output of git for a folder; empty if git is missing or fails."""
    # a git hook sets GIT_DIR and others, which would point git to another repository
    around = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    around["GIT_OPTIONAL_LOCKS"] = "0"  # on a full disk git would leave its lock file behind
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
