"""Which version of the suite made a row: of a checkout, of one with changes, and of none."""

import os
import subprocess
from importlib.metadata import PackageNotFoundError

import pytest

from bench.store import suite as suites
from bench.store.suite import suite


def git(folder, *command):
    who = ("-c", "user.name=ann", "-c", "user.email=ann@example.org")
    around = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    done = subprocess.run(
        ["git", "-C", folder, *who, *command], env=around, check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


@pytest.fixture
def checkout(tmp_path):
    """A repository with a version, a formula and one commit."""
    (tmp_path / "pyproject.toml").write_text('[project]\nversion = "7.8.9"\n')
    for name in suites.MADE_OF:
        (tmp_path / name).mkdir()
        (tmp_path / name / "one.py").write_text("one = 1\n")
    git(tmp_path, "init", "-q")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-q", "-m", "one")
    return tmp_path


def test_a_checkout_has_its_version_and_its_commit(checkout):
    commit = git(checkout, "rev-parse", "HEAD")[:7]
    assert suite(checkout) == f"7.8.9+g{commit}"
    (checkout / "results").mkdir()
    (checkout / "results" / "rows.jsonl").write_text("{}\n")  # what runs write is no change of the suite
    assert suite(checkout) == f"7.8.9+g{commit}"


@pytest.mark.parametrize("file", ["bench/one.py", "reference/two.py"])
def test_a_checkout_with_changes_is_dirty(checkout, file):
    (checkout / file).write_text("two = 2\n")
    assert suite(checkout).endswith(".dirty")


def test_a_wheel_has_its_version_only_in_somebody_elses_repository_too(checkout, monkeypatch):
    monkeypatch.setattr(suites, "version", lambda name: "1.2.3")
    inside = checkout / "site-packages"
    inside.mkdir()
    assert suite(inside) == "1.2.3"


@pytest.mark.parametrize("fault", [FileNotFoundError, subprocess.TimeoutExpired("git", 10)])
def test_without_git_a_checkout_has_its_version_only(checkout, monkeypatch, fault):
    def refuse(*command, **how):
        raise fault

    monkeypatch.setattr(subprocess, "run", refuse)
    assert suite(checkout) == "7.8.9"


def test_a_hooks_own_repository_is_not_asked(checkout, monkeypatch):
    expected = suite(checkout)
    monkeypatch.setenv("GIT_DIR", str(checkout / "nowhere"))
    assert suite(checkout) == expected


def test_nothing_is_known_of_what_is_neither_installed_nor_a_checkout(tmp_path, monkeypatch):
    def unknown(name):
        raise PackageNotFoundError(name)

    monkeypatch.setattr(suites, "version", unknown)
    assert suite(tmp_path) == ""
