"""The distribution that installs a contender's API: optax, flax or keras, for example, and not jax."""

from collections.abc import Sequence
from functools import cache
from importlib.metadata import packages_distributions

from bench.backends.interface import Backend, home
from bench.machine.records import installed
from bench.worker import ROOT

_brought = cache(packages_distributions)  # it takes a third of a second


@cache
def package(api: str, cls: type[Backend]) -> tuple[str, str]:
    """The name and version of the distribution; the version is empty if it is not installed.

    For a reference, or a build in a plug-in's file, it is the framework's distribution.
    """
    module, framework = api.partition(".")[0], _first(cls.packages)
    if module in cls.packages or (ROOT / module).is_dir():
        return framework
    found = _first([module])
    if not found[1] and module in _brought():
        return _first(_brought()[module])
    homes = {home(parent).partition(".")[0] for parent in cls.__mro__}
    return framework if not found[1] and module in homes else found


def _first(names: Sequence[str]) -> tuple[str, str]:
    """The first of these distributions that is installed, else the first of them."""
    return next(iter(installed(names).items()), (names[0], ""))
