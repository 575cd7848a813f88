"""What an older or a newer release has not got is found by looking, and is absent with its reason."""

import sys
from importlib.metadata import version
from types import ModuleType

import pytest

from bench.backends import Absent
from bench.backends.api import owner_of, require

NUMPY = f"numpy {version('numpy')}"


def taking_any(**keywords):
    return keywords


@pytest.mark.parametrize(
    ("api", "keywords"),
    [
        ("numpy.linalg.solve", ()),
        ("numpy.ndarray.sum", ()),  # of a class, which is no module
        ("numpy.testing.assert_allclose", ("rtol", "err_msg")),
        ("numpy.random.Generator", ("bit_generator",)),
        ("builtins.range", ("whatever",)),  # compiled: Python cannot read what it takes
        (f"{__name__}.taking_any", ("whatever",)),
    ],
)
def test_an_api_that_is_there_is_given(api, keywords):
    owner, last = owner_of(api)
    assert require(api, *keywords) == getattr(owner, last)


@pytest.mark.parametrize(
    ("api", "keywords", "reason"),
    [
        ("numpy.linalg.solv", (), f"{NUMPY} has no numpy.linalg.solv"),
        ("numpy.lin.solve", (), f"{NUMPY} has no numpy.lin.solve"),
        ("numpy.ndarray.summ", (), f"{NUMPY} has no numpy.ndarray.summ"),
        ("numpy.testing.assert_allclose", ("rtol", "ulp"), "has no numpy.testing.assert_allclose(ulp=…)"),
    ],
)
def test_an_api_or_a_keyword_that_is_not_there_is_absent_in_this_release(api, keywords, reason):
    with pytest.raises(Absent) as raised:
        require(api, *keywords)
    assert str(raised.value).endswith(reason)


def test_a_package_that_is_not_installed_or_broken_is_no_missing_api(monkeypatch, tmp_path):
    with pytest.raises(ImportError, match=r"nowhere\.to\.be: no module has it"):
        require("nowhere.to.be")
    (tmp_path / "broken.py").write_text("import what_it_needs")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ModuleNotFoundError, match="No module named 'what_it_needs'"):
        require("broken.thing")


def test_a_module_that_is_not_imported_yet_is_looked_into(monkeypatch):
    monkeypatch.delitem(sys.modules, "xml.dom.minidom", raising=False)
    assert isinstance(owner_of("xml.dom.minidom.parse")[0], ModuleType)
